import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Container, type ContainerProcess, NsboxError } from 'nsbox';
import { expect, test } from 'vitest';
import { runtimePath } from '../../../../lib/native/runtime-binary.js';
import { Runtime } from '../../../runtime/support/runtime.js';
import { descriptorCounts } from '../../../support/leaks.js';
import { hasGroups, isRoot } from '../../../support/mode.js';
import { eventually } from '../../../support/polling.js';
import { codeOf } from './support.js';

test('a container lives from create to delete', async () => {
  await using runtime = new Runtime();
  const { root } = runtime;
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sh', '-c', 'echo begun; sleep 1000'];
  });
  const container = await Container.create('one', { root, bundle: bundle.path, stdout: 'pipe' });
  expect(await container.state()).toMatchObject({
    id: 'one',
    status: 'created',
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    owner: process.geteuid?.(),
    created: expect.any(Date),
  });
  container.stdout.setEncoding('utf8');
  const output = container.stdout[Symbol.asyncIterator]();
  await container.start();
  expect((await output.next()).value).toBe('begun\n');
  const { status, pid } = await container.state();
  expect(status).toBe('running');
  expect(await container.ps()).toContain(pid);
  expect(await codeOf(container.start())).toBe('ERR_INVALID_STATE');
  expect(await codeOf(container.delete())).toBe('ERR_INVALID_STATE');

  const ended = container.wait();
  await container.kill('SIGKILL');
  await ended;
  expect(await container.state()).toMatchObject({ status: 'stopped' });
  expect(await codeOf(container.kill())).toBe('ERR_INVALID_STATE');
  await container.delete();
  expect(await codeOf(container.state())).toBe('ERR_NOT_FOUND');
  expect(await codeOf(container.delete())).toBe('ERR_NOT_FOUND');
  await container.delete({ force: true });
});

test('a configuration needs no bundle', async () => {
  await using runtime = new Runtime();
  const { config, rootfs } = runtime.bundle();
  const given = { ...config, root: { path: rootfs }, process: { ...config.process, args: ['id', '-u'] } };
  const result = await Container.run('two', { root: runtime.root, config: asConfig(given) });
  expect(result).toEqual({ exitCode: 0, stdout: '0\n', stderr: '' });
  expect(await Container.list({ root: runtime.root })).toEqual([]);
  expect(scratches()).toEqual([]);
});

test('run tells how the program ended', async () => {
  await using runtime = new Runtime();
  const run = (script: string): ContainerProcess => {
    const bundle = runtime.bundle((config) => {
      config.process.args = ['sh', '-c', script];
    });
    return Container.run(runtime.id(), { root: runtime.root, bundle: bundle.path, input: 'words' });
  };
  expect(await run('cat; echo no >&2; exit 7')).toEqual({ exitCode: 7, stdout: 'words', stderr: 'no\n' });
  const long = run('exec sleep 1000');
  await long.started;
  long.kill('SIGKILL');
  expect(await long).toMatchObject({ exitCode: 128 + 9 });
  await using dropped = run('exec sleep 1000');
  await dropped.started;
  // A process that is killed leaves no file: nothing is there that it would have to remove.
  await eventually(() => scratches().length === 0);
});

test('exec runs further processes, changed or whole', async () => {
  await using runtime = new Runtime();
  await using container = await started(runtime);
  const result = await container.exec(['sh', '-c', 'pwd; echo $A; id -u'], {
    cwd: '/etc',
    env: { A: 'b c' },
    ...(isRoot && { user: '1000:1000' }),
  });
  expect(result.stdout).toBe(`/etc\nb c\n${isRoot ? 1000 : 0}\n`);
  const whole = { user: { uid: 0, gid: 0 }, args: ['env'], cwd: '/', env: ['PATH=/bin', 'ONLY=this'] };
  expect((await container.exec(whole)).stdout.split('\n')).toContain('ONLY=this');

  const long = container.exec(['sleep', '1000']);
  await long.started;
  expect(await container.ps()).toContain(long.pid);
  long.kill('SIGTERM');
  expect((await long).exitCode).toBe(128 + 15);

  expect(await codeOf(container.exec(['/absent']))).toBe('ERR_PROGRAM_NOT_FOUND');
  expect(await codeOf(container.exec(['absent']))).toBe('ERR_PROGRAM_NOT_FOUND');
  expect(await codeOf(container.exec(['/etc/passwd']))).toBe('ERR_PROGRAM_NOT_EXECUTABLE');
  const much = container.exec(['sh', '-c', 'yes 2>/dev/null || seq 1000000'], { maxBuffer: 1000 });
  expect(await codeOf(much)).toBe('ERR_MAX_BUFFER');
});

test('the executable sees what the library makes, and the other way round', async () => {
  await using runtime = new Runtime();
  const { root } = runtime;
  await using ours = await started(runtime);
  const ids = (): string[] =>
    JSON.parse(nsbox(root, 'list', '--format', 'json')).map((one: { id: string }) => one.id);
  expect(ids()).toEqual([ours.id]);
  expect(JSON.parse(nsbox(root, 'state', ours.id))).toMatchObject({ status: 'running' });
  nsbox(root, 'kill', ours.id, 'KILL');
  await ours.wait();
  nsbox(root, 'delete', ours.id);
  expect(await codeOf(ours.state())).toBe('ERR_NOT_FOUND');

  const theirs = await runtime.pause();
  expect(await Container.list({ root })).toMatchObject([{ id: theirs.id, status: 'running' }]);
  const container = await Container.get(theirs.id, { root });
  expect((await container.exec(['echo', 'hi'])).stdout).toBe('hi\n');
  await container.delete({ force: true });
  expect(runtime.states()).toEqual([]);
  expect(await codeOf(Container.get(theirs.id, { root }))).toBe('ERR_NOT_FOUND');
});

test.skipIf(!hasGroups)('pause, resume and update', async () => {
  await using runtime = new Runtime();
  await using container = await started(runtime);
  await container.pause();
  expect(await container.state()).toMatchObject({ status: 'paused' });
  expect(await codeOf(container.exec(['true']))).toBe('ERR_INVALID_STATE');
  await container.resume();
  expect(await codeOf(container.resume())).toBe('ERR_INVALID_STATE');
  await container.update({ pids: { limit: 7 } });
  expect((await container.stats()).pids.limit).toBe(7);
});

test('hooks run, in the executable', async () => {
  await using runtime = new Runtime();
  const { root } = runtime;
  const bundle = runtime.bundle((config) => {
    const touch = (name: string) => ({
      path: '/usr/bin/touch',
      args: ['touch', `${runtime.folder}/${name}`],
    });
    config.process.args = ['sleep', '1000'];
    config.hooks = { poststart: [touch('poststart')], poststop: [touch('poststop')] };
  });
  {
    await using container = await Container.create('hooked', { root, bundle: bundle.path });
    await container.start();
    expect(existsSync(`${runtime.folder}/poststart`)).toBe(true);
    expect(existsSync(`${runtime.folder}/poststop`)).toBe(false);
  }
  expect(existsSync(`${runtime.folder}/poststop`)).toBe(true);
});

test('what cannot be made says why, with its code', async () => {
  await using runtime = new Runtime();
  const { root } = runtime;
  const bundle = runtime.bundle((config) => {
    config.process.args = ['/absent'];
  });
  const options = { root, bundle: bundle.path };
  expect(await codeOf(Container.create('../up', options))).toBe('ERR_INVALID_ARGUMENT');
  expect(await codeOf(Container.create('x', { root, bundle: '/absent' }))).toBe('ERR_NOT_FOUND');
  const relative = asConfig({ ...bundle.config, root: { path: 'rootfs' } });
  expect(await codeOf(Container.create('x', { root, config: relative }))).toBe('ERR_INVALID_ARGUMENT');
  expect(await codeOf(Container.create('x', { root, config: asConfig({}) }))).toBe('ERR_INVALID_CONFIG');
  expect(await codeOf(Container.run('x', options))).toBe('ERR_PROGRAM_NOT_FOUND');
  expect(runtime.states()).toEqual([]);
  await using first = await started(runtime);
  expect(await codeOf(Container.create(first.id, options))).toBe('ERR_ALREADY_EXISTS');
  expect(await first.state()).toMatchObject({ status: 'running' });
});

test('features tells what the runtime understands', async () => {
  const features = await Container.features();
  expect(features.ociVersionMax).toBe('1.3.0');
  expect(features.linux?.namespaces).toContain('user');
});

test('nothing is left open', async () => {
  await using runtime = new Runtime();
  const life = async (): Promise<void> => {
    await using container = await started(runtime);
    await container.exec(['true']);
    await container.exec(['true'], { tty: true });
    await container.kill('SIGKILL');
    await container.wait();
  };
  await life();
  const before = descriptorCounts();
  for (let i = 0; i < 5; i++) await life();
  await eventually(
    () => [...descriptorCounts()].filter(([kind, count]) => count > (before.get(kind) ?? 0)),
    (more) => more.length === 0,
  );
});

const scratches = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('nsbox-oci-'));

async function started(runtime: Runtime): Promise<Container> {
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sleep', '1000'];
  });
  const container = await Container.create(runtime.id(), { root: runtime.root, bundle: bundle.path });
  await container.start();
  return container;
}

function nsbox(root: string, ...args: string[]): string {
  return execFileSync(runtimePath(), ['--root', root, ...args], { encoding: 'utf8' });
}

// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose, or the harness's looser type.
const asConfig = (config: any) => config;

test('errors are of the one class', async () => {
  await expect(Container.get('absent')).rejects.toBeInstanceOf(NsboxError);
});
