import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Sandbox } from 'nsbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRoot } from '../support/mode.js';
import { sharedRoot, TemporaryDirectory } from '../support/temporary.js';

// A box's files from outside: `box.fs`.

const root = sharedRoot(['work', 'etc']);
const box = await Sandbox.create({ rootfs: root.path });
afterAll(() => box[Symbol.asyncDispose]());
const { fs } = box;

const MEGABYTE = 1024 * 1024;

describe('files', () => {
  test('are written, made anew, and added to', async () => {
    await fs.writeFile('/work/note', 'one, longer');
    await fs.writeFile('/work/note', 'two');
    await fs.writeFile('/work/note', Buffer.from(' three'), { flag: 'a' });
    expect(await fs.readFile('/work/note', 'utf8')).toBe('two three');
    expect(await fs.readFile('/work/note', { encoding: 'utf8' })).toBe('two three');
    expect(await fs.readFile('/work/note')).toEqual(Buffer.from('two three'));
    expect((await box.exec(['/testinit', 'cat', '/work/note'])).stdout).toBe('two three');
  });

  test('of any bytes, none among them', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 0]);
    await fs.writeFile('/work/bytes', bytes);
    expect(await fs.readFile('/work/bytes')).toEqual(bytes);
    await fs.writeFile('/work/bytes', '');
    expect(await fs.readFile('/work/bytes')).toHaveLength(0);
  });

  test('of several megabytes', async () => {
    const large = Buffer.alloc(5 * MEGABYTE + 1, 'abcdefg');
    await fs.writeFile('/work/large', large);
    expect((await fs.readFile('/work/large')).equals(large)).toBe(true);
    expect(await fs.stat('/work/large')).toMatchObject({ type: 'file', size: large.length });
  });

  test('larger than maxSize are refused, with the way to read them', async () => {
    await fs.writeFile('/work/eleven', 'x'.repeat(11));
    await expect(fs.readFile('/work/eleven', { maxSize: 10 })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      hint: expect.stringContaining('createReadStream'),
    });
    expect(await fs.readFile('/work/eleven', { maxSize: 11 })).toHaveLength(11);
  });

  test('a new one has the mode that was asked for; an old one keeps its own', async () => {
    await fs.writeFile('/work/script', 'x', { mode: 0o750 });
    await fs.writeFile('/work/script', 'y', { mode: 0o600 });
    expect((await fs.stat('/work/script')).mode & 0o7777).toBe(0o750);
  });

  test("flag 'wx' makes new ones alone", async () => {
    await fs.writeFile('/work/once', 'first', { flag: 'wx' });
    await expect(fs.writeFile('/work/once', 'second', { flag: 'wx' })).rejects.toMatchObject({
      code: 'ERR_ALREADY_EXISTS',
    });
    expect(await fs.readFile('/work/once', 'utf8')).toBe('first');
  });

  test('many at once', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `/work/many-${i}`);
    await Promise.all(names.map((name) => fs.writeFile(name, name)));
    expect(await Promise.all(names.map((name) => fs.readFile(name, 'utf8')))).toEqual(names);
  });

  test('that are not there are named, and what was tried', async () => {
    await expect(fs.readFile('/work/absent')).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: expect.stringContaining('open /work/absent'),
    });
    await expect(fs.writeFile('/absent/file', 'x')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    expect(await fs.exists('/work/absent')).toBe(false);
    expect(await fs.exists('/work')).toBe(true);
  });

  test('stay in the box', () => {
    expect(readdirSync(root.join('work'))).toEqual([]);
  });
});

describe('streams', () => {
  test('write and read several megabytes', async () => {
    const large = Buffer.alloc(3 * MEGABYTE, '0123456789');
    await pipeline([large], await fs.createWriteStream('/work/streamed', { mode: 0o600 }));
    expect((await buffer(await fs.createReadStream('/work/streamed'))).equals(large)).toBe(true);
    expect((await fs.stat('/work/streamed')).mode & 0o7777).toBe(0o600);
  });

  test('make a file anew', async () => {
    await fs.writeFile('/work/again', 'longer than after');
    await pipeline(['short'], await fs.createWriteStream('/work/again'));
    expect(await text(await fs.createReadStream('/work/again'))).toBe('short');
  });

  test('of a file that is not there fail when they are made', async () => {
    await expect(fs.createReadStream('/work/absent')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test('left half read close what they hold', async () => {
    await fs.writeFile('/work/half', Buffer.alloc(MEGABYTE));
    const stream = await fs.createReadStream('/work/half');
    for await (const _ of stream) break;
    expect(stream.destroyed).toBe(true);
  });
});

describe('directories', () => {
  test('are listed, with what each entry is', async () => {
    await fs.mkdir('/work/list');
    expect(await fs.readdir('/work/list')).toEqual([]);
    await fs.writeFile('/work/list/file', '');
    await fs.mkdir('/work/list/folder', { mode: 0o700 });
    await fs.symlink('anywhere', '/work/list/link');
    await box.exec(['/testinit', 'mkfifo', '/work/list/fifo']);
    const entries = await fs.readdir('/work/list');
    expect(entries.sort((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: 'fifo', type: 'other' },
      { name: 'file', type: 'file' },
      { name: 'folder', type: 'directory' },
      { name: 'link', type: 'symlink' },
    ]);
    expect((await fs.stat('/work/list/folder')).mode & 0o7777).toBe(0o700);
  });

  test('of a thousand entries, of names of any form', async () => {
    const names = ['ü漢', 'a b', '-rf', '*', 'new\nline', 'x'.repeat(255)];
    await fs.mkdir('/work/odd');
    for (const name of names) await fs.writeFile(`/work/odd/${name}`, name);
    expect((await fs.readdir('/work/odd')).map(({ name }) => name).sort()).toEqual([...names].sort());
    await fs.mkdir('/work/thousand');
    await Promise.all(Array.from({ length: 1000 }, (_, i) => fs.writeFile(`/work/thousand/${i}`, '')));
    expect(await fs.readdir('/work/thousand')).toHaveLength(1000);
  });

  test('a file is none', async () => {
    await expect(fs.readdir('/testinit')).rejects.toThrow(/ENOTDIR/);
    await expect(fs.readFile('/work')).rejects.toMatchObject({ name: 'NsboxError' });
    await expect(fs.writeFile('/work', 'x')).rejects.toMatchObject({ name: 'NsboxError' });
  });

  test('mkdir makes one; recursive all on the way, and is content with what is there', async () => {
    await expect(fs.mkdir('/work/deep/er')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await fs.mkdir('/work/deep/er/est', { recursive: true });
    await fs.mkdir('/work/deep/er/est', { recursive: true });
    await expect(fs.mkdir('/work/deep')).rejects.toMatchObject({ code: 'ERR_ALREADY_EXISTS' });
    await fs.writeFile('/work/deep/file', '');
    await expect(fs.mkdir('/work/deep/file/below', { recursive: true })).rejects.toThrow(/ENOTDIR|EEXIST/);
    expect((await box.exec(['/testinit', 'ls', '/work/deep/er'])).stdout).toBe('est');
  });
});

describe('rm', () => {
  test('removes a file, and a link but not its target', async () => {
    await fs.writeFile('/work/target', 'kept');
    await fs.symlink('target', '/work/to-target');
    await fs.rm('/work/to-target');
    expect(await fs.readFile('/work/target', 'utf8')).toBe('kept');
    await fs.rm('/work/target');
    expect(await fs.exists('/work/target')).toBe(false);
  });

  test('a directory only with recursive', async () => {
    await fs.mkdir('/work/tree/a/b', { recursive: true });
    await fs.writeFile('/work/tree/a/file', '');
    await expect(fs.rm('/work/tree')).rejects.toThrow(/EISDIR/);
    await expect(fs.rm('/work/tree', { force: true })).rejects.toThrow(/EISDIR/);
    await fs.rm('/work/tree', { recursive: true });
    expect(await fs.exists('/work/tree')).toBe(false);
  });

  test('what is not there is an error, but with force', async () => {
    for (const path of ['/work/absent', '/absent/file']) {
      await expect(fs.rm(path)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(fs.rm(path, { recursive: true })).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await fs.rm(path, { force: true });
      await fs.rm(path, { recursive: true, force: true });
    }
  });

  test('recursive follows no link on its way', async () => {
    await fs.mkdir('/work/kept');
    await fs.writeFile('/work/kept/file', '');
    await fs.mkdir('/work/doomed');
    await fs.symlink('../kept', '/work/doomed/link');
    await fs.rm('/work/doomed', { recursive: true });
    expect(await fs.exists('/work/kept/file')).toBe(true);
  });

  test('the root itself is refused', async () => {
    for (const path of ['/', '/.', '/..', '/work/..'])
      await expect(fs.rm(path, { recursive: true })).rejects.toMatchObject({ name: 'NsboxError' });
    expect(await fs.exists('/testinit')).toBe(true);
  });
});

describe('stat, rename, links, modes', () => {
  test('stat follows a link, lstat does not', async () => {
    await fs.writeFile('/work/seen', 'four');
    await fs.symlink('/work/seen', '/work/link');
    expect(await fs.stat('/work/link')).toMatchObject({
      type: 'file',
      size: 4,
      nlink: 1,
      uid: isRoot ? 0 : process.geteuid?.(),
    });
    expect(await fs.lstat('/work/link')).toMatchObject({ type: 'symlink', size: '/work/seen'.length });
    expect(await fs.stat('/')).toMatchObject({ type: 'directory' });
    expect(await fs.stat('/dev/null')).toMatchObject({ type: 'other' });
    const age = Date.now() - (await fs.stat('/work/seen')).mtimeMs;
    expect(Math.abs(age)).toBeLessThan(60_000);
  });

  test('hard links made inside are counted', async () => {
    await fs.writeFile('/work/first', 'x');
    await box.exec(['/testinit', 'link', '/work/first', '/work/second']);
    expect((await fs.stat('/work/second')).nlink).toBe(2);
  });

  test('rename moves, and replaces a file', async () => {
    await fs.writeFile('/work/from', 'new');
    await fs.writeFile('/work/to', 'old');
    await fs.rename('/work/from', '/work/to');
    expect(await fs.readFile('/work/to', 'utf8')).toBe('new');
    expect(await fs.exists('/work/from')).toBe(false);
    await fs.mkdir('/work/folder/inner', { recursive: true });
    await fs.rename('/work/folder', '/work/moved');
    expect(await fs.exists('/work/moved/inner')).toBe(true);
    await expect(fs.rename('/work/absent', '/work/x')).rejects.toMatchObject({
      message: expect.stringContaining('rename /work/absent to /work/x'),
    });
  });

  test('rename moves a link, not its target', async () => {
    await fs.writeFile('/work/pointed', 'x');
    await fs.symlink('pointed', '/work/pointer');
    await fs.rename('/work/pointer', '/work/pointer-moved');
    expect(await fs.readlink('/work/pointer-moved')).toBe('pointed');
    expect(await fs.exists('/work/pointed')).toBe(true);
  });

  test('readlink tells what symlink was given, whatever it is', async () => {
    for (const [i, target] of ['/etc/shadow', '../../..', 'nowhere', 'x'.repeat(4000)].entries()) {
      await fs.symlink(target, `/work/link-${i}`);
      expect(await fs.readlink(`/work/link-${i}`)).toBe(target);
    }
    await expect(fs.readlink('/testinit')).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(fs.symlink('x', '/work/link-0')).rejects.toMatchObject({ code: 'ERR_ALREADY_EXISTS' });
  });

  test('chmod, also through a link', async () => {
    await fs.writeFile('/work/mode', '');
    await fs.symlink('mode', '/work/to-mode');
    await fs.chmod('/work/to-mode', 0o4711);
    expect((await box.exec(['/testinit', 'stat', '/work/mode'])).stdout).toMatch(/^file 4711 /);
    await expect(fs.chmod('/work/absent', 0o644)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test.runIf(isRoot)('chown gives a file away; a link itself', async () => {
    await fs.writeFile('/work/owned', '');
    await fs.symlink('owned', '/work/to-owned');
    await fs.chown('/work/to-owned', 12, 34);
    await fs.chown('/work/owned', 56, 78);
    expect(await fs.lstat('/work/to-owned')).toMatchObject({ uid: 12, gid: 34 });
    expect((await box.exec(['/testinit', 'stat', '/work/owned'])).stdout).toMatch(/^file 644 56:78 /);
  });

  test.runIf(!isRoot)('chown is not an ordinary user’s', async () => {
    await fs.writeFile('/work/mine', '');
    await expect(fs.chown('/work/mine', 12, 34)).rejects.toMatchObject({ name: 'NsboxError' });
    expect((await fs.stat('/work/mine')).uid).toBe(process.geteuid?.());
  });
});

describe('a hostile box', () => {
  const outside = new TemporaryDirectory();
  afterAll(() => outside[Symbol.asyncDispose]());
  /** Paths in the box, made inside it, that would be the machine's `secret` for whoever follows them blindly. */
  const ways = [
    '/ways/file',
    '/ways/folder/secret',
    '/ways/up',
    '/ways/up-folder/secret',
    '/ways/chain',
    '/planted/secret',
  ];

  beforeAll(async () => {
    writeFileSync(outside.join('secret'), 'secret');
    const up = `../../../../../../../..${outside.path}`;
    await fs.mkdir('/ways');
    for (const [target, link] of [
      [outside.join('secret'), 'file'],
      [outside.path, 'folder'],
      [`${up}/secret`, 'up'],
      [up, 'up-folder'],
      ['up-folder/secret', 'chain'],
    ] as const)
      await box.exec(['/testinit', 'symlink', target, `/ways/${link}`]);
    // And one that was in the root before.
    symlinkSync(outside.path, root.join('planted'));
  });

  test('no link leads a reader out', async () => {
    for (const way of ways) {
      await expect(fs.readFile(way)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(fs.createReadStream(way)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(fs.stat(way)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    }
    for (const way of ['/ways/folder', '/ways/up-folder', '/planted'])
      await expect(fs.readdir(way)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test('no link leads a writer out', async () => {
    for (const way of ways) {
      await expect(fs.writeFile(way, 'x')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(fs.createWriteStream(way)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(fs.chmod(way, 0o777)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    }
    for (const way of ['/ways/folder', '/ways/up-folder', '/planted']) {
      await expect(fs.mkdir(`${way}/made`)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(fs.symlink('x', `${way}/made`)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(fs.rename('/testinit', `${way}/made`)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(fs.rename(`${way}/secret`, '/taken')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await expect(fs.rm(`${way}/secret`)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
      await fs.rm(`${way}/secret`, { recursive: true, force: true });
    }
    expect(readdirSync(outside.path)).toEqual(['secret']);
    expect(readFileSync(outside.join('secret'), 'utf8')).toBe('secret');
  });

  test('a link is what it is inside: the box’s own file of that name', async () => {
    await using own = await Sandbox.create({ rootfs: root.path });
    await own.fs.mkdir(outside.path, { recursive: true });
    await own.fs.writeFile('/planted/secret', 'the box’s');
    await own.fs.symlink(outside.join('secret'), '/to-secret');
    expect(await own.fs.readFile('/to-secret', 'utf8')).toBe('the box’s');
    expect(readFileSync(outside.join('secret'), 'utf8')).toBe('secret');
  });

  test('mkdir recursive makes its way inside', async () => {
    await using own = await Sandbox.create({ rootfs: root.path });
    await own.fs.mkdir('/planted/made/deep', { recursive: true }).catch(() => {});
    expect(readdirSync(outside.path)).toEqual(['secret']);
  });

  test('.. ends at the box’s root', async () => {
    await fs.writeFile('/../../../../work/../work/./dots', 'x');
    expect(await fs.readFile('/work/dots', 'utf8')).toBe('x');
    expect((await fs.readdir('/../..')).map(({ name }) => name)).toContain('testinit');
    await expect(fs.readFile(`/../../../..${outside.join('secret')}`)).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
  });

  test.each([
    '/proc/self/root',
    '/proc/1/root',
    '/proc/1/cwd',
    '/proc/thread-self/root',
    `/proc/${process.pid}/root`,
  ])('%s leads nowhere', async (magic) => {
    for (const path of [`${magic}/testinit`, `${magic}${outside.join('secret')}`]) {
      await expect(fs.readFile(path)).rejects.toMatchObject({ name: 'NsboxError' });
      await expect(fs.writeFile(path, 'x')).rejects.toMatchObject({ name: 'NsboxError' });
      expect(await fs.exists(path)).toBe(false);
    }
  });

  test('nor do links of its own to such a place, or to a descriptor', async () => {
    const held = box.exec(['/testinit', 'pause'], { stdin: 'pipe' });
    for await (const line of held.stdout) if (String(line).includes('ready')) break;
    for (const [i, target] of [
      '/proc/1/root/testinit',
      '/proc/1/exe',
      '/proc/1/fd/0',
      '/dev/fd/0',
      '/dev/stdin',
    ].entries()) {
      await fs.symlink(target, `/magic-${i}`);
      await expect(fs.readFile(`/magic-${i}`)).rejects.toMatchObject({ name: 'NsboxError' });
      await expect(fs.writeFile(`/magic-${i}`, 'x')).rejects.toMatchObject({ name: 'NsboxError' });
    }
    held.kill('SIGKILL');
    await held.nothrow();
  });

  test('links in a circle end in an error', async () => {
    await fs.symlink('circle-b', '/circle-a');
    await fs.symlink('circle-a', '/circle-b');
    await fs.symlink('.', '/here');
    await expect(fs.readFile('/circle-a')).rejects.toThrow(/ELOOP/);
    expect(await fs.readlink('/circle-a')).toBe('circle-b');
    expect((await fs.stat('/here/here/here/testinit')).type).toBe('file');
    await expect(fs.stat(`${'/here'.repeat(50)}/testinit`)).rejects.toThrow(/ELOOP/);
  });

  test('a link to nothing is no file, but is there; writing makes its target, inside', async () => {
    await fs.symlink('/work/not-yet', '/dangling');
    expect(await fs.exists('/dangling')).toBe(false);
    expect((await fs.lstat('/dangling')).type).toBe('symlink');
    await expect(fs.writeFile('/dangling', 'x', { flag: 'wx' })).rejects.toMatchObject({
      code: 'ERR_ALREADY_EXISTS',
    });
    await fs.writeFile('/dangling', 'x');
    expect(await fs.readFile('/work/not-yet', 'utf8')).toBe('x');
  });

  test('a FIFO in place of a file holds nobody up', async () => {
    await box.exec(['/testinit', 'mkfifo', '/fifo']);
    await expect(fs.readFile('/fifo')).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(fs.writeFile('/fifo', 'x')).rejects.toMatchObject({ name: 'NsboxError' });
    await expect(fs.createWriteStream('/fifo')).rejects.toMatchObject({ name: 'NsboxError' });
    expect((await fs.stat('/fifo')).type).toBe('other');
    await fs.rm('/fifo');
  });

  test('nor a device that never ends, or a terminal that never answers', async () => {
    for (const path of ['/dev/zero', '/dev/null', '/dev/random', '/dev/ptmx', '/dev/tty'])
      await expect(fs.readFile(path)).rejects.toMatchObject({ name: 'NsboxError' });
    await expect(fs.writeFile('/dev/full', 'x')).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });
});

describe('bad input', () => {
  test.each([['relative'], [''], ['./x'], ['~/x'], ['/a\0b'], [undefined], [7], [null]])(
    'the path %j is refused',
    async (path) => {
      const bad = path as string;
      for (const call of [
        () => fs.readFile(bad),
        () => fs.writeFile(bad, 'x'),
        () => fs.createReadStream(bad),
        () => fs.createWriteStream(bad),
        () => fs.readdir(bad),
        () => fs.stat(bad),
        () => fs.lstat(bad),
        () => fs.mkdir(bad),
        () => fs.rm(bad),
        () => fs.rename(bad, '/x'),
        () => fs.rename('/x', bad),
        () => fs.symlink('x', bad),
        () => fs.readlink(bad),
        () => fs.chmod(bad, 0o644),
        () => fs.chown(bad, 0, 0),
      ])
        await expect(call()).rejects.toMatchObject({
          code: 'ERR_INVALID_ARGUMENT',
          message: expect.stringMatching(/absolute path/),
        });
    },
  );

  test('a name or a path that is too long is an error', async () => {
    await expect(fs.writeFile(`/${'x'.repeat(256)}`, '')).rejects.toThrow(/ENAMETOOLONG/);
    await expect(fs.stat(`${'/x'.repeat(3000)}`)).rejects.toThrow(/ENAMETOOLONG/);
  });
});

test('after its end a box has no files', async () => {
  const ended = await Sandbox.create({ rootfs: root.path });
  await ended.fs.writeFile('/note', 'x');
  await ended[Symbol.asyncDispose]();
  for (const call of [
    () => ended.fs.readFile('/note'),
    () => ended.fs.writeFile('/note', 'y'),
    () => ended.fs.createReadStream('/note'),
    () => ended.fs.readdir('/'),
    () => ended.fs.rm('/note'),
    () => ended.fs.mkdir('/x', { recursive: true }),
  ])
    await expect(call()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
});

test('what is under way when a box ends is done or fails, and holds nothing', async () => {
  const ending = await Sandbox.create({ rootfs: root.path });
  const calls = Array.from({ length: 20 }, (_, i) =>
    ending.fs.writeFile(`/file-${i}`, Buffer.alloc(100_000)),
  );
  const settled = Promise.allSettled(calls);
  await ending[Symbol.asyncDispose]();
  for (const one of await settled)
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'ERR_DISPOSED' });
});

test('the files under a mount are the mount’s', async () => {
  await using folder = new TemporaryDirectory();
  mkdirSync(folder.join('inner'));
  await using own = await Sandbox.create({
    rootfs: root.path,
    mounts: [{ type: 'bind', source: folder.path, target: '/app' }],
  });
  await own.fs.writeFile('/app/inner/file', 'x');
  expect(readFileSync(folder.join('inner/file'), 'utf8')).toBe('x');
  await own.fs.symlink(`../../..${folder.path}`, '/app/out');
  await expect(own.fs.readdir('/app/out')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
});
