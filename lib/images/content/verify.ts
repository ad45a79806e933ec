import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { type Digest, parseDigest } from '../../spec/digest.js';
import type { Descriptor } from '../../spec/image/descriptor.js';
import { blobsIn } from './blobs.js';
import { ioError, isErrno, ownFolder } from './files.js';
import { asideOf, blobPath, sizeOf } from './layout.js';
import { withLock } from './lock.js';
import { listTags } from './tags.js';
import { reachable } from './walk.js';

/** What a verification found. */
export interface Verified {
  /** How many blobs were hashed. */
  readonly checked: number;
  /** Their content was not what their names say; they have been removed, and a pull brings them anew. */
  readonly damaged: readonly Digest[];
  /** Images of which something is absent, after the removals. */
  readonly incomplete: readonly Incomplete[];
}

/** An image that is not whole. */
export interface Incomplete {
  readonly tag: string;
  readonly missing: readonly Digest[];
}

/** Hashes every blob, removes what is damaged, and tells which images are not whole. */
export async function verify(root: string, signal?: AbortSignal): Promise<Verified> {
  const suspects: Digest[] = [];
  let checked = 0;
  for await (const { digest } of blobsIn(root)) {
    signal?.throwIfAborted();
    checked += 1;
    if (!(await isIntact(blobPath(root, digest), digest, signal))) suspects.push(digest);
  }
  // Hashing takes its time; only what follows must not meet who adds and removes images.
  return await withLock(ownFolder(root), async () => {
    const damaged: Digest[] = [];
    for (const digest of suspects) if (await removeDamaged(root, digest)) damaged.push(digest);
    return { checked, damaged, incomplete: await incompleteTags(root) };
  });
}

// A pull may have replaced it by a good one meanwhile, or be about to: what is hashed again is what is removed.
async function removeDamaged(root: string, digest: Digest): Promise<boolean> {
  const place = blobPath(root, digest);
  const aside = asideOf(root);
  try {
    await rename(place, aside);
    const isGood = await isIntact(aside, digest);
    if (isGood) await rename(aside, place);
    else await rm(aside);
    return !isGood;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw ioError(`remove the damaged blob ${digest}`, error);
  }
}

async function isIntact(path: string, digest: Digest, signal?: AbortSignal): Promise<boolean> {
  const { algorithm, hex } = parseDigest(digest);
  const hash = createHash(algorithm);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      signal?.throwIfAborted();
      hash.update(chunk);
    }
  } catch (error) {
    // Collected meanwhile.
    if (isErrno(error, 'ENOENT')) return true;
    // A sector that cannot be read is damage as well.
    if (isErrno(error, 'EIO')) return false;
    throw ioError(`read blob ${digest}`, error);
  }
  return hash.digest('hex') === hex;
}

async function incompleteTags(root: string): Promise<Incomplete[]> {
  const found: Incomplete[] = [];
  for (const tag of await listTags(root)) {
    const missing = await missingOf(root, tag.descriptor);
    if (missing.length > 0) found.push({ tag: tag.name, missing });
  }
  return found;
}

/** What a document names, directly or not, that is not there, or not of the size that it is named with. */
export async function missingOf(root: string, descriptor: Descriptor): Promise<Digest[]> {
  const missing: Digest[] = [];
  for (const { digest, size } of (await reachable(root, [descriptor])).values())
    if ((await sizeOf(blobPath(root, digest))) !== size) missing.push(digest);
  return missing;
}
