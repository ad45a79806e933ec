import { appendFile, readFile, rm } from 'node:fs/promises';
import { type Digest, isDigest } from '../../spec/digest.js';
import { ioError, isErrno, namesIn, ownFolder } from './files.js';
import { withLock } from './lock.js';
import { isAlive, ownerOf, ownName } from './owner.js';

/**
 * Keeps blobs from being collected while no tag names them yet: those of a running pull. It ends with
 * {@link Lease.release}, or with its process.
 */
export class Lease implements AsyncDisposable {
  readonly #path: string;

  constructor(private readonly root: string) {
    this.#path = ownFolder(root, 'leases', ownName());
  }

  /** Afterwards, what is there of these stays, and so does what comes. */
  async hold(digests: readonly Digest[]): Promise<void> {
    // Under the lock: not between a collector's look at the leases and its removals.
    await withLock(ownFolder(this.root), () => this.#append(digests));
  }

  async #append(digests: readonly Digest[]): Promise<void> {
    try {
      await appendFile(this.#path, digests.map((digest) => `${digest}\n`).join(''));
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

/** What living processes hold; leases of dead ones are removed. Only under the lock. */
export async function heldDigests(root: string): Promise<Set<Digest>> {
  const held = new Set<Digest>();
  for (const name of await namesIn(ownFolder(root, 'leases'))) {
    const path = ownFolder(root, 'leases', name);
    const owner = ownerOf(name);
    if (owner === undefined || !isAlive(owner)) await rm(path, { force: true });
    else for (const digest of await digestsIn(path)) held.add(digest);
  }
  return held;
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
