import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Sandbox } from 'nsbox';
import { describe, expect, test } from 'vitest';
import { isRoot } from '../support/mode.js';
import { skipUnless } from '../support/skip.js';
import { TemporaryDirectory, TemporaryRoot } from '../support/temporary.js';

/** Every change as `kind path`, sorted. */
async function listed(box: Sandbox): Promise<string[]> {
  const all: string[] = [];
  for await (const { kind, path } of box.changes()) all.push(`${kind} ${path}`);
  return all.sort();
}

/** A box on a root with files and folders to change. */
async function startBox(root: TemporaryRoot): Promise<Sandbox> {
  mkdirSync(root.join('data/inner'), { recursive: true });
  writeFileSync(root.join('data/file'), 'lower');
  writeFileSync(root.join('data/inner/deep'), 'deep');
  writeFileSync(root.join('top'), 'top');
  symlinkSync('top', root.join('link'));
  return await Sandbox.create({ rootfs: root.path });
}

/** A directory of the machine with `/files/{kept,doomed}`, shown copy-on-write as the workspace. */
function workspaceFolder(): TemporaryDirectory {
  const folder = new TemporaryDirectory();
  chmodSync(folder.path, 0o755);
  writeFileSync(folder.join('kept'), 'kept');
  writeFileSync(folder.join('doomed'), 'doomed');
  mkdirSync(folder.join('sub'));
  writeFileSync(folder.join('sub/inner'), 'inner');
  return folder;
}

function say(box: Sandbox, ...args: readonly string[]) {
  return box.exec(['/testinit', ...args]);
}

describe('changes()', () => {
  test('a box that wrote nothing has none', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await say(box, 'cat', '/data/file');
    await say(box, 'ls', '/data');
    await box.fs.readFile('/data/inner/deep');
    expect(await listed(box)).toEqual([]);
  });

  test('what is added, modified and deleted, and nothing else', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await say(box, 'write', '/data/new', 'four');
    await say(box, 'append', '/data/file', '!');
    await say(box, 'unlink', '/top');
    await say(box, 'mkdir', '/made');
    await say(box, 'symlink', 'x', '/made/link');
    expect(await listed(box)).toEqual([
      'added /data/new',
      'added /made',
      'added /made/link',
      'deleted /top',
      'modified /data/file',
    ]);
  });

  test('with type, size and mode', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await box.fs.writeFile('/new', 'four', { mode: 0o640 });
    await box.fs.mkdir('/folder', { mode: 0o700 });
    await box.fs.symlink('anywhere', '/to-anywhere');
    await say(box, 'mkfifo', '/fifo');
    await box.fs.rm('/top');
    const byPath = new Map<string, object>();
    for await (const change of box.changes()) byPath.set(change.path, change);
    expect(byPath.get('/new')).toEqual({
      kind: 'added',
      path: '/new',
      type: 'file',
      size: 4,
      mode: 0o100640,
    });
    expect(byPath.get('/folder')).toEqual({
      kind: 'added',
      path: '/folder',
      type: 'directory',
      size: 0,
      mode: 0o040700,
    });
    expect(byPath.get('/to-anywhere')).toMatchObject({ kind: 'added', type: 'symlink', size: 0 });
    expect(byPath.get('/fifo')).toMatchObject({ kind: 'added', type: 'other', size: 0 });
    expect(byPath.get('/top')).toEqual({ kind: 'deleted', path: '/top', type: 'other', size: 0, mode: 0 });
    expect(byPath.size).toBe(5);
  });

  test('made and removed again is no change', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await say(box, 'write', '/passing', 'x');
    await say(box, 'unlink', '/passing');
    expect(await listed(box)).toEqual([]);
  });

  test('a mode alone is a change, of a file and of a directory', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await say(box, 'chmod', '/top', '600');
    await say(box, 'chmod', '/data', '700');
    expect(await listed(box)).toEqual(['modified /data', 'modified /top']);
  });

  test('a deleted directory is one entry', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await box.fs.rm('/data', { recursive: true });
    expect(await listed(box)).toEqual(['deleted /data']);
    expect((await say(box, 'ls', '/')).stdout.split('\n')).not.toContain('data');
  });

  test('a directory that took another’s place is modified, and all in it is new', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await box.fs.rm('/data', { recursive: true });
    await say(box, 'mkdir', '/data');
    await say(box, 'write', '/data/file', 'other');
    expect((await say(box, 'ls', '/data')).stdout).toBe('file');
    expect(await listed(box)).toEqual(['added /data/file', 'modified /data']);
  });

  test('a file in a directory’s place, and the other way round', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await box.fs.rm('/data', { recursive: true });
    await say(box, 'write', '/data', 'a file now');
    await say(box, 'unlink', '/top');
    await say(box, 'mkdir', '/top');
    await say(box, 'write', '/top/inside', 'x');
    expect(await listed(box)).toEqual(['added /top/inside', 'modified /data', 'modified /top']);
  });

  test('a renamed file is deleted and added', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await say(box, 'rename', '/data/file', '/data/renamed');
    expect((await say(box, 'cat', '/data/renamed')).stdout).toBe('lower');
    expect(await listed(box)).toEqual(['added /data/renamed', 'deleted /data/file']);
  });

  test('a directory of the root below is not renamed by halves', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    const { stdout } = await say(box, 'rename', '/data', '/moved').nothrow();
    // The kernel may leave the move to mv(1), which copies: then there is none.
    if (stdout === 'EXDEV') expect((await listed(box)).filter((line) => line.includes('moved'))).toEqual([]);
    else expect(await listed(box)).toEqual(expect.arrayContaining(['added /moved', 'deleted /data']));
    expect((await say(box, 'ls', '/data')).stdout === '').toBe(stdout !== 'EXDEV');
  });

  test('hard links are each a file', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await say(box, 'write', '/one', 'x');
    await say(box, 'link', '/one', '/two');
    await say(box, 'link', '/top', '/data/linked');
    const all = await listed(box);
    expect(all).toEqual(expect.arrayContaining(['added /data/linked', 'added /one', 'added /two']));
    expect(all).toHaveLength(4);
  });

  test('a link that is replaced, and one that is removed', async () => {
    await using root = new TemporaryRoot();
    symlinkSync('/etc/shadow', root.join('other'));
    await using box = await startBox(root);
    await say(box, 'unlink', '/link');
    await say(box, 'symlink', 'testinit', '/link');
    await say(box, 'unlink', '/other');
    expect(await listed(box)).toEqual(['deleted /other', 'modified /link']);
  });

  test('are listed anew at each call', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await say(box, 'write', '/one', '');
    expect(await listed(box)).toEqual(['added /one']);
    await say(box, 'write', '/two', '');
    expect(await listed(box)).toEqual(['added /one', 'added /two']);
  });

  test('what was made to mount on is none, but for what the box put beside it', async () => {
    await using root = new TemporaryRoot();
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [
        { type: 'tmpfs', target: '/made/for/it' },
        { type: 'bind', source: folder.join('kept'), target: '/settings/file' },
      ],
    });
    expect(await listed(box)).toEqual([]);
    await box.fs.writeFile('/made/own', 'x');
    expect(await listed(box)).toEqual(['added /made', 'added /made/own']);
  });

  test('can be read while the box writes', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    const writing = Promise.all(Array.from({ length: 20 }, (_, i) => say(box, 'write', `/w${i}`, 'x')));
    for (let i = 0; i < 5; i++) await listed(box);
    await writing;
    expect((await listed(box)).filter((line) => line.startsWith('added /w'))).toHaveLength(20);
  });

  test('what a mount holds is none', async () => {
    await using root = new TemporaryRoot();
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [
        { type: 'tmpfs', target: '/scratch' },
        { type: 'bind', source: folder.path, target: '/shared' },
      ],
    });
    await box.fs.writeFile('/scratch/file', 'x');
    await box.fs.writeFile('/shared/file', 'x');
    await box.fs.writeFile('/dev/shm/file', 'x');
    expect((await listed(box)).filter((line) => line.includes('file'))).toEqual([]);
  });

  test('of names of any form', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    const names = ['a b', 'new\nline', 'ü漢', '.wh.file', '.wh..wh..opq', '-rf'];
    for (const name of names) await box.fs.writeFile(`/${name}`, '');
    expect(await listed(box)).toEqual(names.map((name) => `added /${name}`).sort());
  });

  test('a thousand of them', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await Promise.all(Array.from({ length: 1000 }, (_, i) => box.fs.writeFile(`/data/${i}`, '')));
    expect(await listed(box)).toHaveLength(1000);
  });

  test('after its end a box tells none', async () => {
    await using root = new TemporaryRoot();
    const box = await startBox(root);
    await box[Symbol.asyncDispose]();
    expect(() => box.changes()).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
    await expect(box.apply({ paths: ['/'] })).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });
});

describe('the host’s own files', () => {
  test('a mark in /etc is not seen outside, and is listed', async () => {
    await using box = await Sandbox.create({ workspace: false });
    await box.exec(['sh', '-c', 'echo x > /etc/nsbox-changes-mark; rm /etc/hostname']);
    expect(existsSync('/etc/nsbox-changes-mark')).toBe(false);
    expect(existsSync('/etc/hostname')).toBe(true);
    expect(await listed(box)).toEqual(['added /etc/nsbox-changes-mark', 'deleted /etc/hostname']);
  });

  test('a box that only looked has no changes', async () => {
    await using box = await Sandbox.create({ workspace: false });
    await box.exec(['sh', '-c', 'ls / /etc /usr > /dev/null; cat /etc/passwd > /dev/null']);
    expect(await listed(box)).toEqual([]);
  });

  test('a new directory beside the machine’s own', async () => {
    await using box = await Sandbox.create({ workspace: false });
    await box.exec(['mkdir', '-p', '/etc/nsbox-made/inner']);
    expect(await listed(box)).toEqual(['added /etc/nsbox-made', 'added /etc/nsbox-made/inner']);
  });

  test('the workspace is copy-on-write, and its changes have its paths', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'echo x >> kept; rm doomed; mkdir made; echo y > sub/new']);
    expect(await listed(box)).toEqual(
      ['added made', 'added sub/new', 'deleted doomed', 'modified kept'].map((line) =>
        line.replace(' ', ` ${folder.path}/`),
      ),
    );
    expect(readdirSync(folder.path).sort()).toEqual(['doomed', 'kept', 'sub']);
    expect(readFileSync(folder.join('kept'), 'utf8')).toBe('kept');
  });
});

describe('apply()', () => {
  test('carries out what was chosen, and no more', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec([
      'sh',
      '-c',
      'echo x > new; echo changed > kept; rm doomed; echo y > sub/new; echo z > sub/inner',
    ]);
    expect(await box.apply({ paths: [folder.join('new')] })).toBe(1);
    expect(readdirSync(folder.path).sort()).toEqual(['doomed', 'kept', 'new', 'sub']);
    expect(readFileSync(folder.join('kept'), 'utf8')).toBe('kept');
    expect(await box.apply({ paths: [folder.join('sub/inner'), folder.join('doomed')] })).toBe(2);
    expect(readdirSync(folder.path).sort()).toEqual(['kept', 'new', 'sub']);
    expect(readFileSync(folder.join('sub/inner'), 'utf8')).toBe('z\n');
    expect(readdirSync(folder.join('sub'))).toEqual(['inner']);
    await box.apply({ paths: [folder.path] });
    expect(readFileSync(folder.join('kept'), 'utf8')).toBe('changed\n');
    expect(readdirSync(folder.join('sub')).sort()).toEqual(['inner', 'new']);
  });

  test('of a path whose beginning is another’s takes the one alone', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'echo x > name; echo x > name-longer']);
    await box.apply({ paths: [folder.join('name')] });
    expect(readdirSync(folder.path)).not.toContain('name-longer');
  });

  test('makes the directories on the way', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'mkdir -p a/b/c; echo x > a/b/c/file; echo y > a/beside']);
    await box.apply({ paths: [folder.join('a/b/c/file')] });
    expect(readFileSync(folder.join('a/b/c/file'), 'utf8')).toBe('x\n');
    expect(readdirSync(folder.join('a'))).toEqual(['b']);
  });

  test('removes and replaces directories', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec([
      'sh',
      '-c',
      'rm -r sub; mkdir sub; echo x > sub/other; rm kept; mkdir kept; rm doomed; ln -s kept doomed',
    ]);
    await box.apply({ paths: [`${folder.path}/`] });
    expect(readdirSync(folder.join('sub'))).toEqual(['other']);
    expect(statSync(folder.join('kept')).isDirectory()).toBe(true);
    expect(readlinkSync(folder.join('doomed'))).toBe('kept');
    await box.exec(['sh', '-c', 'rm -r sub kept; echo x > kept']);
    await box.apply({ paths: [folder.path] });
    expect(readdirSync(folder.path).sort()).toEqual(['doomed', 'kept']);
    expect(readFileSync(folder.join('kept'), 'utf8')).toBe('x\n');
  });

  test('keeps contents, modes and links; large files whole', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec([
      'sh',
      '-c',
      'head -c 3000000 /dev/zero | tr "\\0" x > large; echo x > script; chmod 750 script; ln -s /etc/shadow link',
    ]);
    await box.apply({ paths: [folder.path] });
    expect(readFileSync(folder.join('large')).equals(Buffer.alloc(3_000_000, 'x'))).toBe(true);
    expect(statSync(folder.join('script')).mode & 0o7777).toBe(0o750);
    expect(readlinkSync(folder.join('link'))).toBe('/etc/shadow');
    expect(readdirSync(folder.path).sort()).toEqual(['doomed', 'kept', 'large', 'link', 'script', 'sub']);
  });

  test('twice is the same as once', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'echo x > new; rm doomed']);
    await box.apply({ paths: [folder.path] });
    await box.apply({ paths: [folder.path] });
    expect(readdirSync(folder.path).sort()).toEqual(['kept', 'new', 'sub']);
  });

  test('of nothing is nothing', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    expect(await box.apply({ paths: [folder.path] })).toBe(0);
    expect(await box.apply({ paths: [] })).toBe(0);
  });

  test('follows no link that stands on the machine in a directory’s place', async () => {
    await using folder = workspaceFolder();
    await using outside = new TemporaryDirectory();
    writeFileSync(outside.join('inner'), 'not to be changed');
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'echo x > sub/inner; echo x > sub/new']);
    rmSync(folder.join('sub'), { recursive: true });
    symlinkSync(outside.path, folder.join('sub'));
    // The chosen file only: the link stays, and nothing is written through it.
    await expect(box.apply({ paths: [folder.join('sub/new')] })).rejects.toMatchObject({
      name: 'NsboxError',
    });
    expect(readdirSync(outside.path)).toEqual(['inner']);
    expect(readFileSync(outside.join('inner'), 'utf8')).toBe('not to be changed');
    // The whole: the directory takes the link's place.
    await box.apply({ paths: [folder.join('sub')] });
    expect(lstatSync(folder.join('sub')).isDirectory()).toBe(true);
    expect(readdirSync(outside.path)).toEqual(['inner']);
    expect(readFileSync(outside.join('inner'), 'utf8')).toBe('not to be changed');
  });

  test('nor one in a file’s place, nor writes to another name of the old file', async () => {
    await using folder = workspaceFolder();
    await using outside = new TemporaryDirectory();
    writeFileSync(outside.join('secret'), 'not to be changed');
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'echo x > kept; echo x > doomed']);
    rmSync(folder.join('kept'));
    symlinkSync(outside.join('secret'), folder.join('kept'));
    linkSync(folder.join('doomed'), outside.join('doomed'));
    await box.apply({ paths: [folder.join('kept'), folder.join('doomed')] });
    expect(lstatSync(folder.join('kept')).isFile()).toBe(true);
    expect(readFileSync(outside.join('secret'), 'utf8')).toBe('not to be changed');
    expect(readFileSync(outside.join('doomed'), 'utf8')).toBe('doomed');
  });

  test('nor links that the box made: a deletion removes the link on the machine, not what is behind it', async () => {
    await using folder = workspaceFolder();
    await using outside = new TemporaryDirectory();
    writeFileSync(outside.join('kept'), '');
    symlinkSync(outside.path, folder.join('way-out'));
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', `rm way-out; rm -r sub; ln -s ${outside.path} sub`]);
    await box.apply({ paths: [folder.path] });
    expect(readdirSync(folder.path).sort()).toEqual(['doomed', 'kept', 'sub']);
    expect(readlinkSync(folder.join('sub'))).toBe(outside.path);
    expect(readdirSync(outside.path)).toEqual(['kept']);
  });

  test('takes set-user-ID bits from what it brings', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'cp /bin/true tool; chmod 6755 tool; mkdir shared; chmod 3777 shared']);
    expect((await box.fs.stat(folder.join('tool'))).mode & 0o7777).toBe(0o6755);
    await box.apply({ paths: [folder.path] });
    expect(statSync(folder.join('tool')).mode & 0o7777).toBe(0o755);
    expect(statSync(folder.join('shared')).mode & 0o7777).toBe(0o1777);
  });

  test.runIf(isRoot)('takes file capabilities from it', async (context) => {
    skipUnless(context, existsSync('/usr/bin/python3'), 'there is no python3, which sets the attribute');
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    // VFS_CAP_REVISION_2, effective, CAP_NET_RAW: <linux/capability.h>
    const attribute = '0x0100000200200000000000000000000000000000';
    const set = `import os; os.setxattr("tool", "security.capability", bytes.fromhex("${attribute.slice(2)}"))`;
    await box.exec(['sh', '-c', 'cp /bin/true tool']);
    await box.exec(['python3', '-c', set]);
    const look = 'import os, sys; sys.stdout.write(str("security.capability" in os.listxattr("tool")))';
    expect((await box.exec(['python3', '-c', look])).stdout).toBe('True');
    await box.apply({ paths: [folder.path] });
    expect(execFileSync('python3', ['-c', look], { cwd: folder.path, encoding: 'utf8' })).toBe('False');
  });

  test('leaves sockets, FIFOs and devices behind', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'mkfifo fifo; echo x > file']);
    await box.exec(['node', '-e', 'require("net").createServer().listen("./socket", () => process.exit())']);
    if (isRoot) await box.exec(['mknod', 'device', 'c', '1', '3']);
    expect((await box.fs.readdir(folder.path)).map(({ name }) => name)).toContain('fifo');
    await box.apply({ paths: [folder.path] });
    expect(readdirSync(folder.path).sort()).toEqual(['doomed', 'file', 'kept', 'sub']);
  });

  test('belongs to the user that applies', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'echo x > file; mkdir made']);
    if (isRoot) await box.exec(['chown', '1234:1234', 'file', 'made']);
    await box.apply({ paths: [folder.path] });
    expect(statSync(folder.join('file')).uid).toBe(process.geteuid?.());
    expect(statSync(folder.join('made')).uid).toBe(process.geteuid?.());
  });

  test('to a directory that is a box’s root', async () => {
    await using root = new TemporaryRoot();
    await using box = await startBox(root);
    await say(box, 'write', '/data/file', 'applied');
    await say(box, 'unlink', '/top');
    expect(await box.apply({ paths: ['/data', '/top'] })).toBe(2);
    expect(readFileSync(root.join('data/file'), 'utf8')).toBe('applied');
    expect(readdirSync(root.path).sort()).toEqual(['data', 'link', 'testinit']);
  });

  test('refuses what is not copy-on-write, and what is no absolute path', async () => {
    await using folder = workspaceFolder();
    await using box = await Sandbox.create({ workspace: folder.path });
    for (const path of ['relative', '', '.', 7, undefined])
      await expect(box.apply({ paths: [path as string] })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      });
    // The machine's /tmp and /dev/shm are hidden by the box's own.
    for (const path of ['/dev/shm/x', '/var/tmp/x', '/root/x'])
      await expect(box.apply({ paths: [folder.path, path] })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      });
  });

  test('reaches no file by ..', async () => {
    await using folder = workspaceFolder();
    await using outside = new TemporaryDirectory();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'echo x > new']);
    const path = `${folder.path}/sub/../../${outside.path.slice(dirname(outside.path).length + 1)}`;
    await box
      .apply({ paths: [path] })
      .catch((error: unknown) => expect(error).toMatchObject({ name: 'NsboxError' }));
    expect(readdirSync(outside.path)).toEqual([]);
    expect(existsSync(join(folder.path, 'new'))).toBe(false);
    await box.apply({ paths: [`${folder.path}/sub/.././/new`] });
    expect(existsSync(join(folder.path, 'new'))).toBe(true);
  });

  test.runIf(!isRoot)('what this user may not write is an error that names the place', async () => {
    await using box = await Sandbox.create({ workspace: false });
    await box.exec(['sh', '-c', 'mkdir /etc/nsbox-denied']);
    await expect(box.apply({ paths: ['/etc/nsbox-denied'] })).rejects.toMatchObject({
      code: 'ERR_PERMISSION',
      message: expect.stringContaining('/etc'),
    });
  });
});
