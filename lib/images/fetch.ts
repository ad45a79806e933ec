import { NsboxError } from '../errors.js';
import type { Descriptor } from '../spec/image/descriptor.js';
import { isIndexType, isManifestType } from '../spec/image/media-types.js';
import type { Reference } from '../spec/reference.js';
import type { Lease } from './content/lease.js';
import type { ContentStore } from './content/store.js';
import { childrenOf } from './content/walk.js';
import { distinct } from './image.js';
import { inParallel } from './parallel.js';
import type { OnProgress } from './progress.js';
import type { RegistryClient } from './registry/client.js';

/** What brings the parts of an image from a repository into the store. */
export interface Fetch {
  readonly store: ContentStore;
  readonly client: RegistryClient;
  /** Whose repository the parts come from. */
  readonly reference: Reference;
  readonly lease: Lease;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Blobs at a time. Default: 4. */
  readonly concurrency?: number | undefined;
}

const BLOBS_AT_A_TIME = 4;
/** An index lists images, seldom indexes of images. */
const DEEPEST = 3;

/** Fetches what is missing of these blobs, several at a time. */
export async function fetchBlobs(task: Fetch, blobs: readonly Descriptor[]): Promise<void> {
  const limit = task.concurrency ?? BLOBS_AT_A_TIME;
  await inParallel(distinct(blobs), limit, task.signal, (blob, stop) => fetchBlob(task, blob, stop));
}

/** Fetches a blob, unless it is there. */
export async function fetchBlob(
  { store, client, reference, onProgress }: Fetch,
  blob: Descriptor,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { digest, size } = blob;
  if (await store.has(blob)) return onProgress?.({ digest, size, done: size, status: 'exists' });
  await store.put(blob, (offset) => client.blob(reference, blob, { offset, signal }), {
    signal,
    onBytes: (done) => onProgress?.({ digest, size, done, status: 'moving' }),
  });
  onProgress?.({ digest, size, done: size, status: 'done' });
}

/** A manifest or index by its digest: the store's, else the registry's, which the store has afterwards. */
export async function fetchDocument(task: Fetch, descriptor: Descriptor): Promise<string> {
  const { store, client, reference, lease, signal } = task;
  const { digest, size, mediaType } = descriptor;
  await lease.hold([digest]);
  if (await store.has(descriptor)) return await store.readText(digest);
  const { domain, path } = reference;
  const { bytes } = await client.manifest({ domain, path, digest }, { signal, size, mediaType });
  await store.putBytes(descriptor, bytes);
  return bytes.toString('utf8');
}

/** Fetches a manifest with all that it names, or an index with the images of all platforms. */
export async function fetchTree(task: Fetch, root: Descriptor): Promise<void> {
  let level: readonly Descriptor[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST)
      throw new NsboxError('ERR_INVALID_CONFIG', `indexes lie ${DEEPEST} deep in each other`);
    const blobs: Descriptor[] = [];
    const next: Descriptor[] = [];
    for (const descriptor of distinct(level)) {
      const children = childrenOf(descriptor, await fetchDocument(task, descriptor));
      for (const child of children) (isDocument(child) ? next : blobs).push(child);
    }
    await task.lease.hold(blobs.map(({ digest }) => digest));
    await fetchBlobs(task, blobs);
    level = next;
  }
}

function isDocument({ mediaType }: Descriptor): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}
