import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Sandbox } from 'nsbox';
import { afterAll, describe, expect, test } from 'vitest';
import { canBoundScratch, isRoot, isWritable } from '../support/mode.js';
import { sharedRoot, TemporaryDirectory } from '../support/temporary.js';
import { testWhere } from '../support/where.js';

// The host's own files, as a box shows them.

const box = await Sandbox.create();
afterAll(() => box[Symbol.asyncDispose]());
const bare = sharedRoot();

async function out(...command: readonly string[]): Promise<string> {
  return (await box.exec(command)).stdout;
}

describe('what is hidden', () => {
  test.each(['/home', '/root', '/run', '/tmp', '/var/tmp'].filter((path) => path !== homedir()))(
    '%s is empty',
    async (path) => {
      const entries = await box.fs.readdir(path).catch(() => []);
      // The workspace shows through where it lies below.
      expect(entries.filter(({ name }) => !process.cwd().startsWith(join(path, name)))).toEqual([]);
    },
  );

  test('temporary files of the machine are not seen', async () => {
    await using secret = new TemporaryDirectory();
    writeFileSync(secret.join('secret'), 'x');
    expect(await box.fs.exists(secret.join('secret'))).toBe(false);
  });

  test('/dev/shm is the box’s own', async () => {
    expect(await box.fs.readdir('/dev/shm')).toEqual([]);
  });

  testWhere(!isRoot)('a file that this user may not read stays closed to the box’s root', async () => {
    const result = await box.exec(['cat', '/etc/shadow']).nothrow();
    expect(result).toMatchObject({ failed: true, stdout: '' });
  });
});

describe('what is seen', () => {
  test('the machine’s programs and settings', async () => {
    expect(await out('cat', '/etc/os-release')).toContain('NAME=');
    expect(await out('sh', '-c', 'echo hello')).toBe('hello');
  });

  test('node itself, wherever it is installed', async () => {
    expect(await out('node', '-p', '1+1')).toBe('2');
  });

  test('the current directory, which is also the working one', async () => {
    expect(await out('pwd')).toBe(process.cwd());
    expect((await box.fs.readdir(process.cwd())).map(({ name }) => name)).toContain('package.json');
  });
});

describe('writes stay in the box', () => {
  test('to the system', async () => {
    await out('sh', '-c', 'echo mark > /etc/nsbox-mark && rm /etc/hostname');
    expect(readdirSync('/etc')).not.toContain('nsbox-mark');
    expect(readdirSync('/etc')).toContain('hostname');
    expect(await box.fs.readFile('/etc/nsbox-mark', 'utf8')).toBe('mark\n');
  });

  testWhere(isWritable(process.cwd()))('to the current directory', async () => {
    const mark = join(process.cwd(), 'nsbox-mark');
    await out('sh', '-c', 'echo mark > nsbox-mark');
    expect(readdirSync(process.cwd())).not.toContain('nsbox-mark');
    expect(await box.fs.readFile(mark, 'utf8')).toBe('mark\n');
  });

  test('to /tmp and to a home', async () => {
    await out('sh', '-c', 'echo x > /tmp/nsbox-mark; echo x > ~/nsbox-mark');
    expect(readdirSync('/tmp')).not.toContain('nsbox-mark');
    expect(readdirSync(homedir())).not.toContain('nsbox-mark');
  });
});

describe('the workspace', () => {
  test('may be any directory; those beside it stay hidden', async () => {
    await using folder = new TemporaryDirectory();
    await using beside = new TemporaryDirectory();
    writeFileSync(folder.join('seen'), 'content');
    await using own = await Sandbox.create({ workspace: folder.path });
    expect((await own.exec(['cat', 'seen'])).stdout).toBe('content');
    await own.exec(['sh', '-c', 'echo changed > seen; echo new > made']);
    expect(readdirSync(folder.path)).toEqual(['seen']);
    const names = (await own.fs.readdir(tmpdir())).map(({ name }) => name);
    expect(names).toContain(basename(folder.path));
    expect(names).not.toContain(basename(beside.path));
  });

  test('false shows none', async () => {
    await using own = await Sandbox.create({ workspace: false });
    expect((await own.exec(['pwd'])).stdout).toBe('/');
  });

  test.each(['/', '/home', homedir()])('%s is none: it holds homes', async (workspace) => {
    await expect(Sandbox.create({ workspace })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });

  test('has to be there', async () => {
    await expect(Sandbox.create({ workspace: '/nonexistent' })).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
  });
});

describe('a read-only box', () => {
  test.each([
    ['the host’s files', {}],
    ['a directory', { rootfs: bare.path }],
  ])('refuses writes to %s, but for tmpfs', async (_, options) => {
    await using own = await Sandbox.create({ readOnly: true, ...options });
    await expect(own.fs.writeFile('/mark', 'x')).rejects.toThrow(/EROFS/);
    await own.fs.writeFile('/dev/shm/mark', 'x');
    if (!('rootfs' in options)) {
      await expect(own.fs.writeFile('/etc/mark', 'x')).rejects.toThrow(/EROFS/);
      await expect(own.exec(['sh', '-c', 'echo x > /usr/mark'])).rejects.toThrow(/[Rr]ead-only/);
      await own.fs.writeFile('/tmp/mark', 'x');
    }
  });
});

testWhere(canBoundScratch)('scratchSize bounds what is written', async () => {
  await using own = await Sandbox.create({ rootfs: bare.path, scratchSize: '4m' });
  const result = await own.exec(['/testinit', 'fill', '/large', '8000000']).nothrow();
  expect(result.stdout).toBe('ENOSPC');
  await own.exec(['/testinit', 'fill', '/large', '1000']);
});

test('a directory as root is not changed, not even where mounts go', async () => {
  await using own = await Sandbox.create({
    rootfs: bare.path,
    mounts: [{ type: 'tmpfs', target: '/made/for/it' }],
  });
  await own.fs.writeFile('/made/for/it/file', 'x');
  expect(readdirSync(bare.path)).toEqual(['testinit']);
});

test('a root with a symlink for each place is still mounted inside', async () => {
  await using hostile = new TemporaryDirectory();
  await using outside = new TemporaryDirectory();
  const { symlinkSync, copyFileSync, chmodSync } = await import('node:fs');
  copyFileSync(bare.join('testinit'), hostile.join('testinit'));
  chmodSync(hostile.path, 0o755);
  for (const name of ['proc', 'dev', 'sys', 'tmp', 'etc', 'secret', 'data'])
    symlinkSync(name === 'data' ? `${outside.path}/deep` : outside.path, hostile.join(name));
  mkdirSync(outside.join('proc'));
  writeFileSync(outside.join('kept'), 'kept');
  const before = readdirSync(outside.path).sort();
  const start = Sandbox.create({
    rootfs: hostile.path,
    mounts: [{ type: 'tmpfs', target: '/data' }],
    security: { maskedPaths: ['/secret', '/secret/kept'] },
  });
  // Either it is refused or it is resolved inside; the host's own directory is as it was.
  await start.then(
    async (own) => {
      await own.exec(['/testinit', 'write', '/data/x', 'x']).nothrow();
      await own[Symbol.asyncDispose]();
    },
    () => undefined,
  );
  expect(readdirSync(outside.path).sort()).toEqual(before);
});
