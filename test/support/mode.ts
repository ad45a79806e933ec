import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { release, userInfo } from 'node:os';

// One body runs as root and as an ordinary user. A Node process cannot be both, nor change from one to the other and back,
// and a driver process for each scenario would cost a start of Node each (three seconds in the virtual machine), so the
// loop over the modes is outside: scripts/test.mjs runs these files twice, and a test asks here who it is.

export const isRoot = process.geteuid?.() === 0;
export const mode: 'root' | 'rootless' = isRoot ? 'root' : 'rootless';

/** Emulated, all takes some fifteen times as long. */
export const isSlow = process.env.NSBOX_VM === '1';
/** Hours instead of minutes. */
export const isLong = process.env.NSBOX_LONG === '1';

/** Whether this process may have groups of its own below its own: always for root, else where they are delegated. */
export const hasGroups = isRoot || isDelegated();

function isDelegated(): boolean {
  const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (path === undefined) return false;
  // A process may be moved only from and to groups that are its user's, so the one above must be too.
  const above = `/sys/fs/cgroup${path.replace(/\/[^/]*$/, '')}`;
  return ['cgroup.subtree_control', 'cgroup.procs'].every((name) => isWritable(`${above}/${name}`));
}

export function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether a box can be told how much it may write: an ordinary user's lies on disk before Linux 6.6. */
export const canBoundScratch = isRoot || kernelIsAtLeast(6, 6);

function kernelIsAtLeast(major: number, minor: number): boolean {
  const [here = 0, below = 0] = release().split('.').map(Number);
  return here > major || (here === major && below >= minor);
}

/** Whether a box may have users beside root: rootless this takes ranges of ids and a set-user-ID helper. */
export const hasIdRanges = isRoot || ownsIdRanges();

export const NO_RANGES =
  'this user has no ranges in /etc/subuid and /etc/subgid, or newuidmap is missing (uidmap)';

function ownsIdRanges(): boolean {
  try {
    const { username } = userInfo();
    return ['uid', 'gid'].every(
      (kind) =>
        readFileSync(`/etc/sub${kind}`, 'utf8').includes(`${username}:`) &&
        existsSync(`/usr/bin/new${kind}map`),
    );
  } catch {
    return false;
  }
}
