import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as anyone, expect, type TestContext } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { skipOnThisMachineUnless } from '../../support/skip.js';
import { testWhere } from '../../support/where.js';
import { refusal } from '../support/expect.js';
import { type Container, Runtime } from '../support/runtime.js';

const test = testWhere(isRoot);

function needsCriu(context: TestContext): void {
  let works = true;
  try {
    execFileSync('criu', ['check'], { stdio: 'ignore' });
  } catch {
    works = false;
  }
  skipOnThisMachineUnless(context, works, 'criu is not installed, or this kernel does not let it work');
}

async function counting(runtime: Runtime): Promise<Container> {
  const box = await runtime.start((config) => {
    config.process.args = ['sh', '-c', 'n=0; while :; do n=$((n+1)); echo $n > /work/n; sleep 0.05; done'];
  });
  await box.sh('while ! test -s /work/n; do sleep 0.02; done');
  return box;
}

test('checkpoint: --image-path gets the images, --work-path the log, and the container ends', async (context) => {
  needsCriu(context);
  await using runtime = new Runtime();
  const box = await counting(runtime);
  const images = join(runtime.folder, 'images');
  await runtime.ok(['checkpoint', '--image-path', images, '--work-path', runtime.folder, box.id]);
  expect(readdirSync(images)).toContain('inventory.img');
  await box.ended();
});

test('checkpoint: --leave-running lets the container go on', async (context) => {
  needsCriu(context);
  await using runtime = new Runtime();
  const box = await counting(runtime);
  await runtime.ok(['checkpoint', '--leave-running', '--image-path', join(runtime.folder, 'images'), box.id]);
  expect(await box.status()).toBe('running');
});

test('restore: the program goes on where it was', async (context) => {
  needsCriu(context);
  await using runtime = new Runtime();
  const box = await counting(runtime);
  const images = join(runtime.folder, 'images');
  await runtime.ok(['checkpoint', '--image-path', images, box.id]);
  await runtime.ok(['delete', '--force', box.id]);
  const pidFile = join(runtime.folder, 'restored.pid');
  await runtime.ok([
    ...['restore', '--detach', '--image-path', images, '--bundle', box.bundle.path],
    ...['--pid-file', pidFile, box.id],
  ]);
  expect(await box.status()).toBe('running');
});

anyone('checkpoint: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['checkpoint', runtime.id()]))).toBe('container does not exist');
});

test('checkpoint: a stopped container is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  mkdirSync(join(runtime.folder, 'images'));
  const args = ['checkpoint', '--image-path', join(runtime.folder, 'images'), box.id];
  expect(refusal(await runtime.call(args))).toMatch(/cannot be checkpointed|not running/i);
});

test('checkpoint: where criu does not work, it says so, and the container runs on', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const args = [
    '--criu',
    '/no/such/criu',
    'checkpoint',
    '--image-path',
    join(runtime.folder, 'images'),
    box.id,
  ];
  const result = await runtime.call(args, { env: { PATH: '/nowhere' } });
  expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/criu/i) });
  expect(await box.status()).toBe('running');
});

test('annotation org.criu.config: the file’s options are criu’s', async (context) => {
  skipOnThisMachineUnless(context, spawnSync('criu', ['--version']).status === 0, 'criu is not installed');
  await using runtime = new Runtime();
  const file = join(runtime.folder, 'criu.conf');
  writeFileSync(file, 'no-such-option 5\n');
  const box = await runtime.pause((config) => {
    config.annotations = { 'org.criu.config': file };
  });
  const result = await runtime.call(['checkpoint', '--image-path', join(runtime.folder, 'images'), box.id]);
  expect(refusal(result)).toContain('no-such-option');
  expect(await box.status()).toBe('running');
});

test('restore: from images that are not there is refused, and nothing stays', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle();
  const args = [
    'restore',
    '--image-path',
    join(runtime.folder, 'none'),
    '--bundle',
    bundle.path,
    runtime.id(),
  ];
  refusal(await runtime.call(args));
  expect(runtime.leftovers()).toEqual([]);
});
