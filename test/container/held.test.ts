import { availableParallelism } from 'node:os';
import { Sandbox } from 'nsbox';
import { expect, test } from 'vitest';
import { processTable, read } from '../support/leaks.js';
import { hasGroups } from '../support/mode.js';
import { eventually } from '../support/polling.js';
import { sharedRoot } from '../support/temporary.js';
import { describeWhere } from '../support/where.js';

const rootfs = sharedRoot().path;
const MEGABYTE = 1024 * 1024;

describeWhere(hasGroups)('a held box', () => {
  test('is bounded by new limits as by those that it began with', async () => {
    await using box = await Sandbox.create({ rootfs, limits: { memory: '64m', pids: 20 } });
    await box.update({ pids: 8 });
    expect((await box.exec(['/testinit', 'fork', '100']).nothrow()).stdout).toMatch(/^[0-7] EAGAIN$/);
    await box.update({ memory: '16m' });
    expect((await box.exec(['/testinit', 'hog', String(48 * MEGABYTE)]).nothrow()).oomKilled).toBe(true);
    await box.update({ memory: '64m' });
    expect((await box.exec(['/testinit', 'hog', String(48 * MEGABYTE)]).nothrow()).oomKilled).toBe(false);
  });

  test('keeps its limits when a new one is wrong', async () => {
    await using box = await Sandbox.create({ rootfs, limits: { pids: 20 } });
    await expect(box.update({ pids: 0 })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    // @ts-expect-error: no such limit
    await expect(box.update({ pid: 3 })).rejects.toMatchObject({ hint: expect.stringContaining('pids') });
    expect((await box.stats()).pids.limit).toBe(20);
  });

  test('counts the files that it writes as memory', async () => {
    await using box = await Sandbox.create({ rootfs, limits: { memory: '32m' } });
    await box.exec(['/testinit', 'fill', '/large', String(16 * MEGABYTE)]);
    expect((await box.stats()).memory.current).toBeGreaterThan(15 * MEGABYTE);
  });

  test('counts its processor time', async () => {
    await using box = await Sandbox.create({ rootfs });
    const before = (await box.stats()).cpu.usageMs ?? 0;
    await box.exec(['/testinit', 'spin', '100']);
    expect(((await box.stats()).cpu.usageMs ?? 0) - before).toBeGreaterThan(20);
  });

  test('may be tied to some processors', async () => {
    for (const cpuset of new Set(['0', String(availableParallelism() - 1)])) {
      await using box = await Sandbox.create({ rootfs, limits: { cpuset } });
      expect((await box.exec(['/testinit', 'cpus'])).stdout).toBe(cpuset);
    }
    await expect(Sandbox.create({ rootfs, limits: { cpuset: '4000' } })).rejects.toMatchObject({
      name: 'NsboxError',
    });
  });

  test('takes a fork bomb with it', async () => {
    const box = await Sandbox.create({ rootfs, limits: { pids: 64 } });
    const bomb = box.exec(['/testinit', 'fork', '1000', 'wait']).nothrow();
    for await (const chunk of bomb.stdout) if (String(chunk).includes('ready')) break;
    const inside = processTable().filter(({ parent }) => parent === box.pid);
    expect(inside).toHaveLength(1);
    await box[Symbol.asyncDispose]();
    expect(processTable().filter(({ parent }) => parent === inside[0]?.pid)).toEqual([]);
  });
});

test('a paused box stands still, and goes on when it is resumed', async () => {
  await using box = await Sandbox.create({ rootfs });
  const running = box.exec(['/testinit', 'trap', '10']);
  for await (const chunk of running.stdout) if (String(chunk).includes('ready')) break;
  await box.pause();
  await box.pause();
  const pid = processTable().find(({ parent }) => parent === box.pid)?.pid ?? 0;
  await eventually(() => isStopped(pid));
  running.kill('SIGUSR1');
  expect(isStopped(pid)).toBe(true);
  await box.resume();
  await box.resume();
  expect(await running).toMatchObject({ exitCode: 0 });
});

// Stopped by a signal, in the refrigerator of cgroup v1, or in the trap of v2, which the state does not tell of.
function isStopped(pid: number): boolean {
  if (/^State:\s+[TtD]/m.test(read(`/proc/${pid}/status`))) return true;
  return /get_signal|freezer|refrigerator/.test(read(`/proc/${pid}/wchan`));
}
