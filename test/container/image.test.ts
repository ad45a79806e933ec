import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sandbox } from 'nsbox';
import { beforeAll, expect, test } from 'vitest';
import { startImageServer } from '../lib/images/support/image-server.js';
import { imageOf, layerOf, layerWithTestinit, storeImage } from '../support/local-image.js';
import { hasIdRanges } from '../support/mode.js';

const NAME = 'docker.io/library/made:1';
let base: Buffer;

beforeAll(async () => {
  base = await layerWithTestinit();
});

async function said(image: string, command: readonly string[], options = {}): Promise<string> {
  const { stdout } = await Sandbox.run(command, { image, ...options });
  return stdout.trim();
}

test('an image’s layers lie on each other: what the upper one adds, changes and deletes', async () => {
  const lower = await layerOf((folder) => {
    mkdirSync(folder.join('both'));
    for (const name of ['kept', 'changed', 'gone']) writeFileSync(folder.join('both', name), 'lower');
    mkdirSync(folder.join('opaque'));
    writeFileSync(folder.join('opaque/hidden'), '');
  });
  const upper = await layerOf((folder) => {
    mkdirSync(folder.join('both'));
    writeFileSync(folder.join('both/changed'), 'upper');
    writeFileSync(folder.join('both/.wh.gone'), '');
    mkdirSync(folder.join('opaque'));
    writeFileSync(folder.join('opaque/.wh..wh..opq'), '');
    writeFileSync(folder.join('opaque/own'), '');
  });
  await storeImage(NAME, { layers: [base, lower, upper] });
  // In whatever order the file system has them.
  const names = (await said('made:1', ['/testinit', 'ls', '/both'])).split('\n');
  expect(names.sort()).toEqual(['changed', 'kept']);
  expect(await said('made:1', ['/testinit', 'cat', '/both/changed'])).toBe('upper');
  expect(await said('made:1', ['/testinit', 'ls', '/opaque'])).toBe('own');
});

test('the image says which command, variables, directory and arguments are meant', async () => {
  const config = {
    Entrypoint: ['/testinit'],
    Cmd: ['env'],
    Env: ['KEY=value', 'PATH=/own'],
    WorkingDir: '/made/here',
  };
  await storeImage(NAME, { layers: [base], config });
  expect((await said(NAME, [])).split('\0')).toEqual(expect.arrayContaining(['KEY=value', 'PATH=/own']));
  expect(await said(NAME, ['pwd'])).toBe('/made/here');
  expect(await said(NAME, ['pwd'], { cwd: '/' })).toBe('/');
  expect((await said(NAME, ['env'], { env: { KEY: 'other' } })).split('\0')).toContain('KEY=other');
  expect(await said(NAME, ['/testinit', 'print', 'x', ''], { entrypoint: [] })).toBe('x');
});

test.runIf(hasIdRanges)('the image’s user is looked up in its own files', async () => {
  const files = await layerOf((folder) => {
    mkdirSync(folder.join('etc'));
    writeFileSync(folder.join('etc/passwd'), 'root:x:0:0::/root:\napp:x:1234:567::/home/app:\n');
    writeFileSync(folder.join('etc/group'), 'app:x:567:\nmore:x:890:app\n');
  });
  await storeImage(NAME, { layers: [base, files], config: { User: 'app' } });
  const ids = await said(NAME, ['/testinit', 'ids']);
  for (const id of ['1234', '567', '890']) expect(ids).toContain(id);
  expect(await said(NAME, ['/testinit', 'ids'], { user: '0' })).not.toContain('1234');
});

test('a volume has what the image has there, and is no part of the changes', async () => {
  const files = await layerOf((folder) => {
    mkdirSync(folder.join('data'));
    writeFileSync(folder.join('data/file'), 'there');
  });
  await storeImage(NAME, { layers: [base, files], config: { Volumes: { '/data': {} } } });
  await using box = await Sandbox.create({ image: NAME });
  expect((await box.exec(['/testinit', 'cat', '/data/file'])).stdout).toBe('there');
  await box.exec(['/testinit', 'write', '/data/file', 'new']);
  await box.exec(['/testinit', 'write', '/own', 'new']);
  const changes = [];
  for await (const { kind, path } of box.changes()) changes.push(`${kind} ${path}`);
  expect(changes).toEqual(['added /own']);
});

test('an image is pulled where it is absent, unpacked once, and then there without its registry', async () => {
  const image = imageOf({ layers: [base] });
  await using server = await startImageServer(image);
  const name = `${server.name}/some/image:1`;
  const boxes = await Promise.all([1, 2, 3].map(() => said(name, ['/testinit', 'print', 'x', ''])));
  expect(boxes).toEqual(['x', 'x', 'x']);
  await server[Symbol.asyncDispose]();
  expect(await said(name, ['/testinit', 'print', 'y', ''], { pull: 'never' })).toBe('y');
  await expect(said(name, ['/testinit', 'true'], { pull: 'always' })).rejects.toMatchObject({
    name: 'NsboxError',
  });
  expect(readdirSync(snapshots('unpack'))).toEqual([]);
});

test('what is not as the image says is refused, and nothing half-made can be seen', async () => {
  const other = `sha256:${'1'.repeat(64)}`;
  await storeImage(NAME, { layers: [base, await layerOf(() => {})], diffIds: [other, other] });
  await expect(said(NAME, ['/testinit', 'true'])).rejects.toMatchObject({ code: 'ERR_INVALID_CONFIG' });
  expect(readdirSync(snapshots('unpack'))).toEqual([]);
  await storeImage(NAME, { layers: [base], architecture: 'riscv64' });
  await expect(said(NAME, ['/testinit', 'true'])).rejects.toThrow(/riscv64.*cannot run/);
  await expect(said('nothing/there:1', ['true'], { pull: 'never' })).rejects.toMatchObject({
    code: 'ERR_NOT_FOUND',
  });
});

test('links in a layer lead nowhere outside of it', async () => {
  const hostile = await layerOf((folder) => {
    symlinkSync('/', folder.join('root'));
    symlinkSync('../../../../../../etc', folder.join('up'));
  });
  const below = await layerOf((folder) => {
    mkdirSync(folder.join('root'));
    writeFileSync(folder.join('root/nsbox-was-here'), '');
    mkdirSync(folder.join('up'));
    writeFileSync(folder.join('up/nsbox-was-here'), '');
  });
  await storeImage(NAME, { layers: [base, hostile, below] });
  expect(await said(NAME, ['/testinit', 'ls', '/up'])).toBe('nsbox-was-here');
  expect(() => rmSync('/etc/nsbox-was-here')).toThrow('ENOENT');
  expect(() => rmSync('/nsbox-was-here')).toThrow('ENOENT');
});

function snapshots(folder: string): string {
  const form = process.geteuid?.() === 0 ? 'root' : 'user';
  return join(process.env.NSBOX_DATA ?? '', 'snapshots', form, folder);
}
