import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { NsboxError } from '../errors.js';
import type { IdMapping } from '../spec/runtime/config.js';

/** Whether sandboxes of this process live in a user namespace of their own: always, but for root. */
export function isRootless(): boolean {
  return process.geteuid?.() !== 0;
}

export interface IdMaps {
  /** `self`: init maps its one id; `wait`: newuidmap maps ranges from outside. */
  readonly how: 'none' | 'self' | 'wait';
  readonly users: readonly IdMapping[];
  readonly groups: readonly IdMapping[];
}

/**
 * The ids of a sandbox. An ordinary user is its root; further ids take ranges from /etc/subuid, and so are mapped only
 * when the sandbox has use for them.
 *
 * @throws {@link NsboxError} `ERR_PERMISSION` when ranges are needed and this user has none
 */
export function idMapsFor(user: string | undefined): IdMaps {
  if (!isRootless()) return { how: 'none', users: [], groups: [] };
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  const self = (hostID: number): IdMapping => ({ containerID: 0, hostID, size: 1 });
  if (user === undefined || isRoot(user)) return { how: 'self', users: [self(uid)], groups: [self(gid)] };
  return {
    how: 'wait',
    users: [self(uid), rangeOf('/etc/subuid')],
    groups: [self(gid), rangeOf('/etc/subgid')],
  };
}

function isRoot(user: string): boolean {
  return ['0', 'root', '0:0', 'root:root', '0:root', 'root:0'].includes(user);
}

// subuid(5): name or uid, first id, count.
function rangeOf(file: string): IdMapping {
  const { username, uid } = userInfo();
  for (const line of readLines(file)) {
    const [owner, first, count] = line.split(':');
    if (owner !== username && owner !== String(uid)) continue;
    const range = { containerID: 1, hostID: Number(first), size: Number(count) };
    if (Number.isSafeInteger(range.hostID) && Number.isSafeInteger(range.size) && range.size > 0)
      return range;
  }
  throw new NsboxError(
    'ERR_PERMISSION',
    `user: ${username} has no range of ids in ${file}, so a sandbox of it has root alone`,
    {
      hint: `as root: apt-get install uidmap; usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`,
    },
  );
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
