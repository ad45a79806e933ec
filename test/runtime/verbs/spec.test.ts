import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { refusal } from '../support/expect.js';
import { Runtime } from '../support/runtime.js';

const read = (folder: string): Record<string, object> =>
  JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));

test('spec: writes config.json into the working directory', async () => {
  await using runtime = new Runtime();
  const { stdout } = await runtime.ok(['spec'], { cwd: runtime.folder });
  expect(stdout).toBe('');
  expect(read(runtime.folder)).toMatchObject({
    ociVersion: expect.stringMatching(/^1\./),
    process: { terminal: true, args: ['sh'], cwd: '/', user: { uid: 0, gid: 0 }, noNewPrivileges: true },
    root: { path: 'rootfs', readonly: true },
    linux: { namespaces: expect.arrayContaining([{ type: 'pid' }, { type: 'network' }, { type: 'mount' }]) },
  });
});

test('spec: --bundle names the directory', async () => {
  await using runtime = new Runtime();
  mkdirSync(join(runtime.folder, 'bundle'));
  await runtime.ok(['spec', '--bundle', join(runtime.folder, 'bundle')]);
  expect(existsSync(join(runtime.folder, 'bundle/config.json'))).toBe(true);
});

test('spec: -b is --bundle', async () => {
  await using runtime = new Runtime();
  await runtime.ok(['spec', '-b', runtime.folder]);
  expect(existsSync(join(runtime.folder, 'config.json'))).toBe(true);
});

test('spec: a config.json that exists is not overwritten', async () => {
  await using runtime = new Runtime();
  await runtime.ok(['spec'], { cwd: runtime.folder });
  const before = readFileSync(join(runtime.folder, 'config.json'), 'utf8');
  expect(refusal(await runtime.call(['spec'], { cwd: runtime.folder }))).toBe(
    'File config.json exists. Remove it first',
  );
  expect(readFileSync(join(runtime.folder, 'config.json'), 'utf8')).toBe(before);
});

test('spec: a bundle that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['spec', '--bundle', join(runtime.folder, 'none')]))).toMatch(
    /no such file or directory/i,
  );
});

test('spec: its configuration runs', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle();
  await runtime.ok(isRoot ? ['spec'] : ['spec', '--rootless'], { cwd: makeEmpty(runtime) });
  const config = read(join(runtime.folder, 'spec'));
  bundle.write(
    JSON.stringify({ ...config, process: { ...config.process, terminal: false, args: ['hostname'] } }),
  );
  const result = await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
  expect(result.stdout).toBe(`${config.hostname}\n`);
});

function makeEmpty(runtime: Runtime): string {
  const folder = join(runtime.folder, 'spec');
  mkdirSync(folder);
  return folder;
}

testWhere(!isRoot)('spec: --rootless maps the caller to root', async () => {
  await using runtime = new Runtime();
  await runtime.ok(['spec', '--rootless'], { cwd: runtime.folder });
  expect(read(runtime.folder)).toMatchObject({
    linux: {
      namespaces: expect.arrayContaining([{ type: 'user' }]),
      uidMappings: [{ containerID: 0, hostID: process.getuid?.(), size: 1 }],
      gidMappings: [{ containerID: 0, hostID: process.getgid?.(), size: 1 }],
    },
  });
});
