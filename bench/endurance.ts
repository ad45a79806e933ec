import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { built, type Fixtures } from './fixtures.js';
import { EVERYTHING } from './lifecycle.js';
import type { Holdings } from './long-run.js';
import type { Row, Section } from './results.js';
import { figuresOf } from './statistics.js';

const run = promisify(execFile);
const STOPS = 10;
// By then all that is made once is made.
const SETTLED = 1000;
const SEMI_SPACE_MB = 2;

// Memory may breathe; nothing else may grow.
const MOST: Readonly<Record<keyof Holdings, number>> = {
  descriptors: 1,
  mounts: 1,
  cgroups: 1,
  threads: 1,
  children: 1,
  residentKb: 1.1,
};

/** Thousands of lives in one process: what it holds, at each tenth of them. */
export async function endurance(
  { rootfs, command }: Fixtures,
  { total }: { readonly total: number },
): Promise<Section> {
  const question = { command, options: { ...EVERYTHING, rootfs }, total, stops: STOPS };
  const flags = ['--expose-gc', `--max-semi-space-size=${SEMI_SPACE_MB}`];
  const { stdout } = await run(process.execPath, [...flags, built('long-run.mjs'), JSON.stringify(question)]);
  const stops = JSON.parse(stdout) as Holdings[];
  const names = Object.keys(MOST) as (keyof Holdings)[];
  return {
    name: 'lives',
    title: `${total} lives in one process, looked at ${STOPS} times`,
    rows: names.map((name) => rowOf(name, stops, settledStop(total))),
  };
}

function settledStop(total: number): number {
  return Math.min(STOPS / 2, Math.ceil((SETTLED * STOPS) / total)) - 1;
}

function rowOf(name: keyof Holdings, stops: readonly Holdings[], settled: number): Row {
  const series = stops.map((stop) => stop[name]);
  const [first = 0, last = 0] = [series[settled], series.at(-1)];
  const ratio = { to: 'when settled', value: first === last ? 1 : last / first, atMost: MOST[name] };
  return {
    name,
    unit: name === 'residentKb' ? 'KB' : '',
    figures: figuresOf(series),
    ratio,
    note: series.join(' '),
  };
}
