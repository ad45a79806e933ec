import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { imageOf, layerOf, layerWithTestinit, storeImage } from '../../../support/local-image.js';
import { TemporaryDirectory } from '../../../support/temporary.js';
import { startImageServer } from '../../images/support/image-server.js';
import { type Ended, nsbox } from '../support.js';

let base: Buffer;

beforeAll(async () => {
  base = await layerWithTestinit();
});

async function ok(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await nsbox(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

async function refused(...args: readonly string[]): Promise<Ended> {
  const ended = await nsbox(args);
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^nsbox: [^\n]+\n(hint: [^\n]+\n)?$/);
  return ended;
}

test('pull: what comes is told line by line, a second time that it is here, and quietly only the name', async () => {
  await using server = await startImageServer(imageOf({ layers: [base] }));
  const name = `${server.name}/some/image:1`;
  const first = await ok('pull', name);
  expect(first).toMatch(/^1: Pulling from \S+\/some\/image\n/);
  expect(first).toMatch(/: Pull complete\n/);
  expect(first).toMatch(/\nDigest: sha256:[0-9a-f]{64}\nStatus: Downloaded newer image for \S+\n\S+:1\n$/);
  expect(await ok('pull', name)).toContain('Status: Image is up to date');
  expect(await ok('pull', '--quiet', name)).toBe(`${name}\n`);
  expect((await nsbox(['run', name, '/testinit', 'print', 'x', ''])).stdout).toBe('x\n');
});

test('images: names, IDs and sizes, as a table, as JSON and by a template', async () => {
  await storeImage('docker.io/library/listed:1', { layers: [base], config: { Labels: { kind: 'a' } } });
  await ok('tag', 'listed:1', 'example.org:5000/other/name:2');
  expect(await ok('images', 'listed')).toMatch(
    /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\nlisted +1 +[0-9a-f]{12} +N\/A +\d[\d.]*[kM]B\n$/,
  );
  const template = '{{.Repository}} {{.Tag}}';
  expect(await ok('images', '--format', template, '--filter', 'label=kind=a')).toBe(
    'listed 1\nexample.org:5000/other/name 2\n',
  );
  expect(JSON.parse(await ok('images', '--format', 'json', 'listed'))).toMatchObject({ Tag: '1' });
  const [id = ''] = (await ok('images', '-q', 'listed')).split('\n');
  expect(id).toMatch(/^[0-9a-f]{12}$/);
  expect((await refused('images', '--format', '{{.Nothing}}')).stderr).toContain('{{.Repository}}');
  expect((await refused('images', '--filter', 'before=x')).stderr).toContain('dangling');
  expect(await ok('inspect', id, '--format', '{{json .Config}} {{.Os}}')).toBe(
    '{"Labels":{"kind":"a"}} linux\n',
  );
  expect(JSON.parse(await ok('inspect', 'listed:1'))[0]).toMatchObject({
    RepoTags: ['listed:1', 'example.org:5000/other/name:2'],
  });
});

test('rmi: a name, and with the last one the image and what is unpacked of it', async () => {
  await storeImage('docker.io/library/one:1', {
    layers: [base, await layerOf((f) => writeFileSync(f.join('own'), ''))],
  });
  await ok('tag', 'one:1', 'two:1');
  expect(await ok('run', 'one:1', '/testinit', 'true')).toBe('');
  expect(await ok('rmi', 'one:1')).toBe('Untagged: one:1\n');
  expect(await ok('rmi', 'two:1')).toMatch(/^Untagged: two:1\n(Deleted: sha256:\S+\n){3,}$/);
  expect((await nsbox(['rmi', 'one:1'])).code).toBe(1);
  expect((await refused('history', 'one:1')).stderr).toContain('no image one:1');
});

test('save and load: through a file and through pipes', async () => {
  await using folder = new TemporaryDirectory();
  const archive = folder.join('archive.tar');
  await storeImage('docker.io/library/saved:1', { layers: [base], config: { Labels: { kind: 'saved' } } });
  await ok('save', 'saved:1', '-o', archive);
  await ok('rmi', 'saved:1');
  expect(await ok('load', '-i', archive)).toBe('Loaded image: saved:1\n');
  expect(statSync(archive).size).toBeGreaterThan(1000);
  const cut = folder.join('cut.tar');
  writeFileSync(cut, readFileSync(archive).subarray(0, 3000));
  await refused('load', '-i', cut);
  await refused('load', '-i', folder.join('absent'));
  await refused('save', 'absent:1', '-o', folder.join('nothing'));
  expect(() => statSync(folder.join('nothing'))).toThrow('ENOENT');
});

test('import: an image of an archive, which runs', async () => {
  await using folder = new TemporaryDirectory();
  writeFileSync(folder.join('root.tar'), base);
  expect(await ok('import', '-m', 'made here', folder.join('root.tar'), 'imported:1')).toMatch(/^sha256:/);
  expect(await ok('history', 'imported:1')).toContain('made here');
  expect(await ok('run', 'imported:1', '/testinit', 'pwd')).toBe('/\n');
});

test('image verify: damage is told and removed', async () => {
  await storeImage('docker.io/library/sound:1', { layers: [base] });
  expect(await ok('image', 'verify')).toMatch(/^\d+ blobs verified\n$/);
});
