import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Engine } from '../support/engine.js';

const MiB = 1024 * 1024;
const limit = (file: string): string => `cat /sys/fs/cgroup/${file}`;

/** Limits, as the container sees them in its cgroup and as it meets them; of cgroup v1 and hybrid machines. */
export function limitsSuite(engine: Engine): void {
  test('memory, processors and processes are limited as told', async () => {
    const options = ['--memory=48m', '--memory-swap=64m', '--memory-reservation=32m'];
    options.push('--cpus=0.5', '--cpu-shares=512', '--cpuset-cpus=0', '--pids-limit=33', '--blkio-weight=0');
    const files = [
      ...['memory/memory.limit_in_bytes', 'memory/memory.soft_limit_in_bytes'],
      ...['cpu/cpu.cfs_quota_us', 'cpu/cpu.cfs_period_us', 'cpu/cpu.shares'],
      ...['cpuset/cpuset.cpus', 'pids/pids.max'],
    ];
    const values = (await engine.inside(options, files.map(limit).join('; '))).split('\n').map(Number);
    const [memory, reservation, quota = 0, period = 1, shares, processor, pids] = values;
    expect([memory, reservation]).toEqual([48 * MiB, 32 * MiB]);
    expect(quota / period).toBe(0.5);
    expect([shares, processor, pids]).toEqual([512, 0, 33]);
  });

  test('the group is the container’s root, and cannot be changed from inside', async () => {
    const script =
      'echo 1 > /sys/fs/cgroup/pids/pids.max 2>&1 || echo refused; ls /sys/fs/cgroup/memory | wc -l';
    const output = await engine.inside([], script);
    expect(output).toContain('refused');
    expect(Number(output.split('\n').at(-1))).toBeGreaterThan(10);
  });

  test('too many processes are refused', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; echo never';
    const { code, stderr } = await engine.run([
      'run',
      '--rm',
      '--pids-limit=5',
      engine.image,
      'sh',
      '-c',
      script,
    ]);
    expect(stderr).toMatch(/can't fork|Resource temporarily unavailable/);
    expect(code).not.toBe(0);
  });

  test('too much memory is the end of it, and is told', async () => {
    const script = 'tail /dev/zero; echo $?; sleep 1; exit 9';
    const options = ['--memory=16m', '--memory-swap=16m'];
    await using container = await engine.start(options, ['sh', '-c', script]);
    expect(await container.do('wait')).toBe('9');
    expect((await container.logs()).split('\n').at(-1)).toBe('137');
    // conmon of that age does not see it on cgroup v1.
    if (engine.isDocker) expect(await container.inspect('{{.State.OOMKilled}}')).toBe('true');
  });

  test('limits are changed while it runs', async () => {
    await using container = await engine.start(['--memory=64m', '--memory-swap=64m']);
    await container.do(
      'update',
      '--memory=32m',
      '--memory-swap=32m',
      '--cpu-quota=20000',
      '--cpu-shares=200',
    );
    await container.do('update', '--pids-limit=44').catch(() => undefined);
    const script = ['memory/memory.limit_in_bytes', 'cpu/cpu.cfs_quota_us', 'cpu/cpu.shares']
      .map(limit)
      .join('; ');
    expect(await container.exec('sh', '-c', script)).toBe(`${32 * MiB}\n20000\n200`);
    await container.do('update', '--memory=96m', '--memory-swap=96m');
    expect(await container.exec('sh', '-c', limit('memory/memory.limit_in_bytes'))).toBe(`${96 * MiB}`);
    expect(await container.status()).toBe('running');
  });

  test('it is frozen and goes on', async () => {
    await using container = await engine.start([], ['sh', '-c', 'while echo; do sleep 0.05; done']);
    await container.do('pause');
    expect(await container.status()).toBe('paused');
    const lines = (await container.logs()).length;
    expect((await engine.run(['exec', container.name, 'true'])).code).not.toBe(0);
    expect((await container.logs()).length).toBe(lines);
    await container.do('unpause');
    expect(await container.status()).toBe('running');
    await container.exec('true');
  });

  test('a frozen container is removed by force', async () => {
    await using container = await engine.start();
    await container.do('pause');
    await container.do('rm', '--force');
    expect((await engine.run(['inspect', container.name])).code).not.toBe(0);
  });

  test('use is measured', async () => {
    await using container = await engine.start(['--memory=64m']);
    const format = '{{.MemUsage}} {{.PIDs}}';
    const output = await container.do('stats', '--no-stream', '--format', format);
    expect(output).toMatch(/(67\.1\dMB|64MiB) 1$/);
  });

  test('a namespace of groups hides where it is', async () => {
    const groups = (await engine.inside(['--cgroupns=private'], 'cut -d : -f 3 /proc/self/cgroup')).split(
      '\n',
    );
    expect(new Set(groups)).toEqual(new Set(['/']));
    expect(await engine.inside(['--cgroupns=host'], 'grep pids: /proc/self/cgroup')).toMatch(/:\/.+\/.+/);
  });

  test('a device is refused, and allowed by a rule', async () => {
    // The one of FUSE, which every kernel has that engines run on.
    const script = 'mknod /tmp/device c 10 229 && (: < /tmp/device) 2>&1 && echo opened';
    const refused = await engine.run(['run', '--rm', '--cap-add=MKNOD', engine.image, 'sh', '-c', script]);
    expect(refused.stdout).toContain('Operation not permitted');
    const options = ['--cap-add=MKNOD', '--device-cgroup-rule=c 10:229 rwm'];
    expect(await engine.inside(options, script)).toBe('opened');
  });

  test('the group is where it is told', async () => {
    const parent = `/interop-parent`;
    await using container = await engine.start([`--cgroup-parent=${parent}`]);
    const pid = await container.inspect('{{.State.Pid}}');
    const all = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
    // What limits or counts something here: nobody need be moved in the others.
    const groups = all.filter((line) => /^\d+:(memory|cpu|cpuacct|pids|blkio|devices):/.test(line));
    expect(groups.length).toBe(6);
    expect(groups.filter((line) => !line.includes(`:${parent}/`))).toEqual([]);
  });
}
