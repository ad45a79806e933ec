import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../../support/polling.js';
import { isAlive } from '../support/container.js';
import { refusal } from '../support/expect.js';
import { type Patch, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

const command =
  (...args: string[]): Patch =>
  (config) => {
    config.process.args = args;
  };

test('run: creates, starts, waits and deletes', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run(command('sh', '-c', 'echo out; echo err >&2'));
  expect(result).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'err\n' });
  expect(runtime.leftovers()).toEqual([]);
});

test("run: ends with the program's status", async () => {
  await using runtime = new Runtime();
  expect((await runtime.run(command('sh', '-c', 'exit 42'))).code).toBe(42);
});

test('run: ends with 128 and the number of the signal that ended the program', async () => {
  await using runtime = new Runtime();
  expect((await runtime.run(command('sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?'))).code).toBe(137);
  const bundle = runtime.bundle(command('sleep', '1000'));
  const id = runtime.id();
  const call = runtime.launch(['run', '--bundle', bundle.path, id]);
  await runtime.until(id, 'running');
  await runtime.ok(['kill', id, 'KILL']);
  expect((await call.result).code).toBe(137);
});

test('run: hands signals on to the program', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(
    command('sh', '-c', 'trap "echo asked; exit 3" TERM; echo ready; while :; do sleep 0.05; done'),
  );
  const call = runtime.launch(['run', '--bundle', bundle.path, runtime.id()]);
  await eventually(() => call.stdout.includes('ready'), Boolean, 10_000);
  call.kill('SIGTERM');
  const result = await call.result;
  expect(result).toMatchObject({ code: 3, stdout: 'ready\nasked\n' });
});

test('run: stdin reaches the program', async () => {
  await using runtime = new Runtime();
  expect((await runtime.run(command('cat'), { input: 'typed' })).stdout).toBe('typed');
});

test('run: --detach leaves the container running', async () => {
  await using runtime = new Runtime();
  const id = runtime.id();
  expect((await runtime.run(command('sleep', '1000'), { id, flags: ['--detach'] })).code).toBe(0);
  expect(JSON.parse((await runtime.ok(['state', id])).stdout)).toMatchObject({ id, status: 'running' });
});

test('run: -d is --detach, and --pid-file tells the pid', async () => {
  await using runtime = new Runtime();
  const id = runtime.id();
  const file = join(runtime.folder, 'pid');
  await runtime.run(command('sleep', '1000'), { id, flags: ['-d', '--pid-file', file] });
  const { pid } = JSON.parse((await runtime.ok(['state', id])).stdout);
  expect(readFileSync(file, 'utf8')).toBe(`${pid}`);
});

test.runIf(isOurs)('run: --keep leaves the stopped container', async () => {
  await using runtime = new Runtime();
  const id = runtime.id();
  expect((await runtime.run(command('sh', '-c', 'exit 5'), { id, flags: ['--keep'] })).code).toBe(5);
  expect(JSON.parse((await runtime.ok(['state', id])).stdout).status).toBe('stopped');
});

test('run: --no-subreaper is accepted', async () => {
  await using runtime = new Runtime();
  expect((await runtime.run(command('echo', 'well'), { flags: ['--no-subreaper'] })).stdout).toBe('well\n');
});

test('run: a program that is absent is refused, and nothing stays', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run(command('no-such-program'));
  expect(refusal(result)).toContain('exec: "no-such-program": executable file not found in $PATH');
  expect(runtime.leftovers()).toEqual([]);
});

test('run: a program without the executable bit is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.run(command('/etc/passwd')))).toContain('permission denied');
});

test('run: an ID that exists is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const result = await runtime.run(command('true'), { id: box.id });
  expect(refusal(result)).toContain('container with given ID already exists');
  expect(await box.status()).toBe('running');
});

test('run: processes that the program leaves behind end with it', async () => {
  await using runtime = new Runtime();
  expect((await runtime.run(command('sh', '-c', 'sleep 999 & sleep 998 & exit 0'))).code).toBe(0);
  expect(runtime.leftovers()).toEqual([]);
});

test('run: a detached container outlives the call', async () => {
  await using runtime = new Runtime();
  const file = join(runtime.folder, 'pid');
  await runtime.run(command('sleep', '1000'), { flags: ['--detach', '--pid-file', file] });
  expect(isAlive(Number(readFileSync(file, 'utf8')))).toBe(true);
});

test('run: without an ID it is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['run']))).toContain('"run" requires exactly 1 argument(s)');
});

test('run: --preserve-fds hands further descriptors to the program', async () => {
  await using runtime = new Runtime();
  const file = join(runtime.folder, 'handed');
  writeFileSync(file, 'handed over');
  const fd = openSync(file, 'r');
  try {
    const result = await runtime.run(command('sh', '-c', 'cat <&3; ls /proc/self/fd | grep -c "^[34]$"'), {
      flags: ['--preserve-fds', '1'],
      descriptors: [fd],
    });
    expect(result.stdout).toMatch(/^handed over/);
  } finally {
    closeSync(fd);
  }
});

test('run: without --preserve-fds the program has three descriptors', async () => {
  await using runtime = new Runtime();
  const fd = openSync('/dev/zero', 'r');
  try {
    const result = await runtime.run(command('/testinit', 'fds'), { descriptors: [fd, fd] });
    expect(result.stdout).not.toContain('/dev/zero');
  } finally {
    closeSync(fd);
  }
});

test.runIf(isOurs)(
  'run: --preserve-fds without such descriptors hands over none of the runtime’s own',
  async () => {
    await using runtime = new Runtime();
    const result = await runtime.run(command('/testinit', 'fds'), { flags: ['--preserve-fds', '20'] });
    if (result.code === 0) expect(result.stdout.trim().split('\n').length).toBeLessThanOrEqual(3);
    else refusal(result);
  },
);

test('run: LISTEN_FDS hands systemd’s sockets to the program', async () => {
  await using runtime = new Runtime();
  const file = join(runtime.folder, 'handed');
  writeFileSync(file, 'a socket');
  const fd = openSync(file, 'r');
  try {
    const result = await runtime.run(command('sh', '-c', 'echo $LISTEN_FDS $LISTEN_PID; cat <&3'), {
      env: { LISTEN_FDS: '1' },
      through: ['sh', '-c', 'export LISTEN_PID=$$; exec "$@"', 'sh'],
      descriptors: [fd],
    });
    expect(result.stdout).toBe('1 1\na socket');
  } finally {
    closeSync(fd);
  }
});
