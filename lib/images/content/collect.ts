import { rm, stat } from 'node:fs/promises';
import type { Digest } from '../../spec/digest.js';
import { blobsIn } from './blobs.js';
import { ioError, isErrno, namesIn, ownFolder } from './files.js';
import { isAbandoned } from './ingest.js';
import { blobPath, readIndex } from './layout.js';
import { heldDigests } from './lease.js';
import { withLock } from './lock.js';
import { sourceOf } from './source.js';
import { reachable } from './walk.js';

/** A pull that was cut goes on where it stopped, if it is tried again before this. */
const PARTIAL_KEPT_MS = 24 * 3600 * 1000;

/** What a collection has removed. */
export interface Collected {
  readonly blobs: readonly Digest[];
  /** In bytes. */
  readonly freed: number;
}

export interface CollectOptions {
  /** Also what pulls that were given up have left, at once. */
  readonly partials?: boolean;
}

/** Removes the blobs that no tag names and no running pull holds, and what dead writers have left. */
export async function collect(root: string, { partials = false }: CollectOptions = {}): Promise<Collected> {
  return await withLock(ownFolder(root), async () => {
    const roots = (await readIndex(root)).manifests;
    const kept = new Set((await reachable(root, roots)).keys());
    for (const one of roots) kept.add(sourceOf(one));
    for (const digest of await heldDigests(root)) kept.add(digest);
    const collected = await sweep(root, kept);
    await removeAbandoned(root, partials ? Number.NEGATIVE_INFINITY : PARTIAL_KEPT_MS);
    return collected;
  });
}

async function sweep(root: string, kept: ReadonlySet<Digest>): Promise<Collected> {
  const blobs: Digest[] = [];
  let freed = 0;
  for await (const { digest, size } of blobsIn(root)) {
    if (kept.has(digest)) continue;
    await rm(blobPath(root, digest), { force: true });
    blobs.push(digest);
    freed += size;
  }
  return { blobs, freed };
}

async function removeAbandoned(root: string, keptMs: number): Promise<void> {
  for (const name of await namesIn(ownFolder(root, 'ingest'))) {
    if (!isAbandoned(name)) continue;
    const path = ownFolder(root, 'ingest', name);
    const isDocument = name.startsWith('file.');
    if (isDocument || (await ageOf(path)) >= keptMs) await rm(path, { force: true });
  }
  for (const name of await namesIn(ownFolder(root)))
    if (name.startsWith('claim-') && isAbandoned(name.replace('-', '.')))
      await rm(ownFolder(root, name), { force: true });
}

async function ageOf(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    // Taken over by a pull.
    if (isErrno(error, 'ENOENT')) return 0;
    throw ioError(`look at ${path}`, error);
  }
}
