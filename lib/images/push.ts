import { NsboxError } from '../errors.js';
import type { Descriptor } from '../spec/image/descriptor.js';
import { isIndexType, isManifestType } from '../spec/image/media-types.js';
import { formatReference, parseReference, type Reference } from '../spec/reference.js';
import { abortable } from './abort.js';
import type { ContentStore } from './content/store.js';
import { childrenOf } from './content/walk.js';
import { noImage } from './find.js';
import { distinct } from './image.js';
import { inParallel } from './parallel.js';
import type { OnProgress } from './progress.js';
import type { RegistryClient } from './registry/client.js';
import { isForeign } from './registry/foreign.js';

export interface PushOptions {
  readonly store: ContentStore;
  readonly client: RegistryClient;
  /** The image's name in the store. Default: the name under which it is pushed. */
  readonly source?: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Blobs at a time. Default: 4. */
  readonly concurrency?: number;
  /** A blob larger than this is sent in pieces of this size. Default: 64 MiB. */
  readonly chunkSize?: number;
}

interface Task extends PushOptions {
  readonly reference: Reference;
  readonly name: string;
  /** Repositories of the same registry from which images here have come: they may have our blobs. */
  readonly relatives: readonly string[];
}

const BLOBS_AT_A_TIME = 4;

/**
 * Sends an image from the store: what the registry has is passed over, what another of its repositories has is taken
 * over from there, and the manifest goes last, so that nobody can pull what is not whole.
 *
 * @throws {@link NsboxError} `ERR_NOT_FOUND`, `ERR_PERMISSION`, `ERR_TIMEOUT`, `ERR_IO`, `ERR_ABORTED`
 */
export async function push(name: string, options: PushOptions): Promise<Descriptor> {
  const reference = parseReference(name);
  const full = formatReference(reference);
  const source = options.source === undefined ? full : formatReference(parseReference(options.source));
  return await abortable(`push ${full}`, options.signal, async () => {
    const descriptor = await options.store.resolve(source);
    if (descriptor === undefined) throw noImage(source, options.store);
    const relatives = await relativesOf(options.store, reference);
    await pushManifest({ ...options, reference, name: full, relatives }, descriptor, reference);
    return descriptor;
  });
}

async function relativesOf(store: ContentStore, { domain, path }: Reference): Promise<string[]> {
  const prefix = `${domain}/`;
  const paths = (await store.tags())
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => parseReference(name).path);
  return [...new Set(paths)].filter((one) => one !== path).slice(0, 3);
}

async function pushManifest(task: Task, descriptor: Descriptor, target: Reference): Promise<void> {
  const { store, client, signal } = task;
  const json = await store.readText(descriptor.digest);
  const children = childrenOf(descriptor, json);
  const manifests = children.filter(({ mediaType }) => isManifestType(mediaType) || isIndexType(mediaType));
  const { domain, path } = task.reference;
  // By digest: only what the user named gets the tag.
  for (const one of manifests) await pushManifest(task, one, { domain, path, digest: one.digest });
  const blobs = children.filter((child) => !manifests.includes(child));
  // Those are not ours to give away, and the manifest says where they are.
  const own = distinct(blobs).filter((blob) => !isForeign(blob));
  await inParallel(own, task.concurrency ?? BLOBS_AT_A_TIME, signal, (blob, stop) =>
    pushBlob(task, blob, stop),
  );
  await client.putManifest(target, { descriptor, bytes: Buffer.from(json) }, { signal });
}

async function pushBlob(task: Task, blob: Descriptor, signal: AbortSignal): Promise<void> {
  const { client, reference, store, onProgress, chunkSize } = task;
  const { digest, size } = blob;
  if (await client.hasBlob(reference, digest, { signal }))
    return onProgress?.({ digest, size, done: size, status: 'exists' });
  if (await mount(task, blob, signal)) return onProgress?.({ digest, size, done: size, status: 'mounted' });
  await client.putBlob(reference, blob, (range) => store.read(digest, range), {
    signal,
    onBytes: (done) => onProgress?.({ digest, size, done, status: 'moving' }),
    ...(chunkSize !== undefined && { chunkSize }),
  });
  onProgress?.({ digest, size, done: size, status: 'done' });
}

// A registry need not say why it does not: then the blob is sent.
async function mount(task: Task, blob: Descriptor, signal: AbortSignal): Promise<boolean> {
  for (const from of task.relatives) {
    try {
      if (await task.client.mountBlob(task.reference, blob, from, { signal })) return true;
    } catch (error) {
      if (!(error instanceof NsboxError) || error.code !== 'ERR_PERMISSION') throw error;
    }
  }
  return false;
}
