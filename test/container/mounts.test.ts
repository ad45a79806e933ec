import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { Sandbox } from 'nsbox';
import { describe, expect, test } from 'vitest';
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
