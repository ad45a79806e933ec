import { createHash } from 'node:crypto';
import { NsboxError } from '../../errors.js';
import { nonEmpty, strings } from '../../spec/checks.js';
import type { Descriptor } from '../../spec/image/descriptor.js';
import type { ImageManifest } from '../../spec/image/manifest.js';
import { MEDIA_TYPES } from '../../spec/image/media-types.js';
import { formatReference, parseReference } from '../../spec/reference.js';
import { array, type Check, nullable, object, parse } from '../../spec/validate.js';
import { readConfig } from '../check.js';
import type { Lease } from '../content/lease.js';
import type { Spooled } from '../content/spool.js';
import type { ContentStore } from '../content/store.js';
import { compressionOf } from './compression.js';
import type { Contents } from './contents.js';

/** An entry of the file `manifest.json` in what `docker save` makes. */
export interface DockerEntry {
  readonly Config: string;
  readonly RepoTags?: readonly string[];
  readonly Layers: readonly string[];
}

export const checkDockerManifest: Check<readonly DockerEntry[]> = array(
  object<DockerEntry>({ Config: nonEmpty, Layers: strings }, { RepoTags: nullable(strings) }),
  1,
);

/** An image that an archive has brought, and what it is called there. */
export interface ArchivedImage {
  readonly names: readonly string[];
  readonly descriptor: Descriptor;
}

const TYPES = { none: MEDIA_TYPES.layer, gzip: MEDIA_TYPES.layerGzip, zstd: MEDIA_TYPES.layerZstd } as const;

/** The images of a `manifest.json`: their layers stay as they are, and get a manifest of OCI's. */
export async function readDocker(
  store: ContentStore,
  lease: Lease,
  contents: Contents,
  json: string,
): Promise<ArchivedImage[]> {
  const found: ArchivedImage[] = [];
  for (const entry of parse(checkDockerManifest, json, 'manifest.json')) {
    const names = (entry.RepoTags ?? []).map((name) => formatReference(parseReference(name)));
    found.push({ names, descriptor: await makeManifest(store, lease, contents, entry) });
  }
  return found;
}

async function makeManifest(
  store: ContentStore,
  lease: Lease,
  contents: Contents,
  { Config, Layers }: DockerEntry,
): Promise<Descriptor> {
  const { digest, size } = contents.file(Config);
  const layers = Layers.map((name) => contents.file(name));
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.config, digest, size },
    layers: layers.map((layer) => ({
      mediaType: TYPES[compressionOf(layer.head)],
      digest: layer.digest,
      size: layer.size,
    })),
  };
  const config = readConfig(Config, await store.readText(digest), manifest);
  for (const [index, layer] of layers.entries()) checkDiffId(layer, config.rootfs.diff_ids[index]);
  return await putManifest(store, lease, manifest);
}

// Of a compressed layer it can only be told when it is unpacked.
function checkDiffId({ head, digest }: Spooled, diffId: string | undefined): void {
  if (compressionOf(head) !== 'none' || digest === diffId) return;
  throw new NsboxError('ERR_WRONG_CONTENT', `a layer of the archive is ${digest}, but should be ${diffId}`, {
    hint: 'the archive is damaged: get it anew',
  });
}

/** Stores a manifest made here, and holds it. */
export async function putManifest(
  store: ContentStore,
  lease: Lease,
  manifest: ImageManifest,
): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const hex = createHash('sha256').update(bytes).digest('hex');
  const descriptor: Descriptor = {
    mediaType: MEDIA_TYPES.manifest,
    digest: `sha256:${hex}`,
    size: bytes.length,
  };
  await lease.hold([descriptor.digest]);
  await store.putBytes(descriptor, bytes);
  return descriptor;
}
