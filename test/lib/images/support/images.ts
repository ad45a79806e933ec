import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ContentStore } from '../../../../lib/images/content/store.js';
import type { Digest } from '../../../../lib/spec/digest.js';
import type { Descriptor } from '../../../../lib/spec/image/descriptor.js';
import { MEDIA_TYPES } from '../../../../lib/spec/image/media-types.js';

export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/** An image made here: its blobs, the manifest last. */
export interface MadeImage {
  readonly blobs: readonly Blob[];
  readonly manifest: Blob;
}

export function sha256(bytes: string | Buffer): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function blobOf(mediaType: string, content: string | Buffer, algorithm = 'sha256'): Blob {
  const bytes = Buffer.from(content);
  const digest: Digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

export interface Recipe {
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly os?: string;
  readonly architecture?: string;
  readonly docker?: boolean;
  readonly diffIds?: readonly string[];
}

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** An image of one layer for each file. */
export function makeImage({
  files = { hello: 'hello\n' },
  docker = false,
  ...recipe
}: Recipe = {}): MadeImage {
  const tars = Object.entries(files).map(([name, content]) => tar(name, Buffer.from(content)));
  const layerType = docker ? MEDIA_TYPES.dockerLayerGzip : MEDIA_TYPES.layerGzip;
  const layers = tars.map((bytes) => blobOf(layerType, gzipSync(bytes, { level: 1 })));
  const config = blobOf(
    docker ? MEDIA_TYPES.dockerConfig : MEDIA_TYPES.config,
    JSON.stringify({
      os: recipe.os ?? 'linux',
      architecture: recipe.architecture ?? ARCHITECTURE,
      config: { Cmd: ['/hello'] },
      rootfs: { type: 'layers', diff_ids: recipe.diffIds ?? tars.map(sha256) },
    }),
  );
  const mediaType = docker ? MEDIA_TYPES.dockerManifest : MEDIA_TYPES.manifest;
  const document = {
    schemaVersion: 2,
    mediaType,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  const manifest = blobOf(mediaType, JSON.stringify(document));
  return { blobs: [config, ...layers, manifest], manifest };
}

/** An index with the images that it lists. */
export function makeMany(images: Readonly<Record<string, MadeImage>>): MadeImage {
  const manifest = makeIndex(images);
  return { blobs: [...Object.values(images).flatMap(({ blobs }) => blobs), manifest], manifest };
}

/** An index of images, each for its platform. */
export function makeIndex(images: Readonly<Record<string, MadeImage>>): Blob {
  const manifests = Object.entries(images).map(([platform, { manifest }]) => {
    const [os = '', architecture = ''] = platform.split('/');
    return { ...manifest.descriptor, platform: { os, architecture } };
  });
  return blobOf(
    MEDIA_TYPES.index,
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests }),
  );
}

export async function putImage(store: ContentStore, name: string, image: MadeImage): Promise<void> {
  for (const { descriptor, bytes } of image.blobs) await store.putBytes(descriptor, bytes);
  await store.tag(name, image.manifest.descriptor);
}

/** A ustar archive of one file. */
function tar(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc(((512 - (content.length % 512)) % 512) + 1024)]);
}
