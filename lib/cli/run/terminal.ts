import { NsboxError } from '../../errors.js';
import type { Process } from '../../sandbox/process.js';
import { CommandError } from '../../sandbox/result.js';

export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}

/** How large the command's terminal is to be: as ours, where there is one. */
export function windowSize(): WindowSize {
  const { columns, rows } = process.stdout;
  return { columns: columns || 80, rows: rows || 24 };
}

/** As Docker: who asks for input from a terminal and pipes something in is told, before anything runs. */
export function requireTerminal(): void {
  if (process.stdin.isTTY) return;
  throw new NsboxError(
    'ERR_INVALID_ARGUMENT',
    'stdin is not a terminal, so the command cannot be given one to read from',
    {
      hint: 'leave out -t: a pipe is read as it is',
    },
  );
}

// What a pipe ends with, a terminal has a key for: Ctrl-D.
const END_OF_TRANSMISSION = '\x04';

/**
 * Joins the command's terminal and ours: keys go in raw, output comes out as it is, and its size follows ours. Our
 * terminal is as before when the process ends, however it ends.
 *
 * @returns settles when the last output is written; then our terminal is as before, too
 */
export async function joinTerminals(child: Process): Promise<void> {
  const { stdin, stdout } = process;
  const output = allOutput(child);
  if (stdin.isTTY) await makeRaw();
  stdin.once('end', () => child.stdin.write(END_OF_TRANSMISSION)).pipe(child.stdin, { end: false });
  stdout.on('resize', () => {
    const { columns, rows } = windowSize();
    child.resize(columns, rows);
  });
  try {
    await output;
  } finally {
    restore();
  }
}

async function makeRaw(): Promise<void> {
  process.once('exit', restore);
  process.stdin.setRawMode(true);
  // Node's raw mode goes on to turn a newline into two characters, which the command's own terminal has done: a program
  // that moves its cursor by newlines would be torn. Without stty(1) it is as Node does it.
  const { spawnSync } = await import('node:child_process');
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
}

function restore(): void {
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
}

async function allOutput(child: Process): Promise<void> {
  const { stdout } = process;
  await new Promise<void>((resolve) => {
    // Nobody reads any more: what a terminal that is hung up would do.
    stdout.on('error', () => {
      child.kill('SIGHUP');
      resolve();
    });
    child.stdout.once('end', resolve).pipe(stdout, { end: false });
    // A command that never ran says nothing.
    child.catch((error) => {
      if (!(error instanceof CommandError)) resolve();
    });
  });
}
