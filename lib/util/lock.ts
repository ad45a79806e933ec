import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NsboxError } from '../errors.js';
import { ioError, isErrno } from './files.js';
import { isAlive, ownerOf, ownName } from './owner.js';

const PATIENCE_MS = 60_000;
const LONGEST_PAUSE_MS = 40;

export interface LockOptions {
  /** Of several locks in one folder. Default: `lock`. */
  readonly name?: string;
  /** Default: a minute. */
  readonly patienceMs?: number;
  /** Ends the waiting, not the work. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does `work` while no other process, and no other call in this one, does its own under the lock of this folder. A lock
 * whose owner is dead is no hindrance.
 *
 * @throws {@link NsboxError} `ERR_IN_USE` if another holds it for longer than the patience
 */
export async function withLock<T>(
  folder: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const lock = join(folder, options.name ?? 'lock');
  await acquire(folder, lock, options);
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function acquire(folder: string, lock: string, options: LockOptions): Promise<void> {
  const end = Date.now() + (options.patienceMs ?? PATIENCE_MS);
  for (let pause = 1; !(await tryAcquire(folder, lock)); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    if (Date.now() > end) throw await inUse(lock);
    // Not in step with the others that wait.
    await sleep(pause * (0.5 + Math.random()));
    options.signal?.throwIfAborted();
  }
}

async function tryAcquire(folder: string, lock: string): Promise<boolean> {
  const name = ownName();
  const aside = join(folder, `claim-${name}`);
  try {
    // A hard link of a written file: a lock that exists names its owner, whenever we are killed.
    await writeFile(aside, name, { flag: 'wx' });
    await link(aside, lock);
    return true;
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw ioError(`lock ${folder}`, error);
    await removeIfDead(folder, lock);
    return false;
  } finally {
    await rm(aside, { force: true });
  }
}

// Who only looked and then removed could remove a living lock that another has put there meanwhile. So the right to remove
// the lock of one dead owner is a lock itself, named after that owner, and is got in the same way.
async function removeIfDead(folder: string, lock: string): Promise<void> {
  const holder = await read(lock);
  const owner = ownerOf(holder ?? '');
  if (holder === undefined || (owner !== undefined && isAlive(owner))) return;
  const right = join(folder, `after-${owner === undefined ? 'nobody' : holder}`);
  // Not by us: two files of one name's content.
  if (right === lock || !(await tryAcquire(folder, right))) return;
  if ((await read(lock)) === holder) await rm(lock, { force: true });
  await rm(right, { force: true });
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw ioError(`read ${path}`, error);
  }
}

async function inUse(lock: string): Promise<NsboxError> {
  const pid = ownerOf((await read(lock)) ?? '')?.pid;
  return new NsboxError(
    'ERR_IN_USE',
    `${lock} is held by ${pid === undefined ? 'another' : `process ${pid}`}`,
    {
      hint: 'wait until it has ended; if it runs in another container that is gone, remove the file',
    },
  );
}
