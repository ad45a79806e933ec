import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Image } from '../../../lib/images/image.js';
import { Images } from '../../../lib/images/images.js';
import type { BlobProgress } from '../../../lib/images/progress.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { QUICK } from './support/fixture.js';
import { startImageServer } from './support/image-server.js';
import { makeImage, putImage, sha256 } from './support/images.js';

const ALPHA = 'docker.io/library/alpha:1';
const BETA = 'docker.io/library/beta:1';

/** A store of images made here. */
async function withImages(
  names: readonly string[],
  body: (images: Images, folder: TemporaryDirectory) => Promise<void>,
): Promise<void> {
  await using folder = new TemporaryDirectory();
  await using images = await Images.open({ path: folder.join('store'), registries: QUICK });
  for (const name of names) await putImage(images.store, name, makeImage({ files: { name } }));
  await body(images, folder);
}

function blobFiles(images: Images): string[] {
  return readdirSync(`${images.path}/blobs/sha256`);
}

const shortId = ({ id }: Image): string => id.slice('sha256:'.length, 'sha256:'.length + 12);

describe('the images of a store', () => {
  test('are found by name, ID, the beginning of it, and digest', () =>
    withImages([ALPHA, BETA], async (images) => {
      const alpha = await images.get('alpha:1');
      expect(alpha).toMatchObject({ names: [ALPHA], platform: { os: 'linux' } });
      const { id, descriptor } = alpha;
      for (const wanted of [
        ALPHA,
        id,
        id.slice(7),
        shortId(alpha),
        descriptor.digest,
        `alpha@${descriptor.digest}`,
      ])
        expect((await images.get(wanted)).id).toBe(id);
      expect((await images.list()).map(({ names }) => names)).toEqual([[ALPHA], [BETA]]);
    }));

  test.each([
    ['alpha', 'ERR_NOT_FOUND'],
    ['alpha:2', 'ERR_NOT_FOUND'],
    [`beta@sha256:${'0'.repeat(64)}`, 'ERR_NOT_FOUND'],
    [`sha256:${'0'.repeat(64)}`, 'ERR_NOT_FOUND'],
    ['Alpha', 'ERR_INVALID_ARGUMENT'],
    ['', 'ERR_INVALID_ARGUMENT'],
    ['../x', 'ERR_INVALID_ARGUMENT'],
  ])('that are not there, as %j, are said to be so', (wanted, code) =>
    withImages([ALPHA, BETA], async (images) => {
      await expect(images.get(wanted)).rejects.toMatchObject({ code });
      await expect(images.remove(wanted)).rejects.toMatchObject({ code });
    }),
  );

  test('of which several begin alike are not chosen from', () =>
    withImages([], async (images) => {
      // More than the sixteen digits there are.
      for (let index = 0; index < 17; index += 1)
        await putImage(images.store, `docker.io/library/n:${index}`, makeImage({ files: { a: `${index}` } }));
      const firsts = (await images.list()).map(({ id }) => id.charAt(7));
      const twice = firsts.find((digit, index) => firsts.indexOf(digit) !== index) ?? '';
      await expect(images.get(twice)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    }));

  test('get further names, and go with their last one', () =>
    withImages([ALPHA], async (images) => {
      await images.tag('alpha:1', 'gamma');
      const { id } = await images.get('gamma');
      await expect(images.remove(id)).rejects.toMatchObject({ code: 'ERR_IN_USE' });
      expect(await images.remove('alpha:1')).toEqual({ names: [ALPHA], blobs: [], freed: 0 });
      const { names, blobs } = await images.untag('gamma');
      expect(names).toEqual(['docker.io/library/gamma:latest']);
      expect(blobs).toHaveLength(3);
      expect(blobFiles(images)).toEqual([]);
    }));

  test('go with all their names by force', () =>
    withImages([ALPHA, BETA], async (images) => {
      await images.tag('alpha:1', 'gamma');
      const { id } = await images.get('gamma');
      expect((await images.remove(id, { force: true })).names).toHaveLength(2);
      expect((await images.list()).map(({ names }) => names)).toEqual([[BETA]]);
    }));

  test('whose name was given to another stay, until they are pruned', () =>
    withImages([ALPHA, BETA], async (images) => {
      const { id } = await images.get('alpha:1');
      await images.tag('beta:1', 'alpha:1');
      expect((await images.get(id)).names).toEqual([]);
      expect((await images.prune()).blobs).toHaveLength(3);
      expect(await images.find(id)).toBeUndefined();
      await images.tag('beta:1', 'beta:1');
      expect((await images.prune({ all: true })).names).toHaveLength(2);
      expect(blobFiles(images)).toEqual([]);
    }));

  test('tell how they were made', () =>
    withImages([ALPHA], async (images) => {
      const { manifest, config } = await images.get('alpha:1');
      expect(await images.history('alpha:1')).toEqual([
        { layer: manifest.layers[0], diffId: config.rootfs.diff_ids[0] },
      ]);
    }));

  test('that are damaged can be removed, and do not hide the others', () =>
    withImages([ALPHA, BETA], async (images) => {
      const { manifest } = await images.get('alpha:1');
      rmSync(`${images.path}/blobs/${manifest.config.digest.replace(':', '/')}`);
      expect((await images.list()).map(({ names }) => names)).toEqual([[BETA]]);
      await expect(images.get('alpha:1')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      expect((await images.remove('alpha:1')).names).toEqual([ALPHA]);
    }));
});

describe('an image that a container holds', () => {
  test('stays, and is named as used', () =>
    withImages([ALPHA], async (images) => {
      const image = await images.get('alpha:1');
      await images.hold(image, 'box-1');
      await expect(images.remove('alpha:1')).rejects.toMatchObject({
        code: 'ERR_IN_USE',
        message: expect.stringContaining('box-1'),
      });
      expect((await images.prune({ all: true })).names).toEqual([]);
      expect(await images.remove('alpha:1', { force: true })).toEqual({
        names: [ALPHA],
        blobs: [],
        freed: 0,
      });
      const [layer] = image.manifest.layers;
      await using file = await images.openBlob(layer?.digest ?? 'sha256:none');
      expect(sha256(await file.readFile())).toBe(layer?.digest);
      await images.release('box-1');
      expect((await images.prune()).blobs).toHaveLength(3);
    }));

  test('stays for as long as the process uses it', () =>
    withImages([ALPHA], async (images) => {
      const lease = await images.hold(await images.get('alpha:1'));
      expect((await images.remove('alpha:1')).blobs).toEqual([]);
      await lease.release();
      expect((await images.prune()).blobs).toHaveLength(3);
    }));

  test('cannot be held when it is gone', () =>
    withImages([ALPHA], async (images) => {
      const image = await images.get('alpha:1');
      await images.remove('alpha:1');
      await expect(images.hold(image, 'late')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(images.hold(image, '../late')).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
      expect(readdirSync(`${images.path}/.nsbox/leases`)).toEqual([]);
    }));
});

describe('a pull', () => {
  test('asks the registry always, for what is missing, or never', () =>
    withImages([], async (images) => {
      await using server = await startImageServer(makeImage());
      const name = `${server.name}/some/app:1`;
      await expect(images.pull(name, { policy: 'never' })).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      const pulled = await images.pull(name, { policy: 'missing' });
      const asked = server.asked.length;
      expect(await images.pull(name, { policy: 'missing' })).toEqual(pulled);
      expect(await images.pull(name, { policy: 'never' })).toEqual(pulled);
      await images.pull(`${name}@${pulled.descriptor.digest}`);
      expect(server.asked.length).toBe(asked);
      await images.pull(name);
      expect(server.asked.length).toBe(asked + 1);
      await expect(images.pull(name, { policy: 'never', platform: 'linux/s390x' })).rejects.toMatchObject({
        code: 'ERR_NOT_FOUND',
        message: expect.stringContaining('linux/s390x'),
      });
    }));

  test('that may take what is there takes it only if it is whole', () =>
    withImages([], async (images) => {
      await using server = await startImageServer(makeImage());
      const name = `${server.name}/some/app:1`;
      const { manifest } = await images.pull(name);
      writeFileSync(`${images.path}/blobs/${manifest.layers[0]?.digest.replace(':', '/')}`, 'less');
      await images.pull(name, { policy: 'missing' });
      expect(await images.verify()).toMatchObject({ checked: 3, damaged: [], incomplete: [] });
    }));

  test('tells its progress, and its failure', () =>
    withImages([], async (images) => {
      await using server = await startImageServer(makeImage());
      const task = images.pull(`${server.name}/some/app:1`);
      const last = new Map<string, BlobProgress>();
      for await (const step of task) last.set(step.digest, step);
      expect([...last.values()].map(({ status }) => status)).toEqual(['done', 'done']);
      expect((await task).names).toEqual([`${server.name}/some/app:1`]);
      const failing = async (): Promise<void> => {
        for await (const _ of images.pull(`${server.name}/some/app:2`));
      };
      await expect(failing()).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    }));

  test('leaves an index that other tools can read', () =>
    withImages([], async (images) => {
      await using server = await startImageServer(makeImage());
      await images.pull(`${server.name}/some/app:1`);
      const { manifests } = JSON.parse(readFileSync(`${images.path}/index.json`, 'utf8'));
      expect(manifests).toMatchObject([
        { annotations: { 'org.opencontainers.image.ref.name': `${server.name}/some/app:1` } },
      ]);
    }));
});
