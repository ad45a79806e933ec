// Runs the benches and prints their tables; the results as JSON go to descriptor 3. Started by scripts/bench.mjs.
import { writeFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { blocking } from './blocking.js';
import { commandLine } from './command-line.js';
import { reasonOf } from './contestants.js';
import { crowd } from './crowd.js';
import { endurance } from './endurance.js';
import { exec } from './exec.js';
import { type Fixtures, isRoot, kernelRelease, makeFixtures } from './fixtures.js';
import { life, lifeAtRest, lifeOfTiny, lifeOnHost } from './lifecycle.js';
import { memory } from './memory.js';
import type { Results, Section } from './results.js';
import { type RuntimesOptions, runtimes } from './runtimes.js';
import { renderSection } from './table.js';

type Bench = (fixtures: Fixtures, options: BenchOptions) => Promise<Section>;

interface BenchOptions extends RuntimesOptions {
  /** Of the long run. */
  readonly total: number;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  life,
  tiny: lifeOfTiny,
  rest: lifeAtRest,
  host: lifeOnHost,
  exec,
  crowd,
  blocking,
  memory,
  cli: commandLine,
  runtimes,
  lives: endurance,
};

const RESULTS_FD = 3;

await main();

async function main(): Promise<void> {
  const { names, options } = readArguments();
  using fixtures = makeFixtures();
  if (fixtures.note !== undefined) console.log(fixtures.note);
  const sections: Section[] = [];
  for (const name of names) {
    const section = await runBench(name, fixtures, options);
    sections.push(section);
    console.log(renderSection(section));
  }
  writeFileSync(RESULTS_FD, `${JSON.stringify(resultsOf(sections), undefined, 1)}\n`);
}

async function runBench(name: string, fixtures: Fixtures, options: BenchOptions): Promise<Section> {
  try {
    const bench = BENCHES[name];
    if (bench) return await bench(fixtures, options);
    throw new Error(`there is no such bench; there are ${Object.keys(BENCHES).join(', ')}`);
  } catch (error) {
    return { name, title: 'failed', rows: [{ name, unit: '', note: reasonOf(error) }] };
  }
}

function readArguments(): { readonly names: readonly string[]; readonly options: BenchOptions } {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(BENCHES).join() },
      rounds: { type: 'string', default: '10' },
      batch: { type: 'string', default: '50' },
      lives: { type: 'string', default: '2000' },
      'peers-root': { type: 'string' },
    },
  });
  const options = {
    rounds: whole(values.rounds, 'rounds'),
    lives: whole(values.batch, 'batch'),
    total: whole(values.lives, 'lives'),
    peersRoot: values['peers-root'],
  };
  return { names: values.only.split(','), options };
}

function whole(text: string, name: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new Error(`--${name}: expected a whole number from 1, got ${text}`);
}

function resultsOf(sections: readonly Section[]): Results {
  const machine = {
    kernel: kernelRelease(),
    arch: arch(),
    cpus: cpus().length,
    node: process.version,
    user: isRoot ? ('root' as const) : ('ordinary' as const),
  };
  return { date: new Date().toISOString(), machine, sections };
}
