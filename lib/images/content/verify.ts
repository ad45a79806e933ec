import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type Digest, parseDigest } from '../../spec/digest.js';
import { blobsIn } from './blobs.js';
import { ioError, isErrno } from './files.js';
import { blobPath, sizeOf } from './layout.js';
import { listTags, type Tag } from './tags.js';
import { reachable } from './walk.js';

/** What a verification found. */
export interface Verified {
  /** How many blobs were hashed. */
  readonly checked: number;
  /** Their content was not what their names say; they have been removed, and a pull brings them anew. */
  readonly damaged: readonly Digest[];
  /** Images of which something is absent, after the removals. */
  readonly incomplete: readonly { readonly tag: string; readonly missing: readonly Digest[] }[];
}

/** Hashes every blob, removes what is damaged, and tells which images are not whole. */
export async function verify(root: string, signal?: AbortSignal): Promise<Verified> {
  const damaged: Digest[] = [];
  let checked = 0;
  for await (const { digest } of blobsIn(root)) {
    signal?.throwIfAborted();
    checked += 1;
    if (await isIntact(root, digest, signal)) continue;
    await rm(blobPath(root, digest), { force: true });
    damaged.push(digest);
  }
  return { checked, damaged, incomplete: await incompleteTags(root) };
}

async function isIntact(root: string, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
  const { algorithm, hex } = parseDigest(digest);
  const hash = createHash(algorithm);
  try {
    for await (const chunk of createReadStream(blobPath(root, digest), { highWaterMark: 1 << 20 })) {
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

async function incompleteTags(root: string): Promise<Verified['incomplete']> {
  const found: { tag: string; missing: Digest[] }[] = [];
  for (const tag of await listTags(root)) {
    const missing = await missingOf(root, tag);
    if (missing.length > 0) found.push({ tag: tag.name, missing });
  }
  return found;
}

/** What a tag names, directly or not, that is not there, or not of the size that it is named with. */
async function missingOf(root: string, { descriptor }: Tag): Promise<Digest[]> {
  const missing: Digest[] = [];
  for (const { digest, size } of (await reachable(root, [descriptor])).values())
    if ((await sizeOf(blobPath(root, digest))) !== size) missing.push(digest);
  return missing;
}
