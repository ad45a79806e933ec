import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { skipUnless } from '../../../support/skip.js';
import { TemporaryDirectory } from '../../../support/temporary.js';
import { cli, endOf, hasScript, nsbox, saying, startOnTerminal } from '../support.js';

const NEEDED = 'script(1) of util-linux is missing';

test('-t gives a terminal of its own, as large as ours', async (context) => {
  skipUnless(context, hasScript, NEEDED);
  const child = startOnTerminal([
    'run',
    '-it',
    '--',
    'sh',
    '-c',
    'test -t 0 && test -t 1 && test -t 2 && stty size && exit 3',
  ]);
  const { code, stdout } = await endOf(child);
  expect(stdout).toMatch(/^\d+ \d+\r\n$/);
  expect(code).toBe(3);
});

test('keys go in raw: Ctrl-C interrupts the command, not nsbox', async (context) => {
  skipUnless(context, hasScript, NEEDED);
  const script = 'trap "echo interrupted; exit 5" INT; echo ready; while :; do sleep 1000 & wait $!; done';
  const child = startOnTerminal(['run', '-it', '--', 'sh', '-c', script]);
  const ended = endOf(child);
  await saying(child, 'ready');
  child.stdin?.write('\x03');
  expect(await ended).toMatchObject({ code: 5, stdout: expect.stringContaining('interrupted') });
});

test('lines are read and echoed', async (context) => {
  skipUnless(context, hasScript, NEEDED);
  const child = startOnTerminal(['run', '-it', '--', 'sh', '-c', 'echo ready; read line; echo "<$line>"']);
  const ended = endOf(child);
  await saying(child, 'ready');
  child.stdin?.write('hello\r');
  expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('hello\r\n<hello>\r\n') });
});

test('our terminal is as before, after success and failure', async (context) => {
  skipUnless(context, hasScript, NEEDED);
  for (const command of ['true', 'no-such-command']) {
    const script = `before=$(stty -g); "$0" "$@"; test "$before" = "$(stty -g)" && echo same`;
    const words = ['sh', '-c', script, process.execPath, cli, 'run', '-it', '--', command];
    const line = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const { stdout } = await endOf(spawn('script', ['-qec', line, '/dev/null'], { stdio: 'pipe' }));
    expect(stdout).toContain('same');
  }
});

test('a new size of our terminal is told to the command', async (context) => {
  skipUnless(context, hasScript, NEEDED);
  await using folder = new TemporaryDirectory();
  const file = folder.join('tty');
  const inside = 'trap "stty size; exit 6" WINCH; echo ready; while :; do sleep 1000 & wait $!; done';
  const words = [
    'sh',
    '-c',
    `tty > ${file}; exec "$0" "$@"`,
    process.execPath,
    cli,
    'run',
    '-it',
    '--',
    'sh',
    '-c',
    inside,
  ];
  const line = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qec', line, '/dev/null'], { stdio: 'pipe' });
  const ended = endOf(child);
  await saying(child, 'ready');
  spawnSync('stty', ['-F', readFileSync(file, 'utf8').trim(), 'cols', '101', 'rows', '41']);
  expect(await ended).toMatchObject({ code: 6, stdout: expect.stringContaining('41 101') });
});

test('what is piped into a terminal ends with it', async () => {
  const { code, stdout } = await nsbox(['run', '-t', '--', 'cat'], { input: 'hi\n' });
  expect(code).toBe(0);
  expect(stdout).toBe('hi\r\nhi\r\n');
});
