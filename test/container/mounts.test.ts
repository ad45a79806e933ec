import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Sandbox } from 'nsbox';
import { describe, expect, test } from 'vitest';
import { isRoot } from '../support/mode.js';
import { sharedRoot, TemporaryDirectory, TemporaryRoot } from '../support/temporary.js';

const root = sharedRoot();

function source(): TemporaryDirectory {
  const folder = new TemporaryDirectory();
  chmodSync(folder.path, 0o755);
  writeFileSync(folder.join('file'), 'content');
  mkdirSync(folder.join('inner'));
  return folder;
}

describe('bind mounts', () => {
  test('show a directory of the machine, and write to it', async () => {
    await using folder = source();
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [{ type: 'bind', source: folder.path, target: '/app' }],
    });
    expect(await box.fs.readFile('/app/file', 'utf8')).toBe('content');
    await box.exec(['/testinit', 'write', '/app/inner/new', 'from inside']);
    expect(readFileSync(folder.join('inner/new'), 'utf8')).toBe('from inside');
  });

  test('read-only ones refuse writes', async () => {
    await using folder = source();
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [{ type: 'bind', source: folder.path, target: '/app', readOnly: true }],
    });
    for (const args of [
      ['write', '/app/file', 'x'],
      ['mkdir', '/app/made'],
      ['unlink', '/app/file'],
      ['chmod', '/app/file', '777'],
    ])
      expect((await box.exec(['/testinit', ...args]).nothrow()).stdout).toBe('EROFS');
    expect(readdirSync(folder.path).sort()).toEqual(['file', 'inner']);
  });

  test('one file alone', async () => {
    await using folder = source();
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [{ type: 'bind', source: folder.join('file'), target: '/etc/settings/file', readOnly: true }],
    });
    expect((await box.fs.readdir('/etc/settings')).map(({ name }) => name)).toEqual(['file']);
    expect(await box.fs.readFile('/etc/settings/file', 'utf8')).toBe('content');
  });

  test('a device or a set-user-ID program in one has no power', async () => {
    await using folder = source();
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [{ type: 'bind', source: folder.path, target: '/app' }],
    });
    const info = (await box.exec(['/testinit', 'cat', '/proc/self/mountinfo'])).stdout;
    expect(info).toMatch(/ \/app rw,nosuid,nodev/);
  });

  test('a source that is absent is named', async () => {
    const mounts = [{ type: 'bind', source: '/nonexistent', target: '/app' }] as const;
    await expect(Sandbox.create({ rootfs: root.path, mounts })).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: expect.stringContaining('/nonexistent'),
    });
  });

  test('mounts come in their order, one on the other', async () => {
    await using folder = source();
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [
        { type: 'tmpfs', target: '/data' },
        { type: 'bind', source: folder.path, target: '/data/app' },
      ],
    });
    expect(await box.fs.readFile('/data/app/file', 'utf8')).toBe('content');
    await box.fs.writeFile('/data/own', 'x');
  });

  test('bring along what is mounted below, read-only too, unless told otherwise', async () => {
    // The machine's /dev has file systems of their own below it.
    const below = '/dev/shm';
    for (const [recursive, has] of [
      ['enabled', true],
      ['disabled', false],
    ] as const) {
      await using box = await Sandbox.create({
        rootfs: root.path,
        mounts: [{ type: 'bind', source: '/dev', target: '/machine', readOnly: true, recursive }],
      }).catch((error: unknown) => {
        // An ordinary user may not take the mounts off.
        expect({ recursive, isRoot }).toEqual({ recursive: 'disabled', isRoot: false });
        expect(error).toMatchObject({ name: 'NsboxError' });
        return { exec: undefined, async [Symbol.asyncDispose]() {} };
      });
      if (!box.exec) continue;
      const { stdout } = await box.exec(['/testinit', 'cat', '/proc/self/mountinfo']);
      expect(stdout.includes(` /machine${below.slice('/dev'.length)} `)).toBe(has);
      for (const line of stdout.split('\n').filter((one) => one.includes(' /machine')))
        expect(line.split(' ')[5]).toMatch(/^ro,/);
    }
  });

  test('a file shown to write is the machine’s', async () => {
    await using folder = source();
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [{ type: 'bind', source: folder.join('file'), target: '/file' }],
    });
    await box.exec(['/testinit', 'append', '/file', '!']);
    expect(readFileSync(folder.join('file'), 'utf8')).toBe('content!');
    expect((await box.exec(['/testinit', 'unlink', '/file']).nothrow()).stdout).toBe('EBUSY');
    expect(readdirSync(root.path)).toEqual(['testinit']);
  });

  test('a source that begins with ~ is in the home directory', async () => {
    const name = `nsbox-test-${process.pid}`;
    mkdirSync(join(homedir(), name), { mode: 0o755 });
    try {
      writeFileSync(join(homedir(), name, 'file'), 'at home');
      await using box = await Sandbox.create({
        rootfs: root.path,
        mounts: [{ type: 'bind', source: `~/${name}`, target: '/app', readOnly: true }],
      });
      expect(await box.fs.readFile('/app/file', 'utf8')).toBe('at home');
    } finally {
      rmSync(join(homedir(), name), { recursive: true });
    }
  });

  test('a source that is a link shows what it leads to', async () => {
    await using folder = source();
    symlinkSync('inner', folder.join('link'));
    writeFileSync(folder.join('inner/seen'), '');
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [{ type: 'bind', source: folder.join('link'), target: '/app' }],
    });
    expect((await box.exec(['/testinit', 'ls', '/app'])).stdout).toBe('seen');
  });

  test('over the host’s files too', async () => {
    await using folder = source();
    const mounts = [{ type: 'bind', source: folder.path, target: '/mnt', readOnly: true }] as const;
    expect((await Sandbox.run(['cat', '/mnt/file'], { mounts })).stdout).toBe('content');
  });
});

describe('tmpfs mounts', () => {
  test('are empty, of their size and mode', async () => {
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [{ type: 'tmpfs', target: '/scratch', size: '1m', mode: 0o700 }],
    });
    expect((await box.exec(['/testinit', 'stat', '/scratch'])).stdout).toMatch(/^directory 700 /);
    expect((await box.exec(['/testinit', 'fill', '/scratch/large', '2000000']).nothrow()).stdout).toBe(
      'ENOSPC',
    );
  });

  test('and read-only', async () => {
    await using box = await Sandbox.create({
      rootfs: root.path,
      mounts: [{ type: 'tmpfs', target: '/scratch', readOnly: true }],
    });
    expect((await box.exec(['/testinit', 'mkdir', '/scratch/x']).nothrow()).stdout).toBe('EROFS');
  });
});

describe('a hostile root', () => {
  test('a target that is a link is followed inside, and never out', async () => {
    await using hostile = new TemporaryRoot();
    await using outside = source();
    symlinkSync(outside.path, hostile.join('app'));
    symlinkSync('../../../../../../etc', hostile.join('up'));
    await using folder = source();
    const mounts = [
      { type: 'bind', source: folder.path, target: '/app/inner' },
      { type: 'tmpfs', target: '/up/inside' },
    ] as const;
    await Sandbox.create({ rootfs: hostile.path, mounts }).then(
      (box) => box[Symbol.asyncDispose](),
      (error: unknown) => expect(error).toMatchObject({ name: 'NsboxError' }),
    );
    expect(readdirSync(outside.path).sort()).toEqual(['file', 'inner']);
    expect(readdirSync(outside.join('inner'))).toEqual([]);
    expect(readdirSync('/etc')).not.toContain('inside');
  });

  test.each([
    ['an absolute link', (outside: string) => outside],
    ['a link with ..', (outside: string) => `../../../../../../../..${outside}`],
    ['a link to the machine’s root by /proc', () => '/proc/1/root/tmp'],
    ['a link in a circle', () => 'app'],
    ['a link to nothing', () => 'nowhere'],
  ])('%s in the place of a target changes nothing outside', async (_, target) => {
    await using outside = source();
    await using folder = source();
    for (const [type, below] of [
      ['tmpfs', ''],
      ['tmpfs', '/inner/made'],
      ['bind', ''],
      ['bind', '/made/file'],
    ] as const) {
      await using hostile = new TemporaryRoot();
      symlinkSync(target(outside.path), hostile.join('app'));
      const place = `/app${below}`;
      const mount =
        type === 'tmpfs'
          ? ({ type, target: place } as const)
          : ({ type, source: below ? folder.join('file') : folder.path, target: place } as const);
      await Sandbox.create({ rootfs: hostile.path, mounts: [mount] }).then(
        async (box) => {
          if (type === 'tmpfs') await box.exec(['/testinit', 'write', `${place}/written`, 'x']).nothrow();
          await box[Symbol.asyncDispose]();
        },
        (error: unknown) => expect(error).toMatchObject({ name: 'NsboxError' }),
      );
      expect(readdirSync(hostile.path).sort()).toEqual(['app', 'testinit']);
    }
    expect(readdirSync(outside.path).sort()).toEqual(['file', 'inner']);
    expect(readdirSync(outside.join('inner'))).toEqual([]);
    expect(readdirSync(folder.path).sort()).toEqual(['file', 'inner']);
    expect(readdirSync('/tmp')).not.toContain('written');
  });

  test('/proc that is a link does not lead the masks out', async () => {
    await using hostile = new TemporaryRoot();
    await using outside = source();
    symlinkSync(outside.path, hostile.join('proc'));
    await Sandbox.create({ rootfs: hostile.path }).then(
      (box) => box[Symbol.asyncDispose](),
      (error: unknown) => expect(error).toMatchObject({ name: 'NsboxError' }),
    );
    expect(readdirSync(outside.path).sort()).toEqual(['file', 'inner']);
  });

  test('a file where a directory must be is an error that names the place', async () => {
    await using hostile = new TemporaryRoot();
    writeFileSync(hostile.join('data'), '');
    const mounts = [{ type: 'tmpfs', target: '/data/below' }] as const;
    await expect(Sandbox.create({ rootfs: hostile.path, mounts })).rejects.toThrow(/\/data/);
  });
});

test('nothing of a box’s mounts is seen outside', async () => {
  await using box = await Sandbox.create({
    rootfs: root.path,
    mounts: [{ type: 'tmpfs', target: '/seen-outside' }],
  });
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('seen-outside');
  expect(box.id).toBeTruthy();
});
