import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { ContentStore } from '../../lib/images/content/store.js';
import type { ImageExecution } from '../../lib/spec/image/config.js';
import { blobOf, type MadeImage, putImage, sha256 } from '../lib/images/support/images.js';
import { TemporaryDirectory } from './temporary.js';
import { testinit } from './testinit.js';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export interface ImageRecipe {
  readonly layers: readonly Buffer[];
  readonly config?: ImageExecution;
  readonly architecture?: string;
  /** In place of the layers' own. */
  readonly diffIds?: readonly string[];
}

/** A layer: the tar of what is made in a directory. */
export async function layerOf(make: (folder: TemporaryDirectory) => void): Promise<Buffer> {
  await using folder = new TemporaryDirectory();
  chmodSync(folder.path, 0o755);
  make(folder);
  const options = [
    '--numeric-owner',
    '--owner=0',
    '--group=0',
    '--sort=name',
    '--mtime=@1000',
    '-C',
    folder.path,
  ];
  return execFileSync('tar', [...options, '-cf', '-', '.'], { maxBuffer: 2 ** 28 });
}

/** The lowest layer of images that are to run: `/testinit`. */
export function layerWithTestinit(): Promise<Buffer> {
  return layerOf((folder) => copyFileSync(testinit(), folder.join('testinit')));
}

export function imageOf({ layers, config = {}, architecture, diffIds }: ImageRecipe): MadeImage {
  const blobs = layers.map((tar) => blobOf(LAYER, gzipSync(tar, { level: 1 })));
  const document = blobOf(
    CONFIG,
    JSON.stringify({
      os: 'linux',
      architecture: architecture ?? (process.arch === 'arm64' ? 'arm64' : 'amd64'),
      config,
      rootfs: { type: 'layers', diff_ids: diffIds ?? layers.map(sha256) },
    }),
  );
  const manifest = blobOf(
    MANIFEST,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: document.descriptor,
      layers: blobs.map(({ descriptor }) => descriptor),
    }),
  );
  return { blobs: [document, ...blobs, manifest], manifest };
}

/** Puts an image into the store of the tests. */
export async function storeImage(name: string, recipe: ImageRecipe): Promise<void> {
  await putImage(await ContentStore.open(), name, imageOf(recipe));
}
