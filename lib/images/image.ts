import { NsboxError } from '../errors.js';
import type { Digest } from '../spec/digest.js';
import type { ImageConfig } from '../spec/image/config.js';
import type { Descriptor } from '../spec/image/descriptor.js';
import { type ImageManifest, parseManifest } from '../spec/image/manifest.js';
import { isIndexType } from '../spec/image/media-types.js';
import { normalizePlatform, type Platform, parsePlatform } from '../spec/platform.js';
import { readConfig } from './check.js';
import { choose } from './choose.js';
import { sourceOf } from './content/source.js';
import type { ContentStore } from './content/store.js';

/** An image of the store, as it was when it was looked at. */
export interface Image {
  /** The digest of its configuration: what `docker images` shows as the image's ID. */
  readonly id: Digest;
  /** In full, `docker.io/library/node:24`; none where the last one has been given to another image. */
  readonly names: readonly string[];
  /** What the registry's tag named: of the index where there was one, else of the manifest. */
  readonly source: Digest;
  /** Of the manifest. */
  readonly descriptor: Descriptor;
  /** What the names name: the manifest, or the index of an image that is kept for several platforms. */
  readonly target: Descriptor;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  readonly platform: Platform;
  /** Of all that it consists of, compressed as it is, in bytes. */
  readonly size: number;
}

/** What the store lists under one digest. */
export interface ListedImage {
  readonly names: readonly string[];
  readonly descriptor: Descriptor;
}

/**
 * Reads an image's documents; of an index, those of the platform's image.
 *
 * @param platform - default: this machine's, on Linux
 * @throws {@link NsboxError} `ERR_NOT_FOUND` where one of them is absent, `ERR_INVALID_CONFIG` for what is no image
 */
export async function readImage(
  store: ContentStore,
  { names, descriptor }: ListedImage,
  platform: Platform = parsePlatform(process.arch),
): Promise<Image> {
  const what = names[0] ?? descriptor.digest;
  const chosen = await chooseStored(store, what, descriptor, platform);
  const manifest = parseManifest(await store.readText(chosen.digest), `manifest of ${what}`);
  const config = readConfig(what, await store.readText(manifest.config.digest), manifest);
  return {
    id: manifest.config.digest,
    names,
    source: sourceOf(descriptor),
    descriptor: chosen,
    target: descriptor,
    manifest,
    config,
    platform: platformOf(config),
    size: [chosen, manifest.config, ...distinct(manifest.layers)].reduce((sum, { size }) => sum + size, 0),
  };
}

async function chooseStored(
  store: ContentStore,
  what: string,
  descriptor: Descriptor,
  platform: Platform,
): Promise<Descriptor> {
  let found = descriptor;
  for (let depth = 0; isIndexType(found.mediaType); depth += 1) {
    if (depth === 3) throw new NsboxError('ERR_INVALID_CONFIG', `${what}: an index in an index in an index`);
    found = choose(what, await store.readText(found.digest), platform);
  }
  return found;
}

function platformOf({ os, architecture, variant }: ImageConfig): Platform {
  return normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

/** Each blob once: an image may have one layer twice. */
export function distinct(blobs: readonly Descriptor[]): Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

/** All blobs of an image, its documents first. */
export function blobsOf({ target, descriptor, manifest }: Image): Descriptor[] {
  return distinct([target, descriptor, manifest.config, ...manifest.layers]);
}

/** Whether all of an image is in the store; of each blob its size is looked at, not its content. */
export async function isWhole(store: ContentStore, image: Image): Promise<boolean> {
  for (const blob of blobsOf(image)) if (!(await store.has(blob))) return false;
  return true;
}
