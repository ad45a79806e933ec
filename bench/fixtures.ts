import { execFileSync } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder of what scripts/bench.mjs has built. */
export const built = (name: string): string => join(import.meta.dirname, name);

export const isRoot = process.geteuid?.() === 0;

/** What a bench needs on the disk; gone with it. */
export interface Fixtures extends Disposable {
  readonly folder: string;
  /** A root with programs in /bin. */
  readonly rootfs: string;
  /** The command that all benches run inside the root: `busybox true`, or `tiny` where that is not installed. */
  readonly command: readonly string[];
  /** Why it is not busybox. */
  readonly note: string | undefined;
}

export const TINY: readonly string[] = ['/bin/tiny'];

export function makeFixtures(): Fixtures {
  const folder = mkdtempSync(join(tmpdir(), 'nsbox-bench-'));
  const rootfs = join(folder, 'rootfs');
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp']) mkdirSync(join(rootfs, name), { recursive: true });
  cpSync(built('tiny'), join(rootfs, 'bin/tiny'));
  const busybox = findStaticBusybox();
  if (busybox !== undefined) cpSync(busybox, join(rootfs, 'bin/busybox'), { dereference: true });
  return {
    folder,
    rootfs,
    command: busybox === undefined ? TINY : ['/bin/busybox', 'true'],
    note: busybox === undefined ? 'without busybox: apt-get install busybox-static' : undefined,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function findStaticBusybox(): string | undefined {
  const path = findProgram('busybox');
  // A dynamic one names its loader near its beginning.
  return path === undefined || readFileSync(path).subarray(0, 4096).includes('/ld-') ? undefined : path;
}

/** Where a program is, also in the folders that an ordinary user does not search. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path) && isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** A command's path on this machine: that of a program of the root. */
export function outside({ rootfs }: Fixtures, [program = '', ...args]: readonly string[]): string[] {
  return [join(rootfs, program), ...args];
}

/** The v1 hierarchies of the two controllers that limits need here; undefined where these are v2's. */
export function hasVersion1(): boolean {
  return /^\d+:(.*,)?(memory|pids)(,.*)?:/m.test(readFileSync('/proc/self/cgroup', 'utf8'));
}

export function kernelRelease(): string {
  return execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim();
}
