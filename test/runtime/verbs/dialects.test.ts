import { test as anyone, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { refusal } from '../support/expect.js';
import { type Patch, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

// runc's callers write flags before the ID, crun's behind it too.
const test = anyone.runIf(isOurs);
const testRoot = testWhere(isRoot && isOurs);

const sleeping: Patch = (config) => {
  config.process.args = ['sleep', '1000'];
};

test('create: flags may stand after the ID', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(sleeping);
  const id = runtime.id();
  await runtime.ok(['create', id, '--bundle', bundle.path, '--no-pivot']);
  await runtime.ok(['delete', id, '--force']);
  expect(runtime.leftovers()).toEqual([]);
});

test('run: flags may stand after the ID', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(sleeping);
  const id = runtime.id();
  await runtime.ok(['run', id, '-d', '-b', bundle.path]);
  expect((await runtime.ok(['state', id])).stdout).toContain('"running"');
});

testRoot('kill: --all may stand after the ID and the signal', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['kill', box.id, 'KILL', '--all']);
  await box.ended();
});

testRoot('exec: -u may stand after the ID', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await runtime.ok(['exec', box.id, '-u', '1000', 'id', '-u'])).stdout).toBe('1000\n');
});

test('exec: -- ends the flags', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await runtime.ok(['exec', '--', box.id, 'echo', '-e'])).stdout.trim()).toBe('');
  expect((await runtime.ok(['exec', box.id, '--', 'echo', 'well'])).stdout).toBe('well\n');
});

test('exec: short flags may hold their value: -e=A=1', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await runtime.ok(['exec', '-e=A=1', box.id, 'sh', '-c', 'echo $A'])).stdout).toBe('1\n');
});

test('delete: a switch may say =true or =false', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await runtime.call(['delete', '--force=false', box.id]))).toContain('that is not stopped');
  await runtime.ok(['delete', '--force=true', box.id]);
});

test('create: long flags may have one dash, as Go reads them', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(sleeping);
  await runtime.ok(['create', '-bundle', bundle.path, runtime.id()]);
});

test('create: a number flag that is no number is refused', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(sleeping);
  for (const value of ['many', '-1', '1.5', '99999999999999999999'])
    refusal(await runtime.call(['create', '--bundle', bundle.path, `--preserve-fds=${value}`, runtime.id()]));
  expect(runtime.leftovers()).toEqual([]);
});

test('state: global flags stand before the verb', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  await runtime.ok(['--debug=false', '--log-format=text', 'state', box.id]);
});
