import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sandbox } from 'nsbox';
import { describe, expect, test } from 'vitest';
import { hasIdRanges, isRoot } from '../support/mode.js';
import { sharedRoot, TemporaryDirectory } from '../support/temporary.js';
import { testWhere } from '../support/where.js';

const root = sharedRoot();
const command = join(import.meta.dirname, '../../dist/cli.cjs');

/** Runs the command line with a file of the host as one of its descriptors. */
function nsbox(args: readonly string[], stdio: (number | 'pipe')[], prefix: readonly string[] = []) {
  const [program = '', ...rest] = [...prefix, process.execPath, command, 'run', ...args];
  return spawnSync(program, rest, { stdio, encoding: 'utf8' });
}

describe('what is the host’s stays as it is', () => {
  testWhere(hasIdRanges)('the null device, whoever the command runs as', async () => {
    const before = statSync('/dev/null');
    for (const user of ['0', '1234:1234']) {
      await Sandbox.run(['/testinit', 'chmod', '/proc/self/fd/0', '0'], {
        rootfs: root.path,
        user,
        stdin: 'ignore',
      }).nothrow();
      const fd = openSync('/dev/null', 'r+');
      nsbox(['-u', user, '--', 'sh', '-c', 'chmod 0 /proc/self/fd/0'], [fd, 'pipe', 'pipe']);
      closeSync(fd);
    }
    const { uid, gid, mode } = statSync('/dev/null');
    expect({ uid, gid, mode }).toEqual({ uid: before.uid, gid: before.gid, mode: before.mode });
  });

  test('a file that is read on stdin, in content, mode and owner', async () => {
    await using folder = new TemporaryDirectory();
    const file = folder.join('secret');
    writeFileSync(file, 'content', { mode: 0o600 });
    const before = statSync(file);
    const fd = openSync(file, 'r');
    const script = 'cat; chmod 777 /proc/self/fd/0; echo evil > /proc/self/fd/0';
    const { stdout } = nsbox(['--', 'sh', '-c', script], [fd, 'pipe', 'pipe']);
    closeSync(fd);
    expect(stdout).toBe('content');
    expect(readFileSync(file, 'utf8')).toBe('content');
    expect(statSync(file)).toMatchObject({ uid: before.uid, mode: before.mode });
  });

  test('a file that is written on stdout gets what is written', async () => {
    await using folder = new TemporaryDirectory();
    const file = folder.join('out');
    const fd = openSync(file, 'w');
    nsbox(['--', 'sh', '-c', 'echo one; chmod 777 /proc/self/fd/1; echo two'], ['pipe', fd, 'pipe']);
    closeSync(fd);
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
    expect(statSync(file).mode & 0o777).not.toBe(0o777);
  });

  test('a directory on stdin is refused', () => {
    const fd = openSync('/', 'r');
    const { status, stderr } = nsbox(['--', 'true'], [fd, 'pipe', 'pipe']);
    closeSync(fd);
    expect(status).toBe(125);
    expect(stderr).toMatch(/stdin: a directory/);
  });
});

testWhere(isRoot)('other file systems of the machine do not show again what is hidden below them', () => {
  const mark = '/var/tmp/nsbox-test-mark';
  writeFileSync(mark, '');
  try {
    const script = 'mount --bind /var /var && cd /usr && exec "$@"';
    const prefix = ['unshare', '-m', 'sh', '-c', script, 'sh'];
    const { stdout } = nsbox(['--', 'ls', '-A', '/var/tmp', '/var'], ['pipe', 'pipe', 'pipe'], prefix);
    expect(stdout).toContain('lib');
    expect(stdout).not.toContain('mark');
  } finally {
    rmSync(mark);
  }
});

test('five hundred commands at once are five hundred results', async () => {
  await using box = await Sandbox.create({ rootfs: root.path });
  const results = await Promise.all(
    Array.from({ length: 500 }, (_, i) => box.exec(['/testinit', 'print', String(i), ''])),
  );
  expect(results.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
});
