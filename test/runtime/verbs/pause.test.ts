import { test as anyone, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { refusal } from '../support/expect.js';
import { Runtime } from '../support/runtime.js';

const test = testWhere(isRoot);

test('pause: stops every process until resume', async () => {
  await using runtime = new Runtime();
  const box = await runtime.start((config) => {
    config.process.args = ['sh', '-c', 'while :; do echo tick; sleep 0.02; done'];
  });
  await box.says('tick');
  const { stdout, stderr } = await runtime.ok(['pause', box.id]);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  const before = box.stdout;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(box.stdout).toBe(before);
  expect(await box.status()).toBe('paused');
  await runtime.ok(['resume', box.id]);
  await box.says(new RegExp(`^(tick\n){${before.length / 5 + 1},}`));
  expect(await box.status()).toBe('running');
});

test('pause: twice is refused with "container not running"', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['pause', box.id]);
  expect(refusal(await runtime.call(['pause', box.id]))).toBe('container not running');
  await runtime.ok(['resume', box.id]);
});

test('pause: a created container may be paused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  await runtime.ok(['pause', box.id]);
  expect(await box.status()).toBe('paused');
  await runtime.ok(['resume', box.id]);
  expect(await box.status()).toBe('created');
});

test('pause: a stopped container is refused with "container not running"', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  expect(refusal(await runtime.call(['pause', box.id]))).toBe('container not running');
});

anyone('pause: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['pause', runtime.id()]))).toBe('container does not exist');
});

test('resume: a running container is refused with "container not paused"', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await runtime.call(['resume', box.id]))).toBe('container not paused');
});

test('resume: a stopped container is refused with "container not paused"', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  expect(refusal(await runtime.call(['resume', box.id]))).toBe('container not paused');
});

anyone('resume: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['resume', runtime.id()]))).toBe('container does not exist');
});

test('kill: SIGKILL ends a paused container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['pause', box.id]);
  await box.kill();
  // runc thaws a container that it kills; where the kernel does it itself, there is nothing to thaw.
  await box.ended();
  expect(await box.status()).toBe('stopped');
});

test('pause: --all of kill ends a paused container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['pause', box.id]);
  await runtime.ok(['kill', '--all', box.id, 'KILL']);
  await box.ended();
});
