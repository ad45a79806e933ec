import { createHash } from 'node:crypto';
import { NsboxError } from '../../errors.js';
import type { Digest } from '../../spec/digest.js';
import type { ImageConfig, ImageExecution } from '../../spec/image/config.js';
import { MEDIA_TYPES } from '../../spec/image/media-types.js';
import { type Platform, parsePlatform } from '../../spec/platform.js';
import { formatReference, parseReference } from '../../spec/reference.js';
import { abortable } from '../abort.js';
import { readConfig } from '../check.js';
import type { Lease } from '../content/lease.js';
import type { ContentStore } from '../content/store.js';
import { listed } from '../find.js';
import { type Image, readImage } from '../image.js';
import { compressionOf, decompressed } from './compression.js';
import { putManifest } from './docker.js';
import { refuse } from './refuse.js';
import { readTar } from './tar-reader.js';

export interface ImportOptions {
  /** Names for the image; without one it is known by its ID. */
  readonly names?: readonly string[];
  /** How containers of it run. */
  readonly config?: ImageExecution;
  /** Default: this machine's. */
  readonly platform?: Platform;
  readonly comment?: string;
  /** Default: now, or `SOURCE_DATE_EPOCH` of the environment. */
  readonly created?: Date;
  readonly signal?: AbortSignal;
}

const TYPES = { none: MEDIA_TYPES.layer, gzip: MEDIA_TYPES.layerGzip, zstd: MEDIA_TYPES.layerZstd } as const;

/**
 * Makes an image of one layer of the tar archive of a root, as a stream, compressed or not, which is kept as it is.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG` for what is no archive, `ERR_WRONG_CONTENT`, `ERR_NO_SPACE`, `ERR_IO`
 */
export async function importImage(
  store: ContentStore,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<Image> {
  const { names = [], platform = parsePlatform(process.arch), signal } = options;
  const full = names.map((name) => formatReference(parseReference(name)));
  return await abortable('import', signal, async () => {
    await using lease = store.lease();
    const { digest, size, head } = await store.spool(lease, source, { signal });
    const config = await putConfig(
      store,
      lease,
      makeConfig(await diffIdOf(store, digest), platform, options),
    );
    const mediaType = TYPES[compressionOf(head)];
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      config,
      layers: [{ mediaType, digest, size }],
    };
    readConfig('the image', await store.readText(config.digest), manifest);
    const descriptor = await putManifest(store, lease, manifest);
    for (const name of full.length === 0 ? [undefined] : full) await store.tag(name, descriptor);
    return await readImage(store, await listed(store, descriptor), platform);
  });
}

// Reads it once more, because only what is whole can be told to be an archive.
async function diffIdOf(store: ContentStore, digest: Digest): Promise<Digest> {
  const hash = createHash('sha256');
  await checkArchive(decompressed(await store.read(digest)));
  for await (const chunk of decompressed(await store.read(digest))) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

async function checkArchive(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of readTar(bytes)) return;
  throw refuse('it is empty');
}

function makeConfig(
  diffId: Digest,
  { os, architecture, variant }: Platform,
  { config = {}, comment = 'imported', created = dateOf(process.env.SOURCE_DATE_EPOCH) }: ImportOptions,
): ImageConfig {
  const time = created.toISOString();
  return {
    created: time,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    os,
    config,
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: time, comment, created_by: 'nsbox import' }],
  };
}

function dateOf(epoch: string | undefined): Date {
  if (epoch === undefined || epoch === '') return new Date();
  if (/^\d{1,11}$/.test(epoch)) return new Date(Number(epoch) * 1000);
  throw new NsboxError(
    'ERR_INVALID_ARGUMENT',
    `SOURCE_DATE_EPOCH is no number of seconds: ${JSON.stringify(epoch)}`,
  );
}

async function putConfig(
  store: ContentStore,
  lease: Lease,
  config: ImageConfig,
): Promise<{ readonly mediaType: string; readonly digest: Digest; readonly size: number }> {
  const bytes = Buffer.from(JSON.stringify(config));
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  await lease.hold([digest]);
  await store.putBytes({ digest, size: bytes.length }, bytes);
  return { mediaType: MEDIA_TYPES.config, digest, size: bytes.length };
}
