import { expect, test } from 'vitest';
import { eventually } from '../../support/polling.js';
import { Console } from '../support/console.js';
import { type Config, type Container, Runtime } from '../support/runtime.js';
import { testOurs } from '../support/test.js';

async function inTerminal(
  runtime: Runtime,
  terminal: Console,
  script: string,
  patch?: (config: Config) => void,
): Promise<Container> {
  return await runtime.start(
    (config) => {
      config.process.terminal = true;
      config.process.args = ['sh', '-c', script];
      patch?.(config);
    },
    { flags: ['--console-socket', terminal.path] },
  );
}

test('create: --console-socket gets one descriptor, the terminal of the program', async () => {
  await using terminal = await Console.listen();
  await using runtime = new Runtime();
  await inTerminal(runtime, terminal, 'tty; test -t 0 && test -t 1 && test -t 2 && echo all three');
  const output = await terminal.closed();
  expect(output).toMatch(/^descriptors 1 name \/dev\//);
  expect(output).toMatch(/\/dev\/(pts\/\d+|console)/);
  expect(output).toContain('all three');
});

test('create: what is typed at the --console-socket reaches the program', async () => {
  await using terminal = await Console.listen();
  await using runtime = new Runtime();
  await inTerminal(runtime, terminal, 'read word; echo "<$word>"');
  terminal.type('typed\n');
  expect(await terminal.closed()).toContain('<typed>');
});

test('create: the terminal controls the program: ^C is SIGINT', async () => {
  await using terminal = await Console.listen();
  await using runtime = new Runtime();
  await inTerminal(
    runtime,
    terminal,
    'trap "echo interrupted; exit" INT; echo ready; while :; do sleep 0.05; done',
  );
  await terminal.shows('ready');
  terminal.type('\x03');
  expect(await terminal.closed()).toContain('interrupted');
});

test('process.consoleSize: is the size of the terminal', async () => {
  await using terminal = await Console.listen();
  await using runtime = new Runtime();
  await inTerminal(runtime, terminal, 'stty size', (config) => {
    config.process.consoleSize = { height: 33, width: 99 };
  });
  expect(await terminal.closed()).toContain('33 99');
});

test('create: /dev/console is the terminal', async () => {
  await using terminal = await Console.listen();
  await using runtime = new Runtime();
  await inTerminal(runtime, terminal, 'echo by the console > /dev/console; ls -l /dev/console');
  expect(await terminal.closed()).toContain('by the console');
});

test('create: the terminal lies in the container’s own devpts', async () => {
  await using terminal = await Console.listen();
  await using runtime = new Runtime();
  await inTerminal(runtime, terminal, 'ls /dev/pts; readlink /proc/self/fd/0');
  expect(await terminal.closed()).toMatch(/0\s+ptmx\s+\/dev\/pts\/0/);
});

test('run: --console-socket with --detach', async () => {
  await using terminal = await Console.listen();
  await using runtime = new Runtime();
  const result = await runtime.run(
    (config) => {
      config.process.terminal = true;
      config.process.args = ['sh', '-c', 'echo hello; read x'];
    },
    { flags: ['--detach', '--console-socket', terminal.path] },
  );
  expect(result.code).toBe(0);
  await terminal.shows('hello');
});

test('run: --tty of a caller who has none still gives the program one', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.process.terminal = true;
    config.process.args = ['sh', '-c', 'test -t 1 && echo a terminal'];
  });
  if (result.code === 0) expect(result.stdout).toBe('a terminal\r\n');
});

testOurs('run: --tty passes on more than a program takes at once, and hears it meanwhile', async () => {
  await using runtime = new Runtime();
  const inTerminalOf = (script: string) => (config: Config) => {
    config.process.terminal = true;
    config.process.args = ['sh', '-c', script];
  };
  // Its echo and its output are more than a terminal holds, as is what it reads.
  const lines = await runtime.run(inTerminalOf('cat'), { input: 'abcdefgh\n'.repeat(20_000) });
  expect(lines.code).toBe(0);
  expect(lines.stdout.match(/abcdefgh/g)?.length).toBeGreaterThanOrEqual(20_000);
  const unfinished = await runtime.run(inTerminalOf('cat; echo done'), { input: 'no end of line' });
  expect(unfinished.stdout).toMatch(/no end of line.*done/s);
});

test('delete: the container’s end closes its terminal', async () => {
  await using terminal = await Console.listen();
  await using runtime = new Runtime();
  const box = await inTerminal(runtime, terminal, 'echo ready; sleep 1000');
  await terminal.shows('ready');
  await box.delete('--force');
  await terminal.closed();
  await eventually(() => !box.isAlive());
});
