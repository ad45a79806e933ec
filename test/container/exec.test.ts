import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Process, Sandbox } from 'nsbox';
import { afterAll, describe, expect, test } from 'vitest';
import { hasIdRanges, isSlow, NO_RANGES } from '../support/mode.js';
import { eventually } from '../support/polling.js';
import { skipUnless } from '../support/skip.js';
import { sharedRoot } from '../support/temporary.js';

const root = sharedRoot(['etc', 'work']);
const box = await Sandbox.create({ rootfs: root.path, env: { COLOUR: 'red', SHAPE: 'round' } });
afterAll(() => box[Symbol.asyncDispose]());

const PAUSE = ['/testinit', 'pause'];
const MEGABYTE = 1024 * 1024;

/** What a process has read out of its arguments. */
function split(stdout: string): string[] {
  return stdout.split('\0').slice(0, -1);
}

async function size(stream: Readable): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

describe('arguments', () => {
  const HOSTILE = [
    '',
    ' ',
    'a b',
    '"',
    "'",
    '$(touch /x)',
    '`id`',
    ';',
    '*',
    '\n',
    '--',
    '-rf',
    'ü漢',
    '\\',
    'a\tb',
  ];

  test('a list arrives as it is', async () => {
    expect(split((await box.exec(['/testinit', 'args', ...HOSTILE])).stdout)).toEqual(HOSTILE);
  });

  test('a template’s values are single arguments, whatever is in them', async () => {
    for (const value of HOSTILE)
      expect(split((await box.exec`/testinit args ${value} --name=${value}`).stdout)).toEqual([
        value,
        `--name=${value}`,
      ]);
  });

  test('a list in a template becomes an argument for each', async () => {
    const list = ['a b', 3];
    expect(split((await box.exec`/testinit args ${list} ${[]} x${list}y`).stdout)).toEqual([
      'a b',
      '3',
      'xa b',
      '3y',
    ]);
  });

  test('blanks and newlines of the template only part', async () => {
    expect(
      split(
        (
          await box.exec`
            /testinit  args
              one	two
          `
        ).stdout,
      ),
    ).toEqual(['one', 'two']);
  });

  test('what is no argument is refused', () => {
    // @ts-expect-error: nothing is no argument
    expect(() => box.exec`/testinit ${undefined}`).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    );
    // @ts-expect-error: an object is none either
    expect(() => box.exec`/testinit ${{}}`).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    );
    for (const command of [[], [''], ['a\0b'], 'ls', [1], undefined])
      expect(() => box.exec(command as string[])).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
      );
  });

  test('a megabyte of arguments arrives', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => String(i).padEnd(1000, 'x'));
    expect(split((await box.exec(['/testinit', 'args', ...many])).stdout)).toEqual(many);
  });
});

describe('environment, directory, user', () => {
  test('a command’s variables are added to the box’s', async () => {
    const { stdout } = await box.exec(['/testinit', 'env'], {
      env: { COLOUR: 'blue', SHAPE: undefined, SIZE: 'a=b' },
    });
    const got = split(stdout);
    expect(got).toEqual(expect.arrayContaining(['COLOUR=blue', 'SIZE=a=b']));
    expect(got.filter((one) => one.startsWith('SHAPE'))).toEqual([]);
  });

  test('the working directory', async () => {
    expect((await box.exec(['/testinit', 'pwd'])).stdout).toBe('/');
    expect((await box.exec({ cwd: '/work' })`/testinit pwd`).stdout).toBe('/work');
    await expect(box.exec(['/testinit', 'pwd'], { cwd: '/nowhere' })).rejects.toThrow(/\/nowhere/);
    expect(() => box.exec(['/testinit'], { cwd: 'work' })).toThrow(/absolute/);
  });

  test('a user by name has the ids and groups of the box’s own files', async (context) => {
    skipUnless(context, hasIdRanges, NO_RANGES);
    await using more = await Sandbox.create({ rootfs: root.path, user: '1' });
    await more.fs.writeFile('/etc/passwd', 'anna:x:1234:1235::/home/anna:/bin/sh\n');
    await more.fs.writeFile('/etc/group', 'staff:x:50:anna\nteam:x:60:bob,anna\n');
    const run = async (user: string) => (await more.exec(['/testinit', 'ids'], { user })).stdout;
    expect(await run('anna')).toMatch(/^uid=1234 gid=1235 .*groups=(1235,)?50,60 /);
    expect(await run('anna:team')).toMatch(/^uid=1234 gid=60 /);
    expect(await run('77:88')).toMatch(/^uid=77 gid=88 .*groups= /);
    await expect(more.exec(['/testinit', 'ids'], { user: 'berta' })).rejects.toThrow(/berta/);
    expect((await more.exec(['/testinit', 'env'], { user: 'anna' })).stdout).toContain('HOME=/home/anna');
  });

  test.each(['4294967295', '-1', '0x10', '1e3', '99999999999'])(
    'a user %j is no id, and nobody’s name',
    async (user) => {
      await expect(async () =>
        Sandbox.run(['/testinit', 'ids'], { rootfs: root.path, user }),
      ).rejects.toMatchObject({
        name: 'NsboxError',
      });
    },
  );
});

describe('a program that does not start', () => {
  test('is not there', async () => {
    await expect(box.exec(['/nothing'])).rejects.toMatchObject({ code: 'ERR_PROGRAM_NOT_FOUND' });
    await expect(box.exec(['nothing'])).rejects.toMatchObject({ code: 'ERR_PROGRAM_NOT_FOUND' });
    await expect(Sandbox.run(['nothing'], { rootfs: root.path })).rejects.toMatchObject({
      code: 'ERR_PROGRAM_NOT_FOUND',
      message: expect.stringContaining('nothing'),
    });
  });

  test('cannot be executed', async () => {
    await box.fs.writeFile('/text', 'no program', { mode: 0o755 });
    await box.fs.writeFile('/plain', 'no program', { mode: 0o644 });
    for (const program of ['/text', '/plain', '/work'])
      await expect(box.exec([program])).rejects.toMatchObject({ code: 'ERR_PROGRAM_NOT_EXECUTABLE' });
  });

  test('is found in the box’s PATH', async () => {
    expect((await box.exec(['testinit', 'print', 'found'], { env: { PATH: '/work:/' } })).stdout).toBe(
      'found',
    );
  });
});

describe('signals', () => {
  test('kill() sends the one it is told', async () => {
    const running = box.exec(['/testinit', 'trap', '10']);
    for await (const line of running) {
      if (line.text === 'ready') running.kill('SIGUSR1');
      else expect(line.text).toBe('got 10');
    }
  });

  test('SIGTERM is the usual one, and SIGKILL cannot be ignored', async () => {
    const ended = box.exec(PAUSE).nothrow();
    await ready(ended);
    ended.kill();
    expect(await ended).toMatchObject({ signal: 'SIGTERM' });
    const stubborn = box.exec(['/testinit', 'ignore', '15']).nothrow();
    await ready(stubborn);
    stubborn.kill('SIGTERM');
    stubborn.kill('SIGKILL');
    expect(await stubborn).toMatchObject({ signal: 'SIGKILL', exitCode: null });
  });

  test('an unknown one is refused, and one after the end is no error', async () => {
    const ended = box.exec(['/testinit', 'true']);
    await ended;
    ended.kill();
    expect(() => ended.kill('SIGNONSENSE' as NodeJS.Signals)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    );
  });
});

describe('limits of time and output', () => {
  test('a timeout kills, and says so', async () => {
    await expect(box.exec(PAUSE, { timeout: '50ms' })).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      timedOut: true,
      signal: 'SIGKILL',
      stdout: 'ready',
      message: expect.stringContaining('timed out'),
    });
  });

  test('what ends in time is not touched', async () => {
    expect(await box.exec(['/testinit', 'true'], { timeout: 60_000 })).toMatchObject({ timedOut: false });
  });

  test('a timeout of a run ends all of its processes', async () => {
    const run = Sandbox.run(['/testinit', 'fork', '3', 'wait'], {
      rootfs: root.path,
      timeout: '100ms',
      reject: false,
    });
    expect(await run).toMatchObject({ timedOut: true });
  });

  test('an abort kills, and says so', async () => {
    const controller = new AbortController();
    const running = box.exec(PAUSE, { signal: controller.signal });
    await ready(running);
    const reason = new Error('changed my mind');
    controller.abort(reason);
    await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED', isCanceled: true, cause: reason });
  });

  test('an abort at any moment of a start leaves a clean end', async () => {
    for (let i = 0; i < 10; i++) {
      const controller = new AbortController();
      const running = Sandbox.run(PAUSE, { rootfs: root.path, signal: controller.signal });
      setTimeout(() => controller.abort(), i);
      await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    }
  });

  test('more output than maxBuffer kills, and what came is kept', async () => {
    const running = box.exec(['/testinit', 'spew', String(MEGABYTE)], { maxBuffer: 1000 });
    await expect(running).rejects.toMatchObject({ code: 'ERR_MAX_BUFFER', stdout: 'x'.repeat(1000) });
  });

  test('buffer: false keeps nothing', async () => {
    const running = box.exec(['/testinit', 'spew', String(MEGABYTE)], { buffer: false });
    expect(await size(running.stdout)).toBe(MEGABYTE);
    expect((await running).stdout).toBe('');
  });
});

describe('streams', () => {
  const LARGE = (isSlow ? 20 : 200) * MEGABYTE;

  test('much output comes through, and waits for who reads it', async () => {
    const running = box.exec(['/testinit', 'spew', String(LARGE)], { buffer: false });
    const before = process.memoryUsage().rss;
    let bytes = 0;
    for await (const chunk of running.stdout) {
      bytes += chunk.length;
      if (bytes < 4 * MEGABYTE) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bytes).toBe(LARGE);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MEGABYTE);
    await running;
  });

  test('a reader that has stopped stops the writer', async () => {
    const running = box.exec(['/testinit', 'spew', String(LARGE)], { buffer: false });
    await running.stdout[Symbol.asyncIterator]().next();
    // The writer stands still once pipe and stream are full: what it has written does not grow any more.
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(process.memoryUsage().rss - before).toBeLessThan(20 * MEGABYTE);
    await running.nothrow()[Symbol.asyncDispose]();
  });

  test('who stops reading in the middle does not hold the process up', async () => {
    const running = box.exec(['/testinit', 'spew', String(16 * MEGABYTE)], { buffer: false });
    for await (const _ of running.stdout) {
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      break;
    }
    expect(await running).toMatchObject({ exitCode: 0 });
  });

  test('much input goes in, while output comes out', async () => {
    const block = Buffer.alloc(64 * 1024, 'y');
    const source = Readable.from(Array.from({ length: LARGE / 10 / block.length }, () => block));
    const running = box.exec(['/testinit', 'cat'], { buffer: false, input: source });
    expect(await size(running.stdout)).toBe(Math.floor(LARGE / 10 / block.length) * block.length);
    await running;
  });

  test('input as a text, as bytes, large and empty', async () => {
    expect((await box.exec(['/testinit', 'cat'], { input: 'grüße' })).stdout).toBe('grüße');
    const bytes = Buffer.alloc(MEGABYTE, 'z');
    expect((await box.exec(['/testinit', 'cat'], { input: bytes })).stdout).toBe(bytes.toString());
    expect((await box.exec(['/testinit', 'cat'], { input: '' })).stdout).toBe('');
  });

  test('stdin that nobody writes to is at its end', async () => {
    expect((await box.exec(['/testinit', 'cat'])).stdout).toBe('');
    expect((await box.exec(['/testinit', 'cat'], { stdin: 'ignore' })).stdout).toBe('');
  });

  test('stdin as a stream', async () => {
    const running = box.exec(['/testinit', 'cat']);
    await pipeline(Readable.from(['one ', 'two']), running.stdin);
    expect((await running).stdout).toBe('one two');
  });

  test('a command that does not read its input is no error', async () => {
    await box.exec(['/testinit', 'true'], { input: Buffer.alloc(4 * MEGABYTE) });
  });

  test("'ignore' drops the output", async () => {
    const result = await box.exec(['/testinit', 'print', 'out', 'err'], { stdout: 'ignore' });
    expect(result).toMatchObject({ stdout: '', stderr: 'err' });
    expect(() => box.exec(['/testinit', 'true'], { stdout: 'ignore' }).stdout).toThrow(/without it/);
  });

  test('output after a child was left behind does not hold the result up', async () => {
    expect((await box.exec(['/testinit', 'orphan'])).stdout).toBe('ok');
  });
});

describe('lines', () => {
  test('come as they end, from both outputs', async () => {
    const lines: string[] = [];
    for await (const { stream, text } of box.exec(['/testinit', 'print', 'a', 'b', 'c']))
      lines.push(`${stream} ${text}`);
    expect(lines.sort()).toEqual(['stderr b', 'stdout a', 'stdout c']);
  });

  test('are whole, however they are cut on the way', async () => {
    const text = `${'ä'.repeat(70_000)}\r\nlast`;
    const lines: string[] = [];
    for await (const line of box.exec(['/testinit', 'cat'], { input: text })) lines.push(line.text);
    expect(lines).toEqual(['ä'.repeat(70_000), 'last']);
  });

  test('throw at the end as the promise does', async () => {
    const running = box.exec(['/testinit', 'exit', '3']);
    await expect(
      (async () => {
        for await (const _ of running);
      })(),
    ).rejects.toMatchObject({ exitCode: 3 });
  });
});

describe('results', () => {
  test('the last newline is stripped, and only that', async () => {
    expect((await box.exec(['/testinit', 'cat'], { input: 'a\n\n' })).stdout).toBe('a\n');
    expect((await box.exec(['/testinit', 'cat'], { input: 'a\n', stripFinalNewline: false })).stdout).toBe(
      'a\n',
    );
  });

  test('a failure rejects, unless it is not to', async () => {
    await expect(box.exec(['/testinit', 'exit', '1'])).rejects.toMatchObject({ code: 'ERR_COMMAND_FAILED' });
    expect(await box.exec(['/testinit', 'exit', '1']).nothrow()).toMatchObject({ failed: true, exitCode: 1 });
    expect(await box.exec(['/testinit', 'exit', '1'], { reject: false })).toMatchObject({ failed: true });
  });

  test('an error ends with what the command said last', async () => {
    await expect(box.exec(['/testinit', 'cat', '/nothing'])).rejects.toThrow('/nothing: ENOENT');
  });

  test('usage counts processor time and memory', async () => {
    const { usage, durationMs } = await box.exec(['/testinit', 'spin', '100']);
    expect(usage.cpuMs).toBeGreaterThan(20);
    expect(durationMs).toBeGreaterThan(90);
    const { usage: large } = await box.exec(['/testinit', 'hog', String(64 * MEGABYTE)]);
    expect(large.memoryPeak).toBeGreaterThan(60 * MEGABYTE);
  });
});

describe('terminal', () => {
  test('is there on request only', async () => {
    expect((await box.exec(['/testinit', 'tty'])).stdout).toBe('000');
    const { stdout, stderr } = await box.exec(['/testinit', 'tty'], { tty: { columns: 101, rows: 37 } });
    expect(stdout.split('\r\n')).toEqual(['111', '101x37']);
    expect(stderr).toBe('');
    expect((await box.exec(['/testinit', 'tty'], { tty: true })).stdout).toContain('80x24');
  });

  test('tells of a new size', async () => {
    const running = box.exec(['/testinit', 'tty', 'watch'], { tty: true }).nothrow();
    const sizes: string[] = [];
    for await (const { text } of running) {
      sizes.push(text);
      if (text === '80x24') running.resize(132, 50);
      if (text === '132x50') running.kill();
    }
    expect(sizes).toEqual(['111', '80x24', '132x50']);
  });

  test('echoes, and ends the input at ^D', async () => {
    const running = box.exec(['/testinit', 'cat'], { tty: true });
    running.stdin.write('hello\n\u0004');
    expect((await running).stdout.split('\r\n')).toEqual(['hello', 'hello']);
  });

  test('^C interrupts', async () => {
    const running = box.exec(PAUSE, { tty: true }).nothrow();
    await ready(running);
    running.stdin.write('\u0003');
    expect(await running).toMatchObject({ signal: 'SIGINT' });
  });

  test('many at once have one each', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        box.exec(['/testinit', 'tty'], { tty: { columns: 10 + i, rows: 5 } }),
      ),
    );
    expect(all.map(({ stdout }) => stdout.split('\r\n')[1])).toEqual(
      Array.from({ length: 8 }, (_, i) => `${10 + i}x5`),
    );
  });

  test('of a program that is not there, its output ends', async () => {
    const running = box.exec(['/nothing'], { tty: true });
    expect(await size(running.stdout)).toBe(0);
    await expect(running).rejects.toMatchObject({ code: 'ERR_PROGRAM_NOT_FOUND' });
  });

  test('also for the one command of a run', async () => {
    const { stdout } = await Sandbox.run(['/testinit', 'tty'], { rootfs: root.path, tty: true });
    expect(stdout).toContain('80x24');
  });
});

test('disposing of a process kills it', async () => {
  const running = box.exec(PAUSE).nothrow();
  await ready(running);
  await running[Symbol.asyncDispose]();
  expect((await running).signal).toBe('SIGKILL');
});

test('a thousand commands in one box', async () => {
  const count = isSlow ? 100 : 1000;
  for (let i = 0; i < count; i += 20)
    await Promise.all(Array.from({ length: 20 }, () => box.exec(['/testinit', 'true'])));
  await eventually(() => true);
});

/** Waits until a command has said that it is there. */
async function ready(running: Process): Promise<void> {
  for await (const chunk of running.stdout) if (String(chunk).includes('ready')) return;
}
