import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { UnpackLayerOptions } from '../../../lib/native/contract.js';
import { addon } from '../../../lib/native/load.js';
import { isRoot } from '../../support/mode.js';
import { TemporaryDirectory } from '../../support/temporary.js';

// What a layer may be is told in test/native/layer; here, that the library gets it whole.

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

class Place extends TemporaryDirectory {
  make(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path);
    return path;
  }

  /** The tree as `tar` packs it. */
  tar(tree: string, ...names: string[]): Buffer {
    const options = ['--numeric-owner', '--owner=0', '--group=0', '-C', tree, '-cf', '-', ...names];
    return execFileSync('tar', options, { maxBuffer: 2 ** 28 });
  }

  async unpack(bytes: Uint8Array, target: string, options: UnpackLayerOptions = {}) {
    writeFileSync(join(this.path, 'blob'), bytes);
    return await withOpen([join(this.path, 'blob'), target], ([source = -1, directory = -1]) =>
      addon().unpackLayer(source, directory, { rootless: !isRoot, ...options }),
    );
  }
}

async function withOpen<T>(
  paths: readonly string[],
  use: (fds: readonly number[]) => Promise<T>,
): Promise<T> {
  const fds = paths.map((path) => openSync(path, 'r'));
  try {
    return await use(fds);
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

test.each([
  ['as it is', (tar: Buffer) => tar],
  ['compressed', (tar: Buffer) => gzipSync(tar)],
])('unpackLayer: a tree comes whole, with the digests of both forms (%s)', async (_, pack) => {
  await using place = new Place();
  const tree = place.make('tree');
  mkdirSync(join(tree, 'folder'));
  const content = Buffer.alloc(3_000_000, 'content of a file, ');
  writeFileSync(join(tree, 'folder/file'), content);
  symlinkSync('folder/file', join(tree, 'link'));
  utimesSync(join(tree, 'folder'), 1000, 1000);
  const tar = place.tar(tree, 'folder', 'link');
  const blob = pack(tar);
  const target = place.make('target');
  expect(await place.unpack(blob, target)).toEqual({
    digest: sha256(blob),
    diffId: sha256(tar),
    compressedSize: blob.length,
    size: content.length,
    entries: 3,
    skipped: 0,
    implied: [],
  });
  expect(readFileSync(join(target, 'link')).equals(content)).toBe(true);
  expect(statSync(join(target, 'folder')).mtimeMs).toBe(1_000_000);
});

test('unpackLayer: directories that are left out are told, and take after those below', async () => {
  await using place = new Place();
  const tree = place.make('tree');
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  writeFileSync(join(tree, 'a/b/file'), 'x');
  const target = place.make('target');
  expect(await place.unpack(place.tar(tree, 'a/b/file'), target)).toMatchObject({ implied: ['a', 'a/b'] });
  const below = place.make('below');
  mkdirSync(join(below, 'a'));
  chmodSync(join(below, 'a'), 0o1777);
  utimesSync(join(below, 'a'), 2000, 2000);
  await withOpen([target, below], ([fd = -1, ...lowers]) =>
    addon().adoptDirectories(fd, lowers, ['a', 'a/b'], !isRoot),
  );
  expect(statSync(join(target, 'a'))).toMatchObject({ mode: 0o41777, mtimeMs: 2_000_000 });
  expect(statSync(join(target, 'a/b')).mode & 0o777).toBe(0o755);
});

test('unpackLayer: what is damaged, too large or no layer is refused', async () => {
  await using place = new Place();
  const tree = place.make('tree');
  writeFileSync(join(tree, 'file'), 'x'.repeat(5000));
  const tar = place.tar(tree, 'file');
  const refused = (bytes: Uint8Array, name: string, options?: UnpackLayerOptions) =>
    expect(place.unpack(bytes, place.make(name), options)).rejects;
  await refused(tar.subarray(0, 3000), 'cut').toThrow(/tar/);
  await refused(gzipSync(tar).subarray(0, 60), 'cut-gzip').toThrow(/cut short/);
  await refused(Buffer.from('<html>'.repeat(200)), 'html').toThrow(/tar/);
  await refused(tar, 'large', { maxSize: 4999 }).toThrow(/may/);
  await refused(place.tar(tree, '.'), 'many', { maxEntries: 1 }).toThrow(/entries/);
});
