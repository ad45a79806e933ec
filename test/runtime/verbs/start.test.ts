import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { refusal } from '../support/expect.js';
import { Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

test('start: runs the program of a created container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create((config) => {
    config.process.args = ['sh', '-c', 'echo begun; sleep 1000'];
  });
  const { stdout, stderr } = await runtime.ok(['start', box.id]);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  await box.says('begun');
  expect(await box.status()).toBe('running');
});

test('start: the program keeps the pid that create told', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await box.state()).pid).toBe(box.pid);
  expect(readFileSync(`/proc/${box.pid}/cmdline`, 'utf8')).toBe('sleep\x001000\0');
});

test('start: a running container is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await runtime.call(['start', box.id]))).toBe('cannot start an already running container');
  expect(await box.status()).toBe('running');
});

test('start: a stopped container is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  expect(refusal(await runtime.call(['start', box.id]))).toBe('cannot start a container that has stopped');
});

test('start: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['start', runtime.id()]))).toBe('container does not exist');
});

test('start: without an ID it is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['start']))).toContain('"start" requires exactly 1 argument(s)');
});

test('start: two at the same time, and one wins', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create((config) => {
    config.process.args = ['sh', '-c', 'echo once; sleep 1000'];
  });
  const results = await Promise.all([1, 2, 3, 4].map(() => runtime.call(['start', box.id])));
  expect(results.filter(({ code }) => code === 0)).toHaveLength(1);
  await box.says('once\n');
  expect(box.stdout).toBe('once\n');
});

test('start: a container whose first process was killed before it is refused as stopped', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  process.kill(box.pid, 'SIGKILL');
  await box.ended();
  expect(refusal(await runtime.call(['start', box.id]))).toMatch(
    /cannot start a container that has (stopped|been killed)/,
  );
});

test.runIf(isOurs)('start: poststart hooks run at start, not at create', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create((config) => {
    config.process.args = ['sleep', '1000'];
    config.hooks = {
      poststart: [{ path: '/bin/sh', args: ['sh', '-c', `echo ran > ${runtime.folder}/poststart`] }],
    };
  });
  const trace = join(runtime.folder, 'poststart');
  const before = existsSync(trace);
  await box.start();
  expect({ before, after: existsSync(trace) }).toEqual({ before: false, after: true });
});
