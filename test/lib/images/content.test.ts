import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ContentStore } from '../../../lib/images/content/store.js';
import type { Digest } from '../../../lib/spec/digest.js';
import { TemporaryDirectory } from '../../support/temporary.js';

const GONE = '999999999-1-00000000-1-000000000000';

function describeBytes(text: string | Buffer): { readonly digest: Digest; readonly size: number } {
  const bytes = Buffer.from(text);
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length };
}

async function text(blob: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of blob) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function chunks(...all: readonly string[]): (offset: number) => AsyncIterable<Buffer> {
  return async function* (offset) {
    expect(offset).toBe(0);
    for (const one of all) yield Buffer.from(one);
  };
}

const IMAGE = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...describeBytes('{}') },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...describeBytes('layer') }],
};
const MANIFEST = { mediaType: IMAGE.mediaType, ...describeBytes(JSON.stringify(IMAGE)) };

async function putImage(store: ContentStore): Promise<void> {
  await store.putBytes(IMAGE.config, Buffer.from('{}'));
  for (const layer of IMAGE.layers) await store.putBytes(layer, Buffer.from('layer'));
  await store.putBytes(MANIFEST, Buffer.from(JSON.stringify(IMAGE)));
}

describe('a content store', () => {
  test('keeps blobs under their digests', async () => {
    await using folder = new TemporaryDirectory();
    const store = await ContentStore.open(folder.path);
    const blob = describeBytes('hello world');
    expect(await store.has(blob)).toBe(false);
    await store.put(blob, chunks('hello', ' world'));
    expect(await store.has(blob)).toBe(true);
    expect(await text(await store.read(blob.digest))).toBe('hello world');
    expect(await text(await store.read(blob.digest, { start: 6 }))).toBe('world');
    await store.delete(blob.digest);
    await expect(store.read(blob.digest)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test.each([
    ['another content', 'hellO world'],
    ['too little', 'hello'],
    ['too much', 'hello world!'],
  ])('refuses %s and keeps nothing of it', async (_, sent) => {
    await using folder = new TemporaryDirectory();
    const store = await ContentStore.open(folder.path);
    const blob = describeBytes('hello world');
    await expect(store.put(blob, chunks(sent))).rejects.toMatchObject({ code: 'ERR_WRONG_CONTENT' });
    expect(await store.has(blob)).toBe(false);
    expect(readdirSync(folder.join('.nsbox/ingest'))).toEqual([]);
  });

  test('goes on where a failed or killed attempt stopped', async () => {
    await using folder = new TemporaryDirectory();
    const store = await ContentStore.open(folder.path);
    const blob = describeBytes('hello world');
    const cut = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('hello');
      throw new Error('cut');
    };
    await expect(store.put(blob, cut)).rejects.toThrow('cut');
    const offsets: number[] = [];
    await store.put(blob, async function* (offset) {
      offsets.push(offset);
      yield Buffer.from(' world');
    });
    expect(offsets).toEqual([5]);
  });

  test('begins anew where what was left is wrong', async () => {
    await using folder = new TemporaryDirectory();
    const store = await ContentStore.open(folder.path);
    const blob = describeBytes('hello world');
    writeFileSync(folder.join('.nsbox/ingest', `${blob.digest.replace(':', '-')}.${GONE}`), 'HELLO');
    await store.put(blob, async function* (offset) {
      yield Buffer.from('hello world'.slice(offset));
    });
    expect(await text(await store.read(blob.digest))).toBe('hello world');
  });

  test('names images by tags', async () => {
    await using folder = new TemporaryDirectory();
    const store = await ContentStore.open(folder.path);
    await putImage(store);
    await store.tag('docker.io/library/a:1', MANIFEST);
    await store.tag('docker.io/library/b:1', MANIFEST);
    expect((await store.tags()).map(({ name }) => name)).toEqual([
      'docker.io/library/a:1',
      'docker.io/library/b:1',
    ]);
    expect(await store.untag('docker.io/library/a:1')).toBe(true);
    expect(await store.untag('docker.io/library/a:1')).toBe(false);
    expect(await store.resolve('docker.io/library/b:1')).toMatchObject({ digest: MANIFEST.digest });
  });

  test('takes many tags at once, from a lock whose owner is gone on', async () => {
    await using folder = new TemporaryDirectory();
    const store = await ContentStore.open(folder.path);
    writeFileSync(folder.join('.nsbox/lock'), GONE);
    // And who was about to remove it is gone as well.
    writeFileSync(folder.join(`.nsbox/after-${GONE}`), `${GONE}2`);
    const names = Array.from({ length: 20 }, (_, index) => `docker.io/library/many:${index}`);
    const second = await ContentStore.open(folder.path);
    await Promise.all(names.map((name, index) => (index % 2 ? store : second).tag(name, MANIFEST)));
    expect((await store.tags()).map(({ name }) => name).sort()).toEqual([...names].sort());
    expect(readdirSync(folder.join('.nsbox')).sort()).toEqual(['ingest', 'leases']);
  });

  test('collects what no tag names and no living lease holds', async () => {
    await using folder = new TemporaryDirectory();
    const store = await ContentStore.open(folder.path);
    await putImage(store);
    await store.tag('docker.io/library/a:1', MANIFEST);
    for (const loose of ['held', 'once held', 'loose'])
      await store.putBytes(describeBytes(loose), Buffer.from(loose));
    writeFileSync(folder.join('.nsbox/leases', GONE), `${describeBytes('once held').digest}\n`);
    const lease = store.lease();
    await lease.hold([describeBytes('held').digest]);
    const { blobs, freed } = await store.collect();
    expect([...blobs].sort()).toEqual(['once held', 'loose'].map((one) => describeBytes(one).digest).sort());
    expect(freed).toBe('once heldloose'.length);
    await lease.release();
    await store.untag('docker.io/library/a:1');
    expect((await store.collect()).blobs).toHaveLength(4);
  });

  test('finds damage, removes it and names the images that it was in', async () => {
    await using folder = new TemporaryDirectory();
    const store = await ContentStore.open(folder.path);
    await putImage(store);
    await store.tag('docker.io/library/a:1', MANIFEST);
    expect(await store.verify()).toEqual({ checked: 3, damaged: [], incomplete: [] });
    const { digest } = describeBytes('layer');
    appendFileSync(folder.join('blobs', digest.replace(':', '/')), '!');
    expect(await store.verify()).toEqual({
      checked: 3,
      damaged: [digest],
      incomplete: [{ tag: 'docker.io/library/a:1', missing: [digest] }],
    });
  });

  test('refuses a layout of another version', async () => {
    await using folder = new TemporaryDirectory();
    writeFileSync(folder.join('oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
    await expect(ContentStore.open(folder.path)).rejects.toMatchObject({ code: 'ERR_INVALID_CONFIG' });
    expect(readFileSync(folder.join('oci-layout'), 'utf8')).toContain('2.0.0');
  });
});
