import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Console } from '../support/console.js';
import { refusal } from '../support/expect.js';
import { Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

test.runIf(isOurs)('create: --pidfd-socket gets a pidfd of the first process', async () => {
  await using receiver = await Console.listen();
  await using runtime = new Runtime();
  const box = await runtime.create(undefined, { flags: ['--pidfd-socket', receiver.path] });
  expect(await receiver.closed()).toMatch(new RegExp(`^descriptors 1 .*\\npid ${box.pid}\\n$`));
});

test.runIf(isOurs)('run: --pidfd-socket gets a pidfd of the first process', async () => {
  await using receiver = await Console.listen();
  await using runtime = new Runtime();
  const result = await runtime.run(
    (config) => {
      config.process.args = ['true'];
    },
    { flags: ['--pidfd-socket', receiver.path] },
  );
  expect(result.code).toBe(0);
  expect(await receiver.closed()).toMatch(/pid (\d+|-1)\n$/);
});

test.runIf(isOurs)('exec: --pidfd-socket gets a pidfd of its process', async () => {
  await using receiver = await Console.listen();
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = join(runtime.folder, 'exec.pid');
  await box.exec(['sleep', '999'], ['--detach', '--pid-file', file, '--pidfd-socket', receiver.path]);
  expect(await receiver.closed()).toContain(`pid ${readFileSync(file, 'utf8')}\n`);
});

test.runIf(isOurs)(
  'create: a --pidfd-socket that nobody listens on is refused, and nothing stays',
  async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle();
    const socket = join(runtime.folder, 'no.sock');
    const result = await runtime.call(['create', '-b', bundle.path, '--pidfd-socket', socket, runtime.id()]);
    expect(refusal(result)).toMatch(/no such file or directory/i);
    expect(runtime.leftovers()).toEqual([]);
  },
);
