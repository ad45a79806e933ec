import { chmodSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TemporaryDirectory } from '../../support/temporary.js';
import type { Engine } from '../support/engine.js';

const status = (name: string): string => `awk '$1 == "${name}:" { print $2 }' /proc/self/status`;

/** Capabilities, seccomp, limits of the process, sysctls, and namespaces shared or not. */
export function securitySuite(engine: Engine): void {
  test('capabilities are dropped and added', async () => {
    const script = `${status('CapEff')}; ${status('CapBnd')}; ${status('CapInh')}; ${status('CapAmb')}`;
    const some = await engine.inside(['--cap-drop=all', '--cap-add=NET_BIND_SERVICE'], script);
    const [effective, bounding, , ambient] = some.split('\n').map((hex) => Number.parseInt(hex, 16));
    expect([effective, bounding, ambient]).toEqual([1 << 10, 1 << 10, 0]);
    const none = await engine.inside(['--cap-drop=all'], script);
    expect(none.split('\n').every((hex) => /^0+$/.test(hex))).toBe(true);
  });

  test('another user than root has no capabilities', async () => {
    expect(await engine.inside(['--user=app'], status('CapEff'))).toMatch(/^0+$/);
  });

  test('new privileges are refused if told', async () => {
    expect(await engine.inside(['--security-opt=no-new-privileges'], status('NoNewPrivs'))).toBe('1');
    expect(await engine.inside([], status('NoNewPrivs'))).toBe('0');
  });

  test('system calls are filtered by default, and not if told', async () => {
    expect(await engine.inside([], status('Seccomp'))).toBe('2');
    expect(await engine.inside(['--security-opt=seccomp=unconfined'], status('Seccomp'))).toBe('0');
  });

  test('a profile of the user is obeyed', async () => {
    await using folder = new TemporaryDirectory();
    chmodSync(folder.path, 0o755);
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }],
    };
    writeFileSync(folder.join('profile.json'), JSON.stringify(profile));
    const options = [`--security-opt=seccomp=${folder.join('profile.json')}`];
    expect(await engine.inside(options, 'mkdir /tmp/new 2>&1; true')).toContain('No space left on device');
  });

  test('limits of the process and its score are as told', async () => {
    const options = ['--ulimit=nofile=64:128', '--ulimit=core=0:0', '--oom-score-adj=500'];
    // podman would raise what is not told.
    if (!engine.isDocker) options.push('--ulimit=nproc=1024:1024');
    const script = 'ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj';
    expect(await engine.inside(options, script)).toBe('64\n128\n0\n500');
  });

  test('sysctls are set', async () => {
    const options = ['--sysctl=kernel.shm_rmid_forced=1', '--sysctl=net.ipv4.ip_unprivileged_port_start=79'];
    const files = '/proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start';
    expect(await engine.inside(options, `cat ${files}`)).toBe('1\n79');
  });

  test('each container has namespaces of its own', async () => {
    const kinds = ['mnt', 'pid', 'net', 'ipc', 'uts'];
    const script = `for kind in ${kinds.join(' ')}; do readlink /proc/self/ns/$kind; done`;
    // Both at once: the kernel gives numbers away again.
    await using one = await engine.start();
    await using another = await engine.start();
    const first = (await one.exec('sh', '-c', script)).split('\n');
    const second = (await another.exec('sh', '-c', script)).split('\n');
    expect(second).toHaveLength(kinds.length);
    expect(second.filter((namespace) => first.includes(namespace))).toEqual([]);
  });

  test('namespaces of another container are joined', async () => {
    await using container = await engine.start(['--ipc=shareable', '--hostname=first']);
    const kinds = ['network', 'pid', 'ipc'];
    const script = 'for kind in net pid ipc uts; do readlink /proc/self/ns/$kind; done';
    const theirs = (await container.exec('sh', '-c', script)).split('\n');
    const options = kinds.map((kind) => `--${kind}=container:${container.name}`);
    const ours = (await engine.inside(options, script)).split('\n');
    expect(ours.slice(0, 3)).toEqual(theirs.slice(0, 3));
    expect(ours[3]).not.toBe(theirs[3]);
  });

  test('an init of the engine reaps, and hands on the status', async () => {
    const { code, stdout } = await engine.run([
      ...['run', '--rm', '--init', engine.image],
      ...['sh', '-c', 'echo $$; exit 5'],
    ]);
    expect(code).toBe(5);
    expect(Number(stdout)).toBeGreaterThan(1);
  });
}
