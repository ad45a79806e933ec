import { readdirSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Images } from '../../../lib/images/images.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { QUICK } from './support/fixture.js';
import { startImageServer } from './support/image-server.js';
import { type MadeImage, makeImage, makeMany } from './support/images.js';
import type { Server } from './support/server.js';

const MANY = makeMany({
  'linux/amd64': makeImage({ architecture: 'amd64', files: { a: 'amd64' } }),
  'linux/arm64': makeImage({ architecture: 'arm64', files: { a: 'arm64' } }),
  'windows/amd64': makeImage({ os: 'windows', architecture: 'amd64', files: { a: 'windows' } }),
});

async function withServer(
  image: MadeImage,
  body: (images: Images, name: string, server: Server) => Promise<void>,
): Promise<void> {
  await using folder = new TemporaryDirectory();
  await using server = await startImageServer(image);
  await using images = await Images.open({ path: folder.join('store'), registries: QUICK });
  await body(images, `${server.name}/many/app:1`, server);
}

function remove(images: Images, ...digests: readonly (string | undefined)[]): void {
  for (const digest of digests) rmSync(`${images.path}/blobs/${digest?.replace(':', '/')}`);
}

describe('an image for several platforms', () => {
  test('is kept with the index that names it, of one platform', () =>
    withServer(MANY, async (images, name) => {
      const image = await images.pull(name, { platform: 'linux/arm64' });
      expect(image).toMatchObject({
        source: MANY.manifest.descriptor.digest,
        platform: { architecture: 'arm64' },
      });
      await images.prune();
      expect(await images.store.readText(image.source)).toBe(MANY.manifest.bytes.toString());
      expect((await images.get(image.source)).id).toBe(image.id);
      expect((await images.get(`${name}@${image.source}`)).id).toBe(image.id);
      // The index, and the image's three.
      expect(readdirSync(`${images.path}/blobs/sha256`)).toHaveLength(4);
      await images.remove(name);
      expect(readdirSync(`${images.path}/blobs/sha256`)).toEqual([]);
    }));

  test('is kept whole where that is asked', () =>
    withServer(MANY, async (images, name) => {
      await images.pull(name, { allPlatforms: true });
      expect(readdirSync(`${images.path}/blobs/sha256`)).toHaveLength(10);
      for (const architecture of ['amd64', 'arm64'])
        expect(await images.get(name, { os: 'linux', architecture })).toMatchObject({
          platform: { architecture },
        });
      expect(await images.verify()).toMatchObject({ checked: 10, incomplete: [] });
      await images.pull(name, { policy: 'never', platform: 'windows/amd64' });
      expect((await images.list()).map(({ names }) => names)).toEqual([[name]]);
      await images.remove(name);
      expect(readdirSync(`${images.path}/blobs/sha256`)).toEqual([]);
    }));

  test('is pulled again for another platform', () =>
    withServer(MANY, async (images, name) => {
      await images.pull(name, { platform: 'linux/arm64' });
      const other = await images.pull(name, { policy: 'missing', platform: 'linux/amd64' });
      expect(other.platform.architecture).toBe('amd64');
    }));
});

describe('damage', () => {
  test('is mended from the registry', () =>
    withServer(MANY, async (images, name) => {
      const { descriptor, manifest } = await images.pull(name);
      remove(images, descriptor.digest, manifest.layers[0]?.digest);
      expect(await images.verify()).toMatchObject({ repaired: [], incomplete: [{ tag: name }] });
      expect(await images.verify({ repair: true })).toMatchObject({ repaired: [name], incomplete: [] });
      expect(await images.verify()).toMatchObject({ damaged: [], incomplete: [] });
    }));

  test('of all platforms is mended, too', () =>
    withServer(MANY, async (images, name) => {
      await images.pull(name, { allPlatforms: true });
      const { manifest } = await images.get(name, { os: 'windows', architecture: 'amd64' });
      remove(images, MANY.manifest.descriptor.digest, manifest.config.digest);
      expect(await images.verify({ repair: true })).toMatchObject({ repaired: [name], incomplete: [] });
    }));

  test('that no registry can mend is told of, with the reason', () =>
    withServer(MANY, async (images, name, server) => {
      const { manifest } = await images.pull(name);
      await images.tag(name, '127.0.0.1:1/other:1');
      remove(images, manifest.config.digest);
      await server[Symbol.asyncDispose]();
      const { repaired, incomplete } = await images.verify({ repair: true });
      expect(repaired).toEqual([]);
      expect(incomplete).toMatchObject([
        { tag: name, missing: [manifest.config.digest], reason: { code: 'ERR_IO' } },
        { tag: '127.0.0.1:1/other:1' },
      ]);
    }));
});
