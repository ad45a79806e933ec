import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { built, type Fixtures, outside } from './fixtures.js';
import type { HeavyResults } from './heavy.js';
import { EVERYTHING } from './lifecycle.js';
import type { Row, Section } from './results.js';
import { figuresOf } from './statistics.js';

const run = promisify(execFile);
const HEAP_LIMIT_MB = 6000;

/** What a start costs the event loop of a process with a gigabyte of memory of its own. */
export async function blocking(
  fixtures: Fixtures,
  { rounds, lives }: { readonly rounds: number; readonly lives: number },
): Promise<Section> {
  const { command, rootfs } = fixtures;
  const question = {
    command,
    rootfs,
    outside: outside(fixtures, command),
    options: EVERYTHING,
    starts: rounds * lives,
  };
  const options = [`--max-old-space-size=${HEAP_LIMIT_MB}`, built('heavy.mjs'), JSON.stringify(question)];
  const { stdout } = await run(process.execPath, options, { maxBuffer: 2 ** 26 });
  const results = JSON.parse(stdout) as HeavyResults;
  const rows: Row[] = [];
  const spawnBlock = figuresOf(results.spawn.block);
  for (const [name, { call, block }] of Object.entries(results)) {
    if (call.length > 0) rows.push({ name: `${name}: the call`, unit: 'ms', figures: figuresOf(call) });
    const figures = figuresOf(block);
    const isOurs = name === 'run' || name === 'exec';
    const ratio = isOurs ? { to: 'spawn', value: figures.p50 / spawnBlock.p50 } : undefined;
    rows.push({
      name: `${name}: longest block`,
      unit: 'ms',
      figures,
      ratio,
      note: isOurs ? verdict(figures.p50) : undefined,
    });
  }
  return { name: 'blocking', title: 'the event loop of a process with 1 GB of memory, per start', rows };
}

const MOST_MS = 0.3;

function verdict(p50: number): string {
  return `${p50 <= MOST_MS ? 'ok' : 'MISSED'} (p50 <= ${MOST_MS} ms)`;
}
