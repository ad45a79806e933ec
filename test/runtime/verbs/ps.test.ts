import { test as anyone, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { refusal } from '../support/expect.js';
import { type Container, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

// Which processes are a container's is asked of its cgroup, which an ordinary user may not have.
const test = testWhere(isRoot);
const testOurs = testWhere(isRoot && isOurs);

async function two(runtime: Runtime): Promise<Container> {
  const box = await runtime.start((config) => {
    config.process.args = ['sh', '-c', 'sleep 999 & echo ready; sleep 1000'];
  });
  await box.says('ready');
  return box;
}

test('ps: prints a table of the container’s processes', async () => {
  await using runtime = new Runtime();
  const box = await two(runtime);
  const [header, ...lines] = (await runtime.ok(['ps', box.id])).stdout.trimEnd().split('\n');
  expect(header).toMatch(/^UID +PID +PPID +C STIME TTY +TIME CMD$/);
  expect(lines.some((line) => /^root +\d+ .* sleep 999$/.test(line))).toBe(true);
  expect(lines.find((line) => line.includes(` ${box.pid} `))).toMatch(/ sleep 1000$/);
});

test('ps: --format json prints the pids', async () => {
  await using runtime = new Runtime();
  const box = await two(runtime);
  const pids: unknown = JSON.parse((await runtime.ok(['ps', '--format', 'json', box.id])).stdout);
  expect(pids).toContain(box.pid);
});

test('ps: -f is --format', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await runtime.ok(['ps', '-f', 'json', box.id])).stdout).toBe(`[${box.pid}]\n`);
});

test('ps: what follows the ID are arguments of ps', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const { stdout } = await runtime.ok(['ps', box.id, '-o', 'pid,comm']);
  expect(stdout).toMatch(new RegExp(`^ *PID COMMAND\n *${box.pid} sleep\n$`));
});

test('ps: BSD arguments work too', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const { stdout } = await runtime.ok(['ps', box.id, 'aux']);
  expect(stdout).toMatch(new RegExp(`^USER +PID .*\\nroot +${box.pid} .*sleep 1000\\n$`));
});

test('ps: arguments that ps refuses are refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await runtime.call(['ps', box.id, '--no-such-flag'])).code).toBe(1);
});

test('ps: ps arguments without a pid column are refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await runtime.call(['ps', box.id, '-o', 'comm']))).toContain(
    "couldn't find PID field in ps output",
  );
});

test('ps: a created container has its first process', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  expect(JSON.parse((await runtime.ok(['ps', '-f', 'json', box.id])).stdout)).toEqual([box.pid]);
});

test('ps: a stopped container has none', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  expect((await runtime.ok(['ps', box.id])).stdout.trimEnd().split('\n')).toHaveLength(1);
});

test('ps: processes of exec are listed', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.exec(['sleep', '777'], ['--detach']);
  expect((await runtime.ok(['ps', box.id])).stdout).toContain('sleep 777');
});

test('ps: an unknown --format is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await runtime.call(['ps', '--format', 'yaml', box.id]))).toBe('invalid format option');
});

anyone('ps: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['ps', runtime.id()]))).toBe('container does not exist');
});

testOurs('ps: --format may stand after the ID', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await runtime.ok(['ps', box.id, '--format', 'json'])).stdout).toBe(`[${box.pid}]\n`);
});
