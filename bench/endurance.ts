import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Sandbox } from '../lib/index.js';
import type { Fixtures } from './fixtures.js';
import { EVERYTHING } from './lifecycle.js';
import type { Row, Section } from './results.js';
import { figuresOf } from './statistics.js';

const STOPS = 10;
// By then all that is made once is made, and the heap has its size.
const SETTLED = 1000;
const AT_ONCE = 10;
const SETTLE_MS = 200;

interface Holdings {
  readonly descriptors: number;
  readonly mounts: number;
  readonly cgroups: number;
  readonly threads: number;
  readonly children: number;
  readonly residentKb: number;
}

// Memory may breathe; nothing else may grow.
const MOST: Readonly<Record<keyof Holdings, number>> = { descriptors: 1, mounts: 1, cgroups: 1, threads: 1, children: 1, residentKb: 1.1 };

/** Thousands of lives in one process: what it holds, at each tenth of them. */
export async function endurance({ rootfs, command }: Fixtures, { total }: { readonly total: number }): Promise<Section> {
  const stops: Holdings[] = [];
  for (let stop = 0; stop < STOPS; stop++) {
    for (let done = 0; done < total / STOPS; done += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, () => Sandbox.run(command, { ...EVERYTHING, rootfs })));
    stops.push(await lookAtOurselves());
  }
  const names = Object.keys(MOST) as (keyof Holdings)[];
  return { name: 'lives', title: `${total} lives in one process, looked at ${STOPS} times`, rows: names.map((name) => rowOf(name, stops, settledStop(total))) };
}

function settledStop(total: number): number {
  return Math.min(STOPS / 2, Math.ceil((SETTLED * STOPS) / total)) - 1;
}

function rowOf(name: keyof Holdings, stops: readonly Holdings[], settled: number): Row {
  const series = stops.map((stop) => stop[name]);
  const [first = 0, last = 0] = [series[settled], series.at(-1)];
  const ratio = { to: 'when settled', value: first === last ? 1 : last / first, atMost: MOST[name] };
  return { name, unit: name === 'residentKb' ? 'KB' : '', figures: figuresOf(series), ratio, note: series.join(' ') };
}

async function lookAtOurselves(): Promise<Holdings> {
  collectGarbage();
  await pause(SETTLE_MS);
  collectGarbage();
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length - 1,
    cgroups: countGroups('/sys/fs/cgroup'),
    threads: readdirSync('/proc/self/task').length,
    children: readdirSync('/proc/self/task').flatMap(childrenOf).length,
    residentKb: Math.round(process.memoryUsage().rss / 1024),
  };
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

// This process's own group in each hierarchy, and all that is in it.
function countGroups(folder: string, isOurs = false): number {
  let count = 0;
  for (const name of groupsIn(folder)) {
    const ours = isOurs || name.startsWith(`nsbox-${process.pid}-`);
    count += (ours ? 1 : 0) + countGroups(join(folder, name), ours);
  }
  return count;
}

function groupsIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

function childrenOf(task: string): string[] {
  return readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter((pid) => pid !== '');
}
