import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TemporaryDirectory } from '../../support/temporary.js';
import { testWhere } from '../../support/where.js';
import { ok } from '../support/command.js';
import type { Engine } from '../support/engine.js';

/** Mounts, the read-only root, devices, and what of /proc is hidden. */
export function filesystemSuite(engine: Engine): void {
  test('a volume is written through, a read-only one is not', async () => {
    await using folder = new TemporaryDirectory();
    // The ordinary user's root is another user than this one.
    for (const name of ['rw', 'ro']) mkdirSync(folder.join(name));
    for (const path of [folder.path, folder.join('rw'), folder.join('ro')]) chmodSync(path, 0o777);
    writeFileSync(folder.join('ro/file'), 'from outside');
    const options = [`--volume=${folder.join('rw')}:/rw`, `--volume=${folder.join('ro')}:/ro:ro`];
    const script = 'cat /ro/file; echo inside > /rw/file; touch /ro/no 2>&1; true';
    expect(await engine.inside(options, script)).toMatch(/^from outside.*Read-only file system/s);
    expect(readFileSync(folder.join('rw/file'), 'utf8')).toBe('inside\n');
  });

  test('a named volume holds what the image has there, and what is written', async () => {
    const volume = engine.freshName();
    try {
      await engine.inside([`--volume=${volume}:/home`], 'echo kept > /home/file');
      expect(await engine.inside([`--volume=${volume}:/home`], 'ls /home; cat /home/file')).toBe(
        'app\nfile\nkept',
      );
    } finally {
      await engine.ok(['volume', 'rm', volume]);
    }
  });

  test('the root is read-only if told, its tmpfs is not', async () => {
    const script = 'touch /file 2>&1; touch /scratch/file && stat -c %a /scratch; df -m /scratch | tail -n 1';
    const output = await engine.inside(['--read-only', '--tmpfs=/scratch:size=5m,mode=700'], script);
    const [refused, mode, size] = output.split('\n');
    expect(refused).toContain('Read-only file system');
    expect(mode).toBe('700');
    expect(size).toMatch(/^tmpfs +5 /);
  });

  test('shared memory has the size told', async () => {
    expect(await engine.inside(['--shm-size=3m'], 'df -m /dev/shm | tail -n 1')).toMatch(/ 3 /);
  });

  test('devices: the usual ones, one more if told, and no other', async () => {
    const script = [
      'head -c 3 /dev/nought | wc -c',
      'for name in null zero full random urandom tty; do [ -c /dev/$name ] || echo $name is missing; done',
      'readlink /dev/stdin; readlink /dev/ptmx',
      'mknod /tmp/disk b 254 0 2>/dev/null && head -c 1 /tmp/disk 2>&1; true',
    ].join('\n');
    const [count, stdin, ptmx, refused] = (
      await engine.inside(['--device=/dev/zero:/dev/nought'], script)
    ).split('\n');
    expect([count, stdin, ptmx]).toEqual(['3', '/proc/self/fd/0', 'pts/ptmx']);
    if (refused !== undefined) expect(refused).toMatch(/not permitted|Permission denied|No such device/);
  });

  test('what is dangerous of /proc and /sys is hidden or read-only', async () => {
    const script = [
      'head -c 1 /proc/kcore | wc -c',
      'ls /proc/acpi 2>/dev/null | wc -l',
      'echo 1 2>/dev/null >/proc/sys/kernel/panic || echo panic',
      'mkdir /sys/fs/cgroup/pids/new 2>/dev/null || echo cgroup',
      'mkdir /sys/kernel/new 2>/dev/null || echo sys',
      // Only to see whether it could be: this asks for help.
      '[ ! -e /proc/sysrq-trigger ] || echo h 2>/dev/null >/proc/sysrq-trigger || echo sysrq',
    ].join('\n');
    const output = (await engine.inside([], script)).split('\n');
    expect(output.slice(0, 5)).toEqual(['0', '0', 'panic', 'cgroup', 'sys']);
  });

  testWhere(!engine.options.isRootless)('a mount below a volume arrives if told', async () => {
    await using folder = new TemporaryDirectory();
    mkdirSync(folder.join('below'));
    await using slave = await engine.start([`--volume=${folder.path}:/volume:rslave`]);
    await using apart = await engine.start([`--volume=${folder.path}:/volume:rprivate`]);
    await ok(['mount', '-t', 'tmpfs', 'interop', folder.join('below')]);
    try {
      expect(await slave.exec('grep', '-c', ' /volume/below ', '/proc/mounts')).toBe('1');
      expect((await apart.exec('cat', '/proc/mounts')).includes('/volume/below')).toBe(false);
    } finally {
      await ok(['umount', folder.join('below')]);
    }
  });

  test('files are copied in and out', async () => {
    await using folder = new TemporaryDirectory();
    chmodSync(folder.path, 0o777);
    await using container = await engine.start();
    writeFileSync(folder.join('in'), 'copied', { mode: 0o644 });
    await engine.ok(['cp', folder.join('in'), `${container.name}:/tmp/there`]);
    expect(await container.exec('cat', '/tmp/there')).toBe('copied');
    await engine.ok(['cp', `${container.name}:/tmp/there`, folder.join('out')]);
    expect(statSync(folder.join('out')).size).toBe(6);
  });
}
