import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// What a box may leave behind, looked up in the kernel and not in the library.

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
}

export function processTable(): ProcessEntry[] {
  return names('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const stat = read(`/proc/${pid}/stat`);
      // proc_pid_stat(5): pid (comm) state ppid …; comm may hold anything.
      const match = /^\d+ \((.*)\) (\S) (\d+) /s.exec(stat);
      return match ? [{ pid: Number(pid), parent: Number(match[3]), name: match[1] ?? '' }] : [];
    });
}

/** Every descriptor of this process as `what it is`, without what changes of itself. */
function descriptors(): string[] {
  return names('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

/** What a process keeps for all its boxes: its groups, its janitor and its copy of the executable. */
const KEPT = /^\/sys\/fs\/cgroup|memfd:nsbox-runtime|^\/proc\/\d+\/fd$/;

/** How many descriptors there are of each kind, but for those that a process keeps. */
export function descriptorCounts(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const target of descriptors()) {
    if (KEPT.test(target)) continue;
    const kind = target.replace(/:\[\d+\]$/, '');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  // An init that waits for the next box has a pidfd and a channel here.
  for (const kind of ['socket', 'anon_inode:[pidfd]'])
    counts.set(kind, (counts.get(kind) ?? 0) - waitingInits());
  return counts;
}

function waitingInits(): number {
  return processTable().filter(({ parent, name }) => parent === process.pid && name === 'nsbox-ready').length;
}

/** The cgroups below any hierarchy whose name the predicate wants, as paths. */
export function groups(isWanted: (name: string) => boolean): string[] {
  return groupFolders().flatMap((folder) =>
    names(folder)
      .filter(isWanted)
      .map((name) => join(folder, name)),
  );
}

// Ours lie in our own group, or beside it on v2.
function groupFolders(): string[] {
  const mounts = read('/proc/self/mountinfo').split('\n');
  const paths = read('/proc/self/cgroup').split('\n');
  const folders = new Set<string>();
  for (const line of mounts) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , mountPoint = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    for (const entry of paths) {
      const [, controllers = '', path = ''] = entry.split(':');
      const isHere =
        type === 'cgroup2'
          ? controllers === ''
          : controllers !== '' && options.split(',').includes(controllers.split(',')[0] ?? '');
      if (!isHere) continue;
      folders.add(join(mountPoint, path));
      folders.add(join(mountPoint, path, '..'));
    }
  }
  return [...folders];
}

export function mounts(): string[] {
  return read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes('nsbox') || line.includes(tmpdir()));
}

/** Directories of ours where the library makes its own. */
export function directories(): string[] {
  return [...new Set([tmpdir(), '/tmp', '/dev/shm', '/run'])].flatMap((place) =>
    names(place)
      .filter((name) => name.startsWith('nsbox-'))
      .map((name) => join(place, name)),
  );
}

/** What this process has left of its boxes; the groups, the janitor and the init that wait for the next
 * ones do not count. */
export function leftOfThisProcess(before: ReadonlyMap<string, number>): string[] {
  const left: string[] = [];
  const ours = processTable().filter(
    ({ parent, name }) => parent === process.pid && name.startsWith('nsbox'),
  );
  for (const { pid, name } of ours)
    if (name !== 'nsbox-janitor' && name !== 'nsbox-ready') left.push(`process ${pid} (${name})`);
  for (const own of groups((name) => name.startsWith(`nsbox-${process.pid}-`)))
    for (const name of names(own)) if (isDirectory(join(own, name))) left.push(`cgroup ${join(own, name)}`);
  for (const [kind, count] of descriptorCounts()) {
    const more = count - (before.get(kind) ?? 0);
    if (more > 0) left.push(`${more} descriptors of ${kind}`);
  }
  for (const line of mounts()) left.push(`mount ${line}`);
  return left;
}

function isDirectory(path: string): boolean {
  return names(path).length > 0;
}

export function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

export function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
