import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type Change, Sandbox } from 'nsbox';
import { describe, expect, test } from 'vitest';
import { isRoot } from '../support/mode.js';
import { sharedRoot, TemporaryDirectory, TemporaryRoot } from '../support/temporary.js';

const root = sharedRoot();

/** A root with files to be changed. */
function furnished(): TemporaryRoot {
  const made = new TemporaryRoot(['kept', 'old/deep', 'gone']);
  for (const name of ['file', 'removed', 'old/a', 'old/deep/b', 'gone/c', 'kept/d'])
    writeFileSync(made.join(name), name);
  symlinkSync('file', made.join('link'));
  linkSync(made.join('file'), made.join('hard'));
  return made;
}

async function list(box: Sandbox): Promise<string[]> {
  const found: string[] = [];
  for await (const { kind, path } of box.changes()) found.push(`${kind} ${path}`);
  return found.sort();
}

async function change(box: Sandbox, path: string): Promise<Change | undefined> {
  for await (const one of box.changes()) if (one.path === path) return one;
  return undefined;
}

async function inside(box: Sandbox, ...args: readonly string[]): Promise<void> {
  await box.exec(['/testinit', ...args]);
}

describe('changes', () => {
  test('of a box that did nothing are none', async () => {
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [{ type: 'tmpfs', target: '/tmp' }],
    });
    await box.exec(['/testinit', 'ls', '/']);
    expect((await list(box)).filter((line) => !/ \/(tmp|proc|sys|dev)$/.test(line))).toEqual([]);
  });

  test('of the host’s files name what was made, changed and removed', async () => {
    await using box = await Sandbox.create({ workspace: false });
    await box.exec(['sh', '-c', 'echo x > /etc/nsbox-made; rm /etc/hostname; mkdir /opt/nsbox-dir']);
    const found = await list(box);
    expect(found).toEqual(
      expect.arrayContaining(['added /etc/nsbox-made', 'deleted /etc/hostname', 'added /opt/nsbox-dir']),
    );
    expect(found.filter((line) => line.startsWith('modified') && !/ (\/etc|\/opt|\/)$/.test(line))).toEqual(
      [],
    );
  });

  test('tell type, size and mode', async () => {
    await using own = furnished();
    await using box = await Sandbox.create({ rootfs: own.path });
    await inside(box, 'write', '/new', '12345');
    await inside(box, 'symlink', 'anywhere', '/newlink');
    await inside(box, 'mkfifo', '/fifo');
    await inside(box, 'unlink', '/removed');
    await inside(box, 'chmod', '/kept/d', '600');
    expect(await change(box, '/new')).toMatchObject({ kind: 'added', type: 'file', size: 5, mode: 0o100644 });
    expect(await change(box, '/newlink')).toMatchObject({ kind: 'added', type: 'symlink', size: 0 });
    expect(await change(box, '/fifo')).toMatchObject({ kind: 'added', type: 'other' });
    expect(await change(box, '/removed')).toMatchObject({ kind: 'deleted', size: 0, mode: 0 });
    expect(await change(box, '/kept/d')).toMatchObject({ kind: 'modified', mode: 0o100600 });
  });

  test('a directory that was replaced is told as modified, and applied as a whole', async () => {
    await using own = furnished();
    await using box = await Sandbox.create({ rootfs: own.path });
    await inside(box, 'unlink', '/gone/c');
    await inside(box, 'rmdir', '/gone');
    await inside(box, 'mkdir', '/gone');
    await inside(box, 'write', '/gone/new', 'x');
    const found = await list(box);
    expect(found).toContain('added /gone/new');
    expect(found).toContain('modified /gone');
    await box.apply({ paths: ['/gone'] });
    expect(readdirSync(own.join('gone'))).toEqual(['new']);
  });

  test('a file that was renamed is gone here and new there', async () => {
    await using own = furnished();
    await using box = await Sandbox.create({ rootfs: own.path });
    await inside(box, 'rename', '/removed', '/kept/moved');
    expect(await list(box)).toEqual(expect.arrayContaining(['deleted /removed', 'added /kept/moved']));
  });

  test('can be read while the box writes', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    const writing = Promise.all(Array.from({ length: 20 }, (_, i) => inside(box, 'write', `/w${i}`, 'x')));
    for (let i = 0; i < 5; i++) await list(box);
    await writing;
    expect((await list(box)).filter((line) => line.startsWith('added /w'))).toHaveLength(20);
  });
});

describe('apply', () => {
  test('carries chosen changes out, and no others', async () => {
    await using own = furnished();
    await using box = await Sandbox.create({ rootfs: own.path });
    await inside(box, 'write', '/kept/new', 'new');
    await inside(box, 'write', '/kept/d', 'changed');
    await inside(box, 'unlink', '/gone/c');
    await inside(box, 'write', '/elsewhere', 'x');
    expect(await box.apply({ paths: ['/kept', '/gone/c'] })).toBeGreaterThanOrEqual(3);
    expect(readFileSync(own.join('kept/new'), 'utf8')).toBe('new');
    expect(readFileSync(own.join('kept/d'), 'utf8')).toBe('changed');
    expect(readdirSync(own.join('gone'))).toEqual([]);
    expect(readdirSync(own.path)).not.toContain('elsewhere');
  });

  test('to a workspace', async () => {
    await using folder = new TemporaryDirectory();
    writeFileSync(folder.join('a'), 'a');
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'echo b > b; mkdir -p out/deep; echo c > out/deep/c; rm a; ln -s b l']);
    await box.apply({ paths: [folder.path] });
    expect(readdirSync(folder.path).sort()).toEqual(['b', 'l', 'out']);
    expect(readFileSync(folder.join('out/deep/c'), 'utf8')).toBe('c\n');
    expect(readlinkSync(folder.join('l'))).toBe('b');
  });

  test('takes away what makes a program more powerful', async () => {
    await using own = furnished();
    await using box = await Sandbox.create({ rootfs: own.path });
    await inside(box, 'write', '/kept/suid', 'x');
    await inside(box, 'chmod', '/kept/suid', '6755');
    await box.apply({ paths: ['/kept/suid'] });
    expect(lstatSync(own.join('kept/suid')).mode & 0o7777).toBe(0o755);
  });

  test('leaves devices and sockets behind', async () => {
    await using own = furnished();
    await using box = await Sandbox.create({ rootfs: own.path });
    await box.exec(['/testinit', 'mknod', '/kept/device', 'c', '1', '3']).nothrow();
    await inside(box, 'mkfifo', '/kept/fifo');
    await box.apply({ paths: ['/kept'] });
    expect(readdirSync(own.join('kept'))).not.toContain('device');
  });

  test('never follows a link of the machine’s', async () => {
    await using own = furnished();
    await using outside = new TemporaryDirectory();
    mkdirSync(outside.join('d'));
    await using box = await Sandbox.create({ rootfs: own.path });
    await inside(box, 'write', '/old/deep/new', 'x');
    await inside(box, 'write', '/kept/target', 'x');
    // Meanwhile somebody puts links in their places.
    const { rmSync } = await import('node:fs');
    rmSync(own.join('old/deep'), { recursive: true });
    symlinkSync(outside.join('d'), own.join('old/deep'));
    symlinkSync(outside.join('written'), own.join('kept/target'));
    await box.apply({ paths: ['/old', '/kept'] }).catch(() => undefined);
    expect(readdirSync(outside.path)).toEqual(['d']);
    expect(readdirSync(outside.join('d'))).toEqual([]);
  });

  test('a directory that became a file, and a file that became a directory', async () => {
    await using own = furnished();
    await using box = await Sandbox.create({ rootfs: own.path });
    await inside(box, 'unlink', '/gone/c');
    await inside(box, 'rmdir', '/gone');
    await inside(box, 'write', '/gone', 'file now');
    await inside(box, 'unlink', '/removed');
    await inside(box, 'mkdir', '/removed');
    await inside(box, 'write', '/removed/in', 'x');
    await box.apply({ paths: ['/gone', '/removed'] });
    expect(readFileSync(own.join('gone'), 'utf8')).toBe('file now');
    expect(readFileSync(own.join('removed/in'), 'utf8')).toBe('x');
  });

  test('paths that cannot be are refused', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await expect(box.apply({ paths: ['relative'] })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await using host = await Sandbox.create();
    await expect(host.apply({ paths: ['/tmp/x'] })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });
});

describe('snapshots', () => {
  test('forks begin where the box was, and go their own ways', async () => {
    await using own = furnished();
    await using box = await Sandbox.create({ rootfs: own.path });
    await inside(box, 'write', '/state', 'frozen');
    await inside(box, 'unlink', '/removed');
    await using point = await box.snapshot();
    await inside(box, 'write', '/state', 'went on');
    await using one = await point.start();
    await using two = await point.start();
    await inside(one, 'write', '/state', 'one');
    expect(await one.fs.readFile('/state', 'utf8')).toBe('one');
    expect(await two.fs.readFile('/state', 'utf8')).toBe('frozen');
    expect(await box.fs.readFile('/state', 'utf8')).toBe('went on');
    expect(await two.fs.exists('/removed')).toBe(false);
    expect(readdirSync(own.path)).toContain('removed');
  });

  test('a fork’s changes are those since the snapshot', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await inside(box, 'write', '/before', 'x');
    await using point = await box.snapshot();
    await using fork = await point.start();
    await inside(fork, 'write', '/after', 'x');
    const found = await list(fork);
    expect(found).toContain('added /after');
    expect(found).not.toContain('added /before');
  });

  test('of the host’s files too, and of forks again', async () => {
    await using box = await Sandbox.create();
    await box.exec(['sh', '-c', 'echo 1 > /etc/one']);
    await using point = await box.snapshot();
    await using fork = await point.start();
    await fork.exec(['sh', '-c', 'echo 2 > /etc/two']);
    await using second = await fork.snapshot();
    await using last = await second.start({ network: 'none' });
    expect((await last.exec(['cat', '/etc/one', '/etc/two'])).stdout).toBe('1\n2');
    expect(readdirSync('/etc').filter((name) => ['one', 'two'].includes(name))).toEqual([]);
  });

  test('the box goes on, also from a pause', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await box.pause();
    await using _ = await box.snapshot();
    expect(() => box.exec(['/testinit', 'true'])).toThrow(/paused/);
    await box.resume();
    await inside(box, 'true');
  });

  test('disposing ends the forks and removes the files', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    const point = await box.snapshot();
    const fork = await point.start();
    await point[Symbol.asyncDispose]();
    await fork.wait();
    await expect(point.start()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await inside(box, 'true');
  });

  test('keep ownership and modes', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await box.fs.writeFile('/private', 'x', { mode: 0o600 });
    await box.fs.symlink('private', '/alias');
    if (isRoot) await inside(box, 'chown', '/private', '12', '34');
    await using point = await box.snapshot();
    await using fork = await point.start();
    expect((await fork.exec(['/testinit', 'stat', '/private'])).stdout).toMatch(
      isRoot ? /^file 600 12:34 / : /^file 600 0:0 /,
    );
    expect(await fork.fs.readlink('/alias')).toBe('private');
  });
});
