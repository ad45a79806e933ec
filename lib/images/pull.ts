import { NsboxError } from '../errors.js';
import type { Digest } from '../spec/digest.js';
import { type ImageConfig, parseImageConfig } from '../spec/image/config.js';
import type { Descriptor } from '../spec/image/descriptor.js';
import { type ImageManifest, parseManifest } from '../spec/image/manifest.js';
import { isIndexType } from '../spec/image/media-types.js';
import { formatPlatform, type Platform, parsePlatform, selectPlatform } from '../spec/platform.js';
import { formatReference, parseReference, type Reference } from '../spec/reference.js';
import { abortable } from './abort.js';
import { choose } from './choose.js';
import type { ContentStore } from './content/store.js';
import { listed } from './find.js';
import { distinct, type Image, readImage } from './image.js';
import { inParallel } from './parallel.js';
import type { OnProgress } from './progress.js';
import type { RegistryClient } from './registry/client.js';
import type { FetchedManifest } from './registry/manifest.js';
import { withSource } from './source.js';

export interface PullOptions {
  readonly store: ContentStore;
  readonly client: RegistryClient;
  /** Default: this machine's, on Linux. Another system's image is only taken when it is named here. */
  readonly platform?: Platform;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Blobs at a time. Default: 4. */
  readonly concurrency?: number;
}

/** A configuration is a document. */
const LARGEST_CONFIG = 4 * 1024 * 1024;
const BLOBS_AT_A_TIME = 4;

interface Task extends PullOptions {
  readonly reference: Reference;
  readonly name: string;
}

/**
 * Brings an image into the store: chooses that of the platform, fetches what is missing, verifies all of it, and at last
 * gives it its tag. Whenever this stops, nothing half-made can be seen, and the next pull goes on there.
 *
 * @throws {@link NsboxError} `ERR_NOT_FOUND`, `ERR_PERMISSION`, `ERR_TIMEOUT`, `ERR_WRONG_CONTENT`, `ERR_NO_SPACE`,
 * `ERR_IO`, `ERR_INVALID_CONFIG`, `ERR_ABORTED`
 */
export async function pull(name: string, options: PullOptions): Promise<Image> {
  const reference = parseReference(name);
  const task = { ...options, reference, name: formatReference(reference) };
  return await abortable(`pull ${task.name}`, options.signal, () => pullImage(task));
}

async function pullImage(task: Task): Promise<Image> {
  const { store, client, reference, name, signal } = task;
  const source = await client.manifest(reference, { signal });
  const chosen = await chooseManifest(task, source);
  const manifest = parseManifest(chosen.bytes.toString('utf8'), `manifest of ${name}`);
  await using lease = store.lease();
  await lease.hold([chosen.descriptor.digest, ...digestsOf(manifest)]);
  await pullConfig(task, manifest, chosen);
  await inParallel(distinct(manifest.layers), task.concurrency ?? BLOBS_AT_A_TIME, signal, (layer, stop) =>
    pullBlob(task, layer, stop),
  );
  await store.putBytes(chosen.descriptor, chosen.bytes);
  const descriptor = withSource(chosen.descriptor, source.descriptor.digest);
  signal?.throwIfAborted();
  await store.tag(name, descriptor);
  return await readImage(store, await listed(store, descriptor), wanted(task));
}

async function chooseManifest(task: Task, source: FetchedManifest): Promise<FetchedManifest> {
  const { client, reference, signal, name } = task;
  let found = source;
  // An index may list indexes, but hardly any does.
  for (let depth = 0; isIndexType(found.descriptor.mediaType); depth += 1) {
    if (depth === 3) throw new NsboxError('ERR_INVALID_CONFIG', `${name}: an index in an index in an index`);
    const { digest, size } = choose(name, found.bytes.toString('utf8'), wanted(task));
    found = await client.manifest({ ...reference, digest }, { signal, size });
  }
  return found;
}

function wanted({ platform }: PullOptions): Platform {
  return platform ?? parsePlatform(process.arch);
}

function digestsOf({ config, layers }: ImageManifest): Digest[] {
  return [config, ...layers].map(({ digest }) => digest);
}

// Before the layers: it tells for which system they are, and they are what is large.
async function pullConfig(
  task: Task,
  { config, layers }: ImageManifest,
  { descriptor }: FetchedManifest,
): Promise<void> {
  const { store, name, signal } = task;
  if (config.size > LARGEST_CONFIG)
    throw new NsboxError('ERR_INVALID_CONFIG', `${name}: its configuration has ${config.size} bytes`);
  if (!/\.(?:container\.image|image\.config)\.v1\+json$/.test(config.mediaType))
    throw new NsboxError('ERR_INVALID_CONFIG', `${name} is no image, but ${config.mediaType}`, {
      hint: 'it is an artifact of another kind, which cannot be run',
    });
  await pullBlob(task, config, signal);
  const found = parseImageConfig(await store.readText(config.digest), `configuration of ${name}`);
  checkSystem(task, found);
  if (found.rootfs.diff_ids.length !== layers.length)
    throw new NsboxError(
      'ERR_INVALID_CONFIG',
      `${name}: manifest ${descriptor.digest} has ${layers.length} layers, its configuration ${found.rootfs.diff_ids.length}`,
    );
}

// An index has been chosen from; an image without one is only now known to be another machine's.
function checkSystem(task: Task, { os, architecture }: ImageConfig): void {
  const { os: wantedOs, architecture: wantedArchitecture } = wanted(task);
  // Old and minimal images do not tell.
  const isMeant = os === '' || architecture === '';
  const offered = { platform: { os, architecture } };
  const asked = { os: wantedOs, architecture: wantedArchitecture };
  if (isMeant || selectPlatform([offered], asked) !== undefined) return;
  throw new NsboxError('ERR_INVALID_CONFIG', `${task.name} is for ${formatPlatform(offered.platform)}`, {
    hint: `it cannot run on ${formatPlatform(asked)}; to have it all the same, ask for its platform`,
  });
}

async function pullBlob(task: Task, blob: Descriptor, signal: AbortSignal | undefined): Promise<void> {
  const { store, client, reference, onProgress } = task;
  const { digest, size } = blob;
  if (await store.has(blob)) return onProgress?.({ digest, size, done: size, status: 'exists' });
  await store.put(blob, (offset) => client.blob(reference, blob, { offset, signal }), {
    signal,
    onBytes: (done) => onProgress?.({ digest, size, done, status: 'moving' }),
  });
  onProgress?.({ digest, size, done: size, status: 'done' });
}
