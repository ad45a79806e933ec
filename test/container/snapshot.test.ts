import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Sandbox } from 'nsbox';
import { describe, expect, test } from 'vitest';
import { directories, names } from '../support/leaks.js';
import { hasGroups, isRoot } from '../support/mode.js';
import { sharedRoot, TemporaryDirectory, TemporaryRoot } from '../support/temporary.js';

const root = sharedRoot(['data']);

function say(box: Sandbox, ...args: readonly string[]) {
  return box.exec(['/testinit', ...args]);
}

async function listed(box: Sandbox): Promise<string[]> {
  const all: string[] = [];
  for await (const { kind, path } of box.changes()) all.push(`${kind} ${path}`);
  return all.sort();
}

/** The directories that hold frozen files, one of this name among them. */
function holders(name: string): string[] {
  return directories().filter((directory) =>
    names(directory).some((point) =>
      names(join(directory, point)).some((layer) => existsSync(join(directory, point, layer, name))),
    ),
  );
}

describe('a fork', () => {
  test('begins where the box was, and all go their own ways', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await say(box, 'write', '/state', 'frozen');
    await using point = await box.snapshot();
    await say(box, 'write', '/state', 'went on');
    await using one = await point.start();
    await using two = await point.start();
    await say(one, 'write', '/state', 'one');
    expect((await say(one, 'cat', '/state')).stdout).toBe('one');
    expect((await say(two, 'cat', '/state')).stdout).toBe('frozen');
    expect((await say(box, 'cat', '/state')).stdout).toBe('went on');
    expect(readdirSync(root.path).sort()).toEqual(['data', 'testinit']);
  });

  test('does not see what the box had deleted or replaced', async () => {
    await using own = new TemporaryRoot(['gone/deep', 'replaced/deep', 'kept']);
    await using box = await Sandbox.create({ rootfs: own.path });
    await box.fs.rm('/gone', { recursive: true });
    await box.fs.rm('/replaced', { recursive: true });
    await box.fs.mkdir('/replaced');
    await box.fs.writeFile('/replaced/new', '');
    await using point = await box.snapshot();
    await using fork = await point.start();
    expect((await say(fork, 'ls', '/')).stdout.split('\n')).not.toContain('gone');
    expect((await say(fork, 'ls', '/replaced')).stdout).toBe('new');
    await say(fork, 'mkdir', '/gone');
    expect((await say(fork, 'ls', '/gone')).stdout).toBe('');
  });

  test('of a fork has what both wrote', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await say(box, 'write', '/one', '1');
    await say(box, 'write', '/passing', 'x');
    await using first = await box.snapshot();
    await using fork = await first.start();
    await say(fork, 'write', '/two', '2');
    await say(fork, 'unlink', '/passing');
    await using second = await fork.snapshot();
    await using last = await second.start();
    expect((await say(last, 'cat', '/one', '/two')).stdout).toBe('12');
    expect(await last.fs.exists('/passing')).toBe(false);
    await using again = await first.start();
    expect(await again.fs.exists('/passing')).toBe(true);
    expect(await again.fs.exists('/two')).toBe(false);
  });

  test('of many generations', async () => {
    let box = await Sandbox.create({ rootfs: root.path });
    const points: AsyncDisposable[] = [];
    for (let i = 0; i < 6; i++) {
      await say(box, 'append', '/log', String(i));
      const point = await box.snapshot();
      points.push(point);
      await box[Symbol.asyncDispose]();
      box = await point.start();
    }
    expect((await say(box, 'cat', '/log')).stdout).toBe('012345');
    for (const point of points) await point[Symbol.asyncDispose]();
    await box.wait();
  });

  test('lists its own changes alone', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await say(box, 'write', '/before', 'x');
    await say(box, 'write', '/data/before', 'x');
    await using point = await box.snapshot();
    await using fork = await point.start();
    expect(await listed(fork)).toEqual([]);
    await say(fork, 'write', '/after', 'x');
    await say(fork, 'append', '/before', 'x');
    await say(fork, 'unlink', '/data/before');
    expect(await listed(fork)).toEqual(['added /after', 'deleted /data/before', 'modified /before']);
  });

  test('keeps contents, modes, links and owners', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    const large = Buffer.alloc(2_000_000, 'xyz');
    await box.fs.writeFile('/large', large);
    await box.fs.writeFile('/tool', 'x', { mode: 0o755 });
    await box.fs.chmod('/tool', 0o4755);
    await box.fs.symlink('nowhere', '/link');
    await box.fs.mkdir('/private', { mode: 0o700 });
    await say(box, 'mkfifo', '/fifo');
    if (isRoot) await say(box, 'chown', '/private', '12', '34');
    await using point = await box.snapshot();
    await using fork = await point.start();
    expect((await fork.fs.readFile('/large')).equals(large)).toBe(true);
    expect((await say(fork, 'stat', '/tool')).stdout).toMatch(/^file 4755 0:0 1 /);
    expect(await fork.fs.readlink('/link')).toBe('nowhere');
    expect((await say(fork, 'stat', '/private')).stdout).toMatch(
      isRoot ? /^directory 700 12:34 / : /^directory 700 0:0 /,
    );
    expect((await fork.fs.stat('/fifo')).type).toBe('other');
  });

  test('has the options of the box, but for those of its own', async () => {
    await using box = await Sandbox.create({
      rootfs: root.path,
      id: 'forked',
      env: { COLOUR: 'red', SHAPE: 'round' },
      cwd: '/data',
      hostname: 'first',
    });
    await using point = await box.snapshot();
    await using same = await point.start();
    expect(same.id).not.toBe('forked');
    expect((await say(same, 'pwd')).stdout).toBe('/data');
    expect((await say(same, 'env')).stdout).toContain('COLOUR=red');
    expect((await say(same, 'hostname')).stdout).toBe('first');
    await using other = await point.start({
      id: 'other',
      env: { COLOUR: 'blue' },
      hostname: 'second',
      readOnly: true,
    });
    expect(other.id).toBe('other');
    expect((await say(other, 'env')).stdout).toContain('COLOUR=blue');
    expect((await say(other, 'hostname')).stdout).toBe('second');
    expect((await say(other, 'mkdir', '/x').nothrow()).stdout).toBe('EROFS');
  });

  test.runIf(hasGroups)('can have limits that the box had not', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await using point = await box.snapshot();
    await using fork = await point.start({ limits: { pids: 8 } });
    expect((await say(fork, 'fork', '20').nothrow()).stdout).toContain('EAGAIN');
  });

  test('refuses wrong options like any box, and the next one starts', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await using point = await box.snapshot();
    await expect(point.start({ hostnme: 'x' } as object)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
    await expect(point.start({ id: box.id })).rejects.toMatchObject({ code: 'ERR_ALREADY_EXISTS' });
    await expect(point.start({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await using fork = await point.start();
    await say(fork, 'true');
  });

  test('does not end with the signal of the box', async () => {
    const controller = new AbortController();
    await using box = await Sandbox.create({ rootfs: root.path, signal: controller.signal });
    await using point = await box.snapshot();
    await using fork = await point.start();
    controller.abort();
    await box.wait();
    await say(fork, 'true');
    await using later = await point.start();
    await say(later, 'true');
  });

  test('ten at once', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await say(box, 'write', '/state', 'frozen');
    await using point = await box.snapshot();
    const forks = await Promise.all(Array.from({ length: 10 }, () => point.start()));
    const seen = await Promise.all(forks.map((fork) => fork.fs.readFile('/state', 'utf8')));
    expect(new Set(seen)).toEqual(new Set(['frozen']));
  });
});

describe('the box', () => {
  test('goes on, with what runs in it', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    const running = box.exec(['/testinit', 'trap', '15']);
    for await (const line of running.stdout) if (String(line).includes('ready')) break;
    await using _ = await box.snapshot();
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(0);
    await say(box, 'true');
  });

  test('stays paused when it was', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await box.pause();
    await using _ = await box.snapshot();
    expect(() => say(box, 'true')).toThrow(/paused/);
    await box.resume();
    await say(box, 'true');
  });

  test('may be gone before its forks start', async () => {
    const box = await Sandbox.create({ rootfs: root.path });
    await say(box, 'write', '/state', 'frozen');
    await using point = await box.snapshot();
    await box[Symbol.asyncDispose]();
    await using fork = await point.start();
    expect(await fork.fs.readFile('/state', 'utf8')).toBe('frozen');
  });

  test('can be ended while it is paused or about to be', async () => {
    for (const end of ['kill', 'abort', 'dispose'] as const)
      for (const waits of [true, false]) {
        const controller = new AbortController();
        const box = await Sandbox.create({ rootfs: root.path, signal: controller.signal });
        const running = say(box, 'pause').nothrow();
        const pausing = box
          .pause()
          .catch((error: unknown) => expect(error).toMatchObject({ name: 'NsboxError' }));
        if (waits) await pausing;
        if (end === 'kill') box.kill();
        else if (end === 'abort') controller.abort();
        else await box[Symbol.asyncDispose]();
        await box.wait();
        await pausing;
        expect((await running).failed).toBe(true);
      }
  });

  test('that has ended cannot be frozen', async () => {
    const box = await Sandbox.create({ rootfs: root.path });
    await box[Symbol.asyncDispose]();
    await expect(box.snapshot()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });

  test('that ends meanwhile leaves no half of a snapshot', async () => {
    const box = await Sandbox.create({ rootfs: root.path });
    await box.fs.writeFile('/half-frozen', Buffer.alloc(1_000_000));
    const taking = box.snapshot().then(
      (point) => point[Symbol.asyncDispose](),
      (error: unknown) => expect(error).toMatchObject({ name: 'NsboxError' }),
    );
    box.kill();
    await taking;
    await box.wait();
    expect(holders('half-frozen')).toEqual([]);
  });
});

describe('disposal', () => {
  test('ends the forks, removes the files, and leaves the box alone', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await say(box, 'write', '/disposed-of', 'x');
    const point = await box.snapshot();
    expect(holders('disposed-of')).toHaveLength(1);
    const fork = await point.start();
    const running = say(fork, 'pause').nothrow();
    await point[Symbol.asyncDispose]();
    await fork.wait();
    expect(await running).toMatchObject({ signal: 'SIGKILL' });
    expect(holders('disposed-of')).toEqual([]);
    await expect(point.start()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await say(box, 'true');
    await point[Symbol.asyncDispose]();
  });

  test('while a fork starts ends that one too', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    const point = await box.snapshot();
    const starting = point.start().then(
      (fork) => fork.wait(),
      (error: unknown) => expect(error).toMatchObject({ name: 'NsboxError' }),
    );
    await point[Symbol.asyncDispose]();
    await starting;
  });

  test('of a fork of a fork’s snapshot needs the first one', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await say(box, 'write', '/one', '1');
    const first = await box.snapshot();
    await using fork = await first.start();
    await using second = await fork.snapshot();
    await first[Symbol.asyncDispose]();
    // What it stood on is gone: that is said, and not a box started that lacks half of its files.
    const start = second.start();
    await expect(start.then((one) => one[Symbol.asyncDispose]())).rejects.toMatchObject({
      name: 'NsboxError',
    });
  });

  test('frozen files are this user’s alone', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    await say(box, 'write', '/for-me', 'x');
    await using _ = await box.snapshot();
    const [directory = ''] = holders('for-me');
    expect(statSync(directory)).toMatchObject({ uid: process.geteuid?.() });
    expect(statSync(directory).mode & 0o7777).toBe(0o700);
  });
});

describe('the host’s own files', () => {
  test('are frozen with what was written and deleted', async () => {
    await using box = await Sandbox.create({ workspace: false });
    await box.exec(['sh', '-c', 'echo 1 > /etc/nsbox-one; rm /etc/hostname; mkdir /opt/nsbox-made']);
    await using point = await box.snapshot();
    await using fork = await point.start();
    await fork.exec(['sh', '-c', 'echo 2 > /etc/nsbox-two']);
    await using second = await fork.snapshot();
    await using last = await second.start();
    expect((await last.exec(['cat', '/etc/nsbox-one', '/etc/nsbox-two'])).stdout).toBe('1\n2');
    expect(await last.fs.exists('/etc/hostname')).toBe(false);
    expect((await last.fs.stat('/opt/nsbox-made')).type).toBe('directory');
    expect(readdirSync('/etc')).not.toContain('nsbox-one');
    expect(readdirSync('/etc')).toContain('hostname');
  });

  test('and the workspace with them', async () => {
    await using folder = new TemporaryDirectory();
    await using box = await Sandbox.create({ workspace: folder.path });
    await box.exec(['sh', '-c', 'echo x > built']);
    await using point = await box.snapshot();
    await using fork = await point.start();
    expect((await fork.exec(['cat', 'built'])).stdout).toBe('x');
    await fork.exec(['sh', '-c', 'echo y > more']);
    expect(await listed(fork)).toEqual([`added ${folder.join('more')}`]);
    await fork.apply({ paths: [folder.path] });
    expect(readdirSync(folder.path)).toEqual(['more']);
  });
});
