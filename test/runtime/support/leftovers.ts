import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { names } from '../../support/leaks.js';

/** What a container may leave behind, looked up in the kernel: state, cgroups, and processes or mounts that know the folder. */
export function leftovers(folder: string, root: string, group: string): string[] {
  return [
    ...states(root).map((id) => `state ${id}`),
    ...groupsCalled(group).map((path) => `cgroup ${path}`),
    ...holders(folder),
  ];
}

export function states(root: string): string[] {
  return names(root).filter(
    (name) => existsSync(join(root, name, 'state.json')) || isDirectory(join(root, name)),
  );
}

function isDirectory(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The groups of all hierarchies whose name starts so. */
export function groupsCalled(prefix: string): string[] {
  return hierarchies().flatMap((mount) =>
    names(mount)
      .filter((name) => name.startsWith(prefix))
      .map((name) => join(mount, name)),
  );
}

/** Where the hierarchies of cgroups are mounted. */
export function hierarchies(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(' ')[4] ?? '');
}

/** Processes with a mount out of the folder, and mounts of our own; a zombie has none. */
export function holders(folder: string): string[] {
  const found: string[] = [];
  for (const pid of names('/proc').filter((name) => /^\d+$/.test(name))) {
    const mounts = read(`/proc/${pid}/mountinfo`);
    if (!mounts.includes(folder)) continue;
    if (Number(pid) === process.pid)
      found.push(
        ...mounts
          .split('\n')
          .filter((line) => line.includes(folder))
          .map((line) => `mount ${line}`),
      );
    else found.push(`process ${pid} (${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')})`);
  }
  return found;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
