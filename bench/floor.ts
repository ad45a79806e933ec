import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Contestant } from './contestants.js';
import { built, hasVersion1, isRoot } from './fixtures.js';

const run = promisify(execFile);
const WARM_UPS = 5;

export interface FloorLives {
  readonly root: { readonly rootfs: string } | 'host';
  readonly command: readonly string[];
  /** Before each life. */
  readonly restMs?: number;
}

/** floor.c, a process of its own for each turn. */
export function floor(name: string, { root, command, restMs = 0 }: FloorLives): Contestant {
  const options = [...rootOptions(root), '-w', String(WARM_UPS), '--gap', String(restMs), '--samples'];
  return {
    name,
    lives: async (count) => (await runFloor([...options, '-n', String(count)], command)).samples,
  };
}

/** Lives a second, that many at once. */
export async function floorThroughput(
  { root, command }: FloorLives,
  lives: number,
  atOnce: number,
): Promise<number> {
  const options = ['-w', String(lives), '-n', String(lives), '-j', String(atOnce)];
  return (await runFloor([...rootOptions(root), ...options], command)).wallPerSecond;
}

function rootOptions(root: FloorLives['root']): string[] {
  return root === 'host' ? ['--host'] : ['--rootfs', root.rootfs];
}

interface FloorOutput {
  readonly samples: readonly number[];
  readonly wallPerSecond: number;
}

async function runFloor(options: readonly string[], command: readonly string[]): Promise<FloorOutput> {
  const all = [...options, ...groupOptions(), ...(isRoot ? [] : ['--userns']), '--', ...command];
  const { stdout } = await run(built('floor'), all, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as FloorOutput;
}

// An ordinary user has groups only where they were delegated: the comparison does without.
function groupOptions(): string[] {
  if (!isRoot) return [];
  if (hasVersion1()) return ['--cgroups', 'memory,pids', '--parent', 'nsbox-bench-floor'];
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  return ['--cgroup2', join('/sys/fs/cgroup', own), '--parent', 'nsbox-bench-floor'];
}
