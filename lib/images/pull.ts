import { NsboxError } from '../errors.js';
import { parseManifest } from '../spec/image/manifest.js';
import { isIndexType } from '../spec/image/media-types.js';
import { type Platform, parsePlatform } from '../spec/platform.js';
import { formatReference, parseReference } from '../spec/reference.js';
import { abortable } from './abort.js';
import { checkConfigDescriptor, checkSystem, readConfig } from './check.js';
import { choose } from './choose.js';
import { withSource } from './content/source.js';
import type { ContentStore } from './content/store.js';
import { type Fetch, fetchBlob, fetchBlobs, fetchTree } from './fetch.js';
import { listed } from './find.js';
import { type Image, readImage } from './image.js';
import type { OnProgress } from './progress.js';
import type { RegistryClient } from './registry/client.js';
import type { FetchedManifest } from './registry/manifest.js';
import { readKey, type TrustedKey } from './trust/key.js';
import type { Policy } from './trust/policy.js';
import { checkPolicy, checkSigned } from './trust/trust.js';

export interface PullOptions {
  readonly store: ContentStore;
  readonly client: RegistryClient;
  /** Default: this machine's, on Linux. Another system's image is only taken when it is named here. */
  readonly platform?: Platform;
  /** The images of all platforms with the index that lists them, whichever of them can run here. */
  readonly allPlatforms?: boolean;
  /** Refuse the image unless one of these public keys, in PEM, has signed it. */
  readonly keys?: readonly string[];
  /** What images must fulfil; by default, nothing. */
  readonly policy?: Policy | undefined;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Blobs at a time. Default: 4. */
  readonly concurrency?: number;
}

interface Task extends Fetch {
  readonly name: string;
  readonly platform: Platform;
  readonly trusted: readonly TrustedKey[];
  readonly policy?: Policy | undefined;
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
  const { store, signal, platform = parsePlatform(process.arch), allPlatforms = false } = options;
  const full = formatReference(reference);
  return await abortable(`pull ${full}`, signal, async () => {
    await using lease = store.lease();
    const trusted = (options.keys ?? []).map((key, index) => readKey(key, `key ${index + 1}`));
    const task = { ...options, reference, lease, platform, trusted, name: full };
    const source = await options.client.manifest(reference, { signal });
    await keepSource(task, source);
    const isKeptWhole = allPlatforms && isIndexType(source.descriptor.mediaType);
    const target = isKeptWhole ? await pullAll(task, source) : await pullOne(task, source);
    signal?.throwIfAborted();
    await store.tag(full, withSource(target.descriptor, source.descriptor.digest));
    return await readImage(store, await listed(store, target.descriptor), platform);
  });
}

// An index is kept whatever is taken of it: it is what the registry's tag names, and what a signature signs.
async function keepSource({ store, lease }: Task, { descriptor, bytes }: FetchedManifest): Promise<void> {
  await lease.hold([descriptor.digest]);
  if (isIndexType(descriptor.mediaType)) await store.putBytes(descriptor, bytes);
}

async function pullAll(task: Task, source: FetchedManifest): Promise<FetchedManifest> {
  await checkTrust(task, [source]);
  await fetchTree(task, source.descriptor);
  return source;
}

async function pullOne(task: Task, source: FetchedManifest): Promise<FetchedManifest> {
  const { store, lease, name, signal } = task;
  const chosen = await chooseManifest(task, source);
  await checkTrust(task, [source, chosen]);
  const manifest = parseManifest(chosen.bytes.toString('utf8'), `manifest of ${name}`);
  const { config, layers } = manifest;
  checkConfigDescriptor(name, config);
  await lease.hold([chosen.descriptor, config, ...layers].map(({ digest }) => digest));
  // Before the layers: it tells for which system they are, and they are what is large.
  await fetchBlob(task, config, signal);
  checkSystem(name, readConfig(name, await store.readText(config.digest), manifest), task.platform);
  await fetchBlobs(task, layers);
  await store.putBytes(chosen.descriptor, chosen.bytes);
  return chosen;
}

async function chooseManifest(task: Task, source: FetchedManifest): Promise<FetchedManifest> {
  const { client, reference, signal, name, platform } = task;
  let found = source;
  // An index may list indexes, but hardly any does.
  for (let depth = 0; isIndexType(found.descriptor.mediaType); depth += 1) {
    if (depth === 3) throw new NsboxError('ERR_INVALID_CONFIG', `${name}: an index in an index in an index`);
    const { digest, size, mediaType } = choose(name, found.bytes.toString('utf8'), platform);
    found = await client.manifest({ ...reference, digest }, { signal, size, mediaType });
  }
  return found;
}

// Before anything else of the image is looked at.
async function checkTrust(task: Task, documents: readonly FetchedManifest[]): Promise<void> {
  const { trusted, policy } = task;
  const digests = documents.map(({ descriptor: { digest } }) => digest);
  if (policy !== undefined) await checkPolicy(policy, task, digests);
  if (trusted.length > 0) await checkSigned(task, digests, trusted);
}
