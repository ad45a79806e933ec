import { test as anyone, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { testWhere } from '../../support/where.js';
import { refusal } from '../support/expect.js';
import { Runtime } from '../support/runtime.js';

const test = testWhere(isRoot);

test('events: --stats prints one line of JSON in the form of runc', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause((config) => {
    config.linux.resources = {
      ...config.linux.resources,
      memory: { limit: 64 * 1024 * 1024 },
      pids: { limit: 40 },
    };
  });
  const { stdout } = await runtime.ok(['events', '--stats', box.id]);
  expect(stdout.trimEnd()).not.toContain('\n');
  const event = JSON.parse(stdout);
  expect(event).toMatchObject({ type: 'stats', id: box.id });
  expect(event.data.pids).toMatchObject({ current: 1, limit: 40 });
  expect(event.data.memory.usage.limit).toBe(64 * 1024 * 1024);
  expect(event.data.memory.usage.usage).toBeGreaterThan(0);
  expect(event.data.memory.raw).toEqual(expect.any(Object));
  expect(event.data.cpu.usage.total).toBeGreaterThan(0);
  expect(event.data.cpu.usage).toMatchObject({ kernel: expect.any(Number), user: expect.any(Number) });
  expect(event.data.cpu.throttling).toEqual(expect.any(Object));
  expect(event.data).toHaveProperty('blkio');
  expect(event.data).toHaveProperty('hugetlb');
});

test('events: --interval prints the statistics again and again, until the container is deleted', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const call = runtime.launch(['events', '--interval', '100ms', box.id], { patienceMs: 30_000 });
  await eventually(
    () => call.stdout.split('\n').filter((line) => line.includes('"stats"')).length,
    (count) => count >= 3,
    10_000,
  );
  await box.delete('--force');
  expect((await call.result).code).toBe(0);
});

for (const interval of ['0s', '-1s', 'soon', '5']) {
  test(`events: an --interval that is none is refused (${interval})`, async () => {
    await using runtime = new Runtime();
    const box = await runtime.pause();
    expect((await runtime.call(['events', `--interval=${interval}`, box.id])).code).toBe(1);
  });
}

test('events: an oom notice when the kernel kills for want of memory', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create((config) => {
    config.linux.resources = {
      ...config.linux.resources,
      memory: { limit: 16 * 1024 * 1024, swap: 16 * 1024 * 1024 },
    };
    config.process.args = ['sh', '-c', '/testinit hog 67108864; sleep 1000'];
  });
  const call = runtime.launch(['events', '--interval', '10s', box.id], { patienceMs: 30_000 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await box.start();
  const output = await eventually(
    () => call.stdout,
    (text) => text.includes('"oom"'),
    10_000,
  );
  expect(output.split('\n').find((line) => line.includes('"oom"'))).toBe(`{"type":"oom","id":"${box.id}"}`);
  await box.delete('--force');
  await call.result;
});

test('events: a stopped container is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  expect(refusal(await runtime.call(['events', '--stats', box.id]))).toBe(
    `container with id ${box.id} is not running`,
  );
});

anyone('events: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['events', '--stats', runtime.id()]))).toBe('container does not exist');
});
