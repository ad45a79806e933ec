import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { refusal } from '../support/expect.js';
import { Runtime } from '../support/runtime.js';

test('state: prints what runc prints, as JSON', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  const state = await box.state();
  expect(state).toEqual({
    ociVersion: expect.stringMatching(/^1\.\d+\.\d+/),
    id: box.id,
    pid: box.pid,
    status: 'created',
    bundle: box.bundle.path,
    rootfs: box.bundle.rootfs,
    created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
    owner: expect.any(String),
  });
});

test('state: the keys stand in the order of runc, two spaces deep', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  const { stdout } = await runtime.ok(['state', box.id]);
  expect(stdout.match(/^ {2}"(\w+)":/gm)?.map((key) => key.trim().slice(1, -2))).toEqual([
    'ociVersion',
    'id',
    'pid',
    'status',
    'bundle',
    'rootfs',
    'created',
    'owner',
  ]);
});

test('state: annotations of the configuration are shown', async () => {
  await using runtime = new Runtime();
  const annotations = { 'org.example.one': '1', 'org.example.two': 'a "quoted" word' };
  const box = await runtime.create((config) => {
    config.annotations = annotations;
  });
  expect((await box.state()).annotations).toEqual(annotations);
});

test('state: created, running, stopped', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create((config) => {
    config.process.args = ['sleep', '1000'];
  });
  const seen = [await box.status()];
  await box.start();
  seen.push(await box.status());
  await box.kill();
  await box.ended();
  seen.push(await box.status());
  expect(seen).toEqual(['created', 'running', 'stopped']);
});

test('state: a stopped container has the pid 0', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  expect((await box.state()).pid).toBe(0);
});

testWhere(isRoot)('state: a paused container is paused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['pause', box.id]);
  expect(await box.status()).toBe('paused');
});

test('state: created lies between the times before and after create', async () => {
  await using runtime = new Runtime();
  const before = Date.now() - 1000;
  const box = await runtime.create();
  const created = Date.parse((await box.state()).created ?? '');
  expect(created).toBeGreaterThanOrEqual(before);
  expect(created).toBeLessThanOrEqual(Date.now() + 1000);
});

test('state: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['state', runtime.id()]))).toBe('container does not exist');
});

test('state: without an ID it is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['state']))).toContain('"state" requires exactly 1 argument(s)');
});

test('state: list names the owner, who made the container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  const [entry] = JSON.parse((await runtime.ok(['list', '--format', 'json'])).stdout);
  expect(entry).toMatchObject({ id: box.id, owner: userInfo().username });
});
