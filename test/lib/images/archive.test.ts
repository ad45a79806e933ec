import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, readdirSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Images } from '../../../lib/images/images.js';
import { skipUnless } from '../../support/skip.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { makeImage, makeMany, putImage, sha256 } from './support/images.js';
import { hasRegistry, NO_REGISTRY } from './support/registry.js';
import { type Member, tarOf } from './support/tar.js';

const NAME = 'docker.io/library/saved:1';

async function withImages(
  body: (images: Images, folder: TemporaryDirectory, other: Images) => Promise<void>,
): Promise<void> {
  await using folder = new TemporaryDirectory();
  await using images = await Images.open({ path: folder.join('store') });
  await using other = await Images.open({ path: folder.join('other') });
  await body(images, folder, other);
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** In pieces of odd sizes, as a pipe gives them. */
async function* stream(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777);
}

const skopeo = (...args: readonly string[]): string =>
  execFileSync('skopeo', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

describe('what is saved', () => {
  test.each(['docker-archive', 'oci-archive'] as const)('as %s is loaded as it was', (format) =>
    withImages(async (images, _, other) => {
      await putImage(images.store, NAME, makeImage({ files: { a: 'one', b: 'x'.repeat(3000) } }));
      const archive = await bytesOf(images.save([NAME], { format }));
      expect(await bytesOf(images.save(['saved:1'], { format }))).toEqual(archive);
      expect(await other.load(stream(archive))).toEqual([await images.get(NAME)]);
      expect(await other.verify()).toMatchObject({ checked: 4, damaged: [], incomplete: [] });
    }),
  );

  test('by its ID has no name afterwards, and compressed archives are taken, too', () =>
    withImages(async (images, _, other) => {
      await putImage(images.store, NAME, makeImage());
      const { id } = await images.get(NAME);
      const archive = gzipSync(await bytesOf(images.save([id.slice(7, 20)])));
      expect(await other.load(stream(archive))).toMatchObject([{ id, names: [] }]);
      expect((await other.list()).map((one) => one.id)).toEqual([id]);
    }));

  test('of several images and platforms is all there', () =>
    withImages(async (images, _, other) => {
      const many = makeMany({
        'linux/amd64': makeImage({ architecture: 'amd64', files: { a: 'amd64' } }),
        'linux/arm64': makeImage({ architecture: 'arm64', files: { a: 'arm64' } }),
      });
      await putImage(images.store, NAME, many);
      await putImage(images.store, 'docker.io/library/more:2', makeImage());
      const loaded = await other.load(images.save([NAME, 'more:2']));
      expect(loaded.map(({ names }) => names)).toEqual([[NAME], ['docker.io/library/more:2']]);
      for (const architecture of ['amd64', 'arm64'])
        expect(await other.get(NAME, { os: 'linux', architecture })).toMatchObject({
          platform: { architecture },
        });
    }));

  test('is read by skopeo, and what skopeo writes by us', (context) =>
    withImages(async (images, folder, other) => {
      skipUnless(context, hasRegistry, NO_REGISTRY);
      const image = makeImage({ files: { a: 'one', b: 'two' } });
      await putImage(images.store, NAME, image);
      await pipeline(images.save([NAME]), createWriteStream(folder.join('ours.tar')));
      for (const format of ['docker-archive', 'oci-archive']) {
        const seen = JSON.parse(
          skopeo('inspect', '--raw', '--config', `${format}:${folder.join('ours.tar')}`),
        );
        expect(seen.rootfs).toEqual((await images.get(NAME)).config.rootfs);
        const theirs = folder.join(`${format}.tar`);
        skopeo(
          'copy',
          `${format}:${folder.join('ours.tar')}`,
          `${format}:${theirs}:docker.io/library/theirs:1`,
        );
        const [loaded] = await other.load(createReadStream(theirs));
        expect(loaded).toMatchObject({
          names: ['docker.io/library/theirs:1'],
          config: { rootfs: seen.rootfs },
        });
      }
      expect(await other.verify()).toMatchObject({ damaged: [], incomplete: [] });
    }));

  test('that is not there, or not whole, is said to be so', () =>
    withImages(async (images) => {
      await expect(bytesOf(images.save(['nothing']))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(bytesOf(images.save([]))).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
      const image = makeImage();
      await putImage(images.store, NAME, image);
      await images.store.delete(image.blobs[1]?.descriptor.digest ?? 'sha256:none');
      await expect(bytesOf(images.save([NAME]))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    }));
});

/** What `docker save` made before Docker had layouts: plain layers, links between them, tags with a default. */
function oldDockerArchive(change: Partial<Record<'layer' | 'config' | 'list', string>> = {}): Member[] {
  const layer = tarOf({ name: 'hello', content: 'hello' });
  const rootfs = { type: 'layers', diff_ids: [sha256(layer), sha256(layer)] };
  const config = JSON.stringify({
    os: 'linux',
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    rootfs,
  });
  const list = JSON.stringify([
    { Config: 'c.json', RepoTags: ['old:1', 'old:2'], Layers: ['1/layer.tar', '2/layer.tar'] },
  ]);
  return [
    { name: 'c.json', content: change.config ?? config },
    { name: '1/', type: '5' },
    { name: '1/layer.tar', content: change.layer ?? layer },
    { name: '2/layer.tar', type: '2', target: '../1/layer.tar' },
    { name: 'manifest.json', content: change.list ?? list },
  ];
}

describe('an archive of an old Docker', () => {
  test('is loaded with all its tags', () =>
    withImages(async (images) => {
      const [image] = await images.load(stream(tarOf(...oldDockerArchive())));
      expect(image?.names).toEqual(['docker.io/library/old:1', 'docker.io/library/old:2']);
      expect(image?.manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
        'application/vnd.oci.image.layer.v1.tar',
        'application/vnd.oci.image.layer.v1.tar',
      ]);
      expect(await images.verify()).toMatchObject({ damaged: [], incomplete: [] });
    }));
});

const BLOB = `blobs/sha256/${createHash('sha256').update('right').digest('hex')}`;
const LAYOUT: Member[] = [{ name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' }];
const index = (...manifests: readonly object[]): Member => ({
  name: 'index.json',
  content: JSON.stringify({ schemaVersion: 2, manifests }),
});

describe('a hostile archive', () => {
  const config = 'ERR_INVALID_CONFIG';
  const content = 'ERR_WRONG_CONTENT';

  test.each<[string, Member[], string]>([
    ['of nothing', [], config],
    ['with a name that leads out', [{ name: '../../etc/passwd', content: 'x' }], config],
    ['with an absolute name', [{ name: '/etc/passwd', content: 'x' }], config],
    ['with a link that leads out', [{ name: 'a', type: '2', target: '../../etc/passwd' }], config],
    ['with a device', [{ name: 'null', type: '3' }], config],
    ['with a pipe', [{ name: 'pipe', type: '6' }], config],
    ['with a directory that has a content', [{ name: 'a', type: '5', content: 'x' }], config],
    ['with a name twice', [...oldDockerArchive(), { name: './c.json', content: '{}' }], config],
    ['with a damaged header', [{ name: 'a', checksum: '000000\0 ' }], config],
    ['with a size that is no number', [{ name: 'a', size: 'many' }], config],
    ['with a negative size', [{ name: 'a', size: '\xff'.repeat(12) }], config],
    ['with a size beyond numbers', [{ name: 'a', size: `\x80${'\x7f'.repeat(11)}` }], config],
    ['with less than its size', [{ name: 'a', content: 'x', size: '77777777777\0' }], content],
    ['with a huge extended header', [{ name: 'a', type: 'x', size: '00100000000\0' }], config],
    ['with a damaged extended header', [{ name: 'a', type: 'x', content: '99 path=x\n' }], config],
    [
      'with a negative size in an extended header',
      [{ name: 'a', type: 'x', content: '11 size=-1\n' }],
      config,
    ],
    ['with a blob of another content', [{ name: BLOB, content: 'wrong' }], content],
    ['with a blob whose name is none', [{ name: 'blobs/sha256/short', content: 'x' }], config],
    ['with a layout of another version', [{ name: 'oci-layout', content: '{}' }, index()], config],
    ['with an empty index', [...LAYOUT, index()], config],
    [
      'with an index of what is absent',
      [...LAYOUT, index({ mediaType: 'a/b', digest: `sha256:${'0'.repeat(64)}`, size: 1 })],
      config,
    ],
    ['with a list that is none', oldDockerArchive({ list: '{}' }), config],
    ['with a list of what is absent', oldDockerArchive({ list: '[{"Config":"x","Layers":[]}]' }), config],
    ['with a list that leads out', oldDockerArchive({ list: '[{"Config":"../x","Layers":[]}]' }), config],
    [
      'with a list of a bad name',
      oldDockerArchive({
        list: '[{"Config":"c.json","RepoTags":["../x"],"Layers":["1/layer.tar","1/layer.tar"]}]',
      }),
      'ERR_INVALID_ARGUMENT',
    ],
    [
      'with fewer layers than it tells',
      oldDockerArchive({ list: '[{"Config":"c.json","Layers":["1/layer.tar"]}]' }),
      config,
    ],
    ['with another layer than it tells', oldDockerArchive({ layer: 'other' }), content],
    ['with a configuration that is none', oldDockerArchive({ config: '[]' }), config],
    [
      'with links in a circle',
      [
        { name: 'a', type: '2', target: 'b' },
        { name: 'b', type: '2', target: 'a' },
        { name: 'manifest.json', content: '[{"Config":"a","Layers":[]}]' },
      ],
      config,
    ],
  ])('%s is refused, and leaves nothing', (_, members, code) =>
    withImages(async (images) => {
      await expect(images.load(stream(tarOf(...members)))).rejects.toMatchObject({
        name: 'NsboxError',
        code,
      });
      await isLeftEmpty(images);
    }),
  );

  test.each([
    ['that is none', Buffer.from('no archive at all'), content],
    ['that is none, of some length', Buffer.alloc(5000, 'x'), config],
    ['that is cut', tarOf(...oldDockerArchive()).subarray(0, 3000), content],
    ['that is cut while compressed', gzipSync(tarOf(...oldDockerArchive())).subarray(0, 200), content],
    [
      'that is damaged while compressed',
      Buffer.concat([gzipSync(tarOf()).subarray(0, 12), Buffer.alloc(50, 'x')]),
      content,
    ],
  ])('%s is refused, and leaves nothing', (_, bytes, code) =>
    withImages(async (images) => {
      await expect(images.load(stream(bytes))).rejects.toMatchObject({ name: 'NsboxError', code });
      await isLeftEmpty(images);
    }),
  );

  test('cut anywhere is refused or whole', () =>
    withImages(async (images) => {
      const archive = tarOf(...oldDockerArchive());
      for (let cut = 0; cut < archive.length; cut += 509) {
        const outcome = await images.load(stream(archive.subarray(0, cut))).catch((error: unknown) => error);
        if (!Array.isArray(outcome)) expect(outcome).toMatchObject({ name: 'NsboxError' });
      }
      expect(await images.verify()).toMatchObject({ damaged: [], incomplete: [] });
    }));
});

async function isLeftEmpty(images: Images): Promise<void> {
  expect(await images.list()).toEqual([]);
  await images.prune();
  for (const folder of ['blobs/sha256', '.nsbox/ingest', '.nsbox/leases'])
    expect(readdirSync(`${images.path}/${folder}`)).toEqual([]);
}

describe('an import', () => {
  const root = tarOf({ name: './', type: '5' }, { name: './hello', content: 'hello' });
  const created = new Date('2020-01-01T00:00:00Z');

  test.each([
    ['plain', root, 'application/vnd.oci.image.layer.v1.tar'],
    ['compressed', gzipSync(root), 'application/vnd.oci.image.layer.v1.tar+gzip'],
  ])('of a %s archive makes an image of it', (_, bytes, mediaType) =>
    withImages(async (images) => {
      const names = ['made:1', 'made:2'];
      const image = await images.import(stream(bytes), {
        names,
        config: { Cmd: ['/hello'] },
        created,
        comment: 'ours',
      });
      expect(image).toMatchObject({
        names: ['docker.io/library/made:1', 'docker.io/library/made:2'],
        config: {
          created: '2020-01-01T00:00:00.000Z',
          config: { Cmd: ['/hello'] },
          rootfs: { diff_ids: [sha256(root)] },
        },
        manifest: { layers: [{ mediaType, digest: sha256(bytes), size: bytes.length }] },
      });
      expect(
        await images.import(Readable.from([bytes]), {
          names,
          config: { Cmd: ['/hello'] },
          created,
          comment: 'ours',
        }),
      ).toEqual(image);
      expect(await images.history('made:1')).toMatchObject([{ comment: 'ours', diffId: sha256(root) }]);
    }),
  );

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['an empty archive', tarOf()],
    ['no archive', Buffer.from('#!/bin/sh\n'.repeat(100))],
  ])('of %s is refused', (_, bytes) =>
    withImages(async (images) => {
      await expect(images.import(stream(bytes), { names: ['made:1'] })).rejects.toMatchObject({
        name: 'NsboxError',
      });
      await isLeftEmpty(images);
    }),
  );

  test('with what no image can have is refused', () =>
    withImages(async (images, folder) => {
      writeFileSync(folder.join('root.tar'), root);
      const source = (): Readable => createReadStream(folder.join('root.tar'));
      await expect(images.import(source(), { names: ['Bad Name'] })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      });
      const config: object = { Cmd: 'not a list' };
      await expect(images.import(source(), { config })).rejects.toMatchObject({ code: 'ERR_INVALID_CONFIG' });
    }));
});
