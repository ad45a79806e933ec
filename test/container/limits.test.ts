import { Sandbox } from 'nsbox';
import { expect, test } from 'vitest';
import { hasGroups, isSlow } from '../support/mode.js';
import { eventually } from '../support/polling.js';
import { sharedRoot } from '../support/temporary.js';
import { describeWhere } from '../support/where.js';

const root = sharedRoot();
const rootfs = root.path;

// Without groups of its own a user cannot limit anything; then each wish is refused, with the way to get it.
describeWhere(hasGroups)('limits', () => {
  test('a hog is killed at its memory limit, and the result says so', async () => {
    const result = await Sandbox.run(['sh', '-c', 'head -c 300m /dev/zero | tail -n 1'], {
      limits: { memory: '40m' },
    }).nothrow();
    expect(result.oomKilled).toBe(true);
  });

  test('a killed command’s error says that memory ran out', async () => {
    await using box = await Sandbox.create({ limits: { memory: '40m' } });
    const hog = box.exec(['tail', '/dev/zero']);
    await expect(hog).rejects.toMatchObject({
      code: 'ERR_COMMAND_FAILED',
      oomKilled: true,
      signal: 'SIGKILL',
    });
    await expect(hog).rejects.toThrow(/ran out of memory/);
    // The next one starts with a clean slate.
    expect((await box.exec(['true'])).oomKilled).toBe(false);
  });

  test('a listener hears of each kill', async () => {
    await using box = await Sandbox.create({ limits: { memory: '40m' } });
    const kills: number[] = [];
    const stop = box.onOom((count) => kills.push(count));
    await box.exec(['tail', '/dev/zero']).nothrow();
    await eventually(
      () => kills,
      (all) => all.length > 0,
    );
    stop();
    expect(kills[0]).toBeGreaterThan(0);
  });

  test('a fork bomb stops at the limit of processes', async () => {
    await using box = await Sandbox.create({ limits: { pids: 32 } });
    const bomb = await box
      .exec(['sh', '-c', 'for i in $(seq 60); do sleep 100 & done; echo all'], { timeout: '30s' })
      .nothrow();
    expect(bomb.stdout).not.toContain('all');
    const { pids } = await box.stats();
    expect(pids.current).toBeLessThanOrEqual(32);
    expect(pids.limit).toBe(32);
  });

  test('half a CPU is half a CPU', async () => {
    const seconds = isSlow ? 6 : 2;
    const result = await Sandbox.run(['sh', '-c', 'while :; do :; done'], {
      limits: { cpus: 0.5 },
      timeout: `${seconds}s`,
    }).nothrow();
    expect(result.timedOut).toBe(true);
    // Never more than its share; less only where others take the machine.
    expect(result.usage.cpuMs / result.durationMs).toBeLessThan(0.56);
    expect(result.usage.cpuMs / result.durationMs).toBeGreaterThan(0.2);
  });

  test('limits are changed while the sandbox runs', async () => {
    await using box = await Sandbox.create({ rootfs, limits: { memory: '200m', pids: 100 } });
    await box.update({ memory: '100m' });
    expect((await box.stats()).memory.limit).toBe(100 * 1024 * 1024);
    expect((await box.stats()).pids.limit).toBe(100);
    await box.update({ pids: 10 });
    expect((await box.stats()).pids.limit).toBe(10);
  });

  test('a held sandbox without limits has stats', async () => {
    await using box = await Sandbox.create({ rootfs });
    await box.exec(['/testinit', 'print', 'x', '']);
    const stats = await box.stats();
    expect(stats.memory.current).toBeGreaterThan(0);
    expect(stats.pids.current).toBe(1);
    expect(stats.memory.limit).toBeUndefined();
  });

  test('a paused sandbox stands still and takes no command', async () => {
    await using box = await Sandbox.create({ rootfs });
    const waiting = box.exec(['/testinit', 'pause']).nothrow();
    await box.pause();
    expect(() => box.exec(['/testinit', 'pause'])).toThrow(/is paused/);
    await box.resume();
    expect((await box.exec(['/testinit', 'print', 'on', ''])).stdout).toBe('on');
    waiting.kill('SIGKILL');
    await waiting;
  });

  test('a paused sandbox can be disposed of', async () => {
    const box = await Sandbox.create({ rootfs });
    const waiting = box.exec(['/testinit', 'pause']).nothrow();
    await box.pause();
    await box[Symbol.asyncDispose]();
    expect((await waiting).signal).toBe('SIGKILL');
  });

  test('each limit that makes no sense is refused', () => {
    for (const limits of [
      { memory: '12q' },
      { memory: 100 },
      { memory: '64m', memorySwap: '32m' },
      { memorySwap: '32m' },
      { cpus: 0 },
      { cpus: -1 },
      { cpus: 'many' },
      { pids: 0 },
      { pids: 1.5 },
      { cpuShares: 1 },
      { cpuset: '0-' },
      { cpuset: 'all' },
    ])
      expect(() => Sandbox.run(['true'], { limits }), JSON.stringify(limits)).toThrow(/^limits\./);
  });
});

describeWhere(!hasGroups)('without groups', () => {
  for (const limits of [{ memory: '64m' }, { pids: 32 }, { cpus: 0.5 }])
    test(`${Object.keys(limits)} is refused with its remedy`, () => {
      expect(() => Sandbox.run(['true'], { limits })).toThrow(
        expect.objectContaining({
          code: 'ERR_LIMIT_UNAVAILABLE',
          hint: expect.stringContaining('Delegate=yes'),
        }),
      );
    });

  test('a sandbox without limits runs, is paused and resumed, and has no stats', async () => {
    await using box = await Sandbox.create({ rootfs });
    const spinning = box.exec(['/testinit', 'pause']).nothrow();
    await box.pause();
    await box.resume();
    await expect(box.stats()).rejects.toMatchObject({ code: 'ERR_LIMIT_UNAVAILABLE' });
    await expect(box.update({ pids: 5 })).rejects.toMatchObject({ code: 'ERR_LIMIT_UNAVAILABLE' });
    spinning.kill('SIGKILL');
    await spinning;
  });
});
