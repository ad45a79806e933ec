// long-run.mjs QUESTION: lives thousands of lives, and prints what this process held at each tenth of them: Holdings[] as
// JSON. Started with --expose-gc, and with a young generation that does not grow: it would be all there is to see.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type RunOptions, Sandbox } from '../lib/index.js';

interface Question {
  readonly command: readonly string[];
  readonly options: RunOptions;
  readonly total: number;
  readonly stops: number;
}

export interface Holdings {
  readonly descriptors: number;
  readonly mounts: number;
  readonly cgroups: number;
  readonly threads: number;
  readonly children: number;
  readonly residentKb: number;
}

const AT_ONCE = 10;
const SETTLE_MS = 200;

const { command, options, total, stops } = JSON.parse(process.argv[2] ?? '') as Question;
const holdings: Holdings[] = [];
for (let stop = 0; stop < stops; stop++) {
  for (let done = 0; done < total / stops; done += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, () => Sandbox.run(command, options)));
  holdings.push(await lookAtOurselves());
}
console.log(JSON.stringify(holdings));

async function lookAtOurselves(): Promise<Holdings> {
  globalThis.gc?.();
  await pause(SETTLE_MS);
  globalThis.gc?.();
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length - 1,
    cgroups: countGroups('/sys/fs/cgroup'),
    threads: readdirSync('/proc/self/task').length,
    children: readdirSync('/proc/self/task').flatMap(childrenOf).length,
    residentKb: Math.round(process.memoryUsage().rss / 1024),
  };
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
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function childrenOf(task: string): string[] {
  return readFileSync(`/proc/self/task/${task}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '');
}
