import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { refusal } from '../support/expect.js';
import { Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

test('delete: removes a stopped container, and prints nothing', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  const { stdout, stderr } = await runtime.ok(['delete', box.id]);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  expect(runtime.leftovers()).toEqual([]);
  expect(refusal(await runtime.call(['state', box.id]))).toBe('container does not exist');
});

test('delete: a running container is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await runtime.call(['delete', box.id]))).toBe(
    `cannot delete container ${box.id} that is not stopped: running`,
  );
  expect(await box.status()).toBe('running');
});

testWhere(isRoot)('delete: a paused container is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['pause', box.id]);
  expect(refusal(await runtime.call(['delete', box.id]))).toContain('that is not stopped: paused');
  await runtime.ok(['resume', box.id]);
});

test('delete: a created container is killed and removed', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  await box.delete();
  await box.ended();
  expect(runtime.leftovers()).toEqual([]);
});

test('delete: --force kills a running container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.delete('--force');
  expect(box.isAlive()).toBe(false);
  expect(runtime.leftovers()).toEqual([]);
});

test('delete: -f is --force', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.delete('-f');
  expect(runtime.leftovers()).toEqual([]);
});

testWhere(isRoot)('delete: --force kills a paused container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['pause', box.id]);
  await box.delete('--force');
  expect(runtime.leftovers()).toEqual([]);
});

test('delete: --force of a container that does not exist is 0 and silent', async () => {
  await using runtime = new Runtime();
  const { stdout, stderr } = await runtime.ok(['delete', '--force', runtime.id()]);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});

test('delete: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['delete', runtime.id()]))).toBe('container does not exist');
});

test('delete: twice, and the second is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  await box.delete();
  expect(refusal(await runtime.call(['delete', box.id]))).toBe('container does not exist');
});

test('delete: the ID is free for another container then', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  await box.delete();
  const again = await runtime.create(undefined, { id: box.id });
  expect(await again.status()).toBe('created');
});

test('delete: two at the same time leave nothing', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const results = await Promise.all([1, 2, 3, 4].map(() => runtime.call(['delete', '--force', box.id])));
  expect(results.some(({ code }) => code === 0)).toBe(true);
  expect(runtime.leftovers()).toEqual([]);
});

test('delete: a container whose bundle is gone is deleted all the same', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  box.bundle.write('nonsense');
  await box.delete('--force');
  expect(runtime.leftovers()).toEqual([]);
});

testWhere(isRoot)(
  'delete: processes that stay in the cgroup of a shared pid namespace are killed',
  async () => {
    await using runtime = new Runtime();
    const box = await runtime.start((config) => {
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
      config.process.args = ['sh', '-c', 'sleep 999 & echo ready; sleep 1000'];
    });
    await box.says('ready');
    await box.delete('--force');
    expect(runtime.leftovers()).toEqual([]);
  },
);

testWhere(isRoot)('delete: groups that the container has made in its own are removed', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause((config) => {
    for (const mount of config.mounts)
      if (mount.type === 'cgroup') mount.options = (mount.options ?? []).filter((option) => option !== 'ro');
  });
  await box.sh(
    'cd /sys/fs/cgroup/memory 2>/dev/null || cd /sys/fs/cgroup; mkdir -p one/two && echo $$ > one/two/cgroup.procs',
  );
  await box.delete('--force');
  expect(runtime.leftovers()).toEqual([]);
});

test('delete: poststop hooks run', async () => {
  await using runtime = new Runtime();
  const trace = join(runtime.folder, 'poststop');
  const box = await runtime.create((config) => {
    config.hooks = { poststop: [{ path: '/bin/sh', args: ['sh', '-c', `cat > ${trace}`] }] };
  });
  const before = existsSync(trace);
  await box.delete();
  expect({ before, after: existsSync(trace) }).toEqual({ before: false, after: true });
});

test('delete: a poststop hook that fails does not keep the container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create((config) => {
    config.hooks = { poststop: [{ path: '/bin/false' }] };
  });
  await box.delete();
  expect(runtime.leftovers()).toEqual([]);
});

test.runIf(isOurs)('delete: --regex removes every container whose ID matches', async () => {
  await using runtime = new Runtime();
  await runtime.create(undefined, { id: 'web-1' });
  await runtime.create(undefined, { id: 'web-2' });
  await runtime.create(undefined, { id: 'db-1' });
  await runtime.ok(['delete', '--force', '--regex', 'web-.*']);
  expect(runtime.states()).toEqual(['db-1']);
});

test('delete: without an ID it is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['delete']))).toContain('"delete" requires exactly 1 argument(s)');
});
