import { appendFile, readFile, rm } from 'node:fs/promises';
import { NsboxError } from '../../errors.js';
import { type Digest, isDigest } from '../../spec/digest.js';
import { quote } from '../../spec/validate.js';
import { ioError, isErrno, namesIn, ownFolder } from './files.js';
import { withLock } from './lock.js';
import { isAlive, ownerOf, ownName } from './owner.js';

/** Begins the file names of leases that outlive their process. */
const LASTING = 'owner-';
const OWNER = /^[A-Za-z0-9][\w.-]{0,127}$/;

/**
 * Keeps blobs from being collected, whether or not a tag names them: those of a running pull, those of a container. It ends
 * with {@link Lease.release}. One without an owner ends with its process, too; one of an owner, who is named by the caller
 * as by a container's id, does not, and another process can take it up or release it by that name.
 */
export class Lease implements AsyncDisposable {
  readonly #path: string;

  constructor(
    private readonly root: string,
    readonly owner?: string,
  ) {
    if (owner !== undefined && !OWNER.test(owner))
      throw new NsboxError('ERR_INVALID_ARGUMENT', `not an owner of images: ${quote(owner)}`, {
        hint: 'letters, digits, dots, dashes and underscores, 128 at most',
      });
    this.#path = ownFolder(root, 'leases', owner === undefined ? ownName() : `${LASTING}${owner}`);
  }

  /** Afterwards, what is there of these stays, and so does what comes. */
  async hold(digests: readonly Digest[]): Promise<void> {
    // Under the lock: not between a collector's look at the leases and its removals.
    await withLock(ownFolder(this.root), () => this.#append(digests));
  }

  async #append(digests: readonly Digest[]): Promise<void> {
    try {
      // A crash may have cut the line before.
      await appendFile(this.#path, `\n${digests.join('\n')}\n`, { flush: this.owner !== undefined });
    } catch (error) {
      throw ioError(`write ${this.#path}`, error);
    }
  }

  async release(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

/** What living processes and lasting owners hold; leases of dead processes are removed. Only under the lock. */
export async function heldDigests(root: string): Promise<Set<Digest>> {
  const held = new Set<Digest>();
  for (const name of await namesIn(ownFolder(root, 'leases'))) {
    const path = ownFolder(root, 'leases', name);
    if (!isHeld(name)) await rm(path, { force: true });
    else for (const digest of await digestsIn(path)) held.add(digest);
  }
  return held;
}

function isHeld(name: string): boolean {
  const owner = ownerOf(name);
  return name.startsWith(LASTING) || (owner !== undefined && isAlive(owner));
}

/** The lasting owners, each with what it holds. */
export async function lastingOwners(root: string): Promise<Map<string, ReadonlySet<Digest>>> {
  const found = new Map<string, ReadonlySet<Digest>>();
  for (const name of await namesIn(ownFolder(root, 'leases')))
    if (name.startsWith(LASTING))
      found.set(name.slice(LASTING.length), new Set(await digestsIn(ownFolder(root, 'leases', name))));
  return found;
}

async function digestsIn(path: string): Promise<Digest[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').filter(isDigest);
  } catch (error) {
    // Released meanwhile.
    if (isErrno(error, 'ENOENT')) return [];
    throw ioError(`read ${path}`, error);
  }
}
