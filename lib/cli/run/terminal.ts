import { NsboxError } from '../../errors.js';
import type { Process } from '../../sandbox/process.js';

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
 * Joins the command's terminal and ours: keys go in raw, output comes out, and its size follows ours. Our terminal is as
 * before when the process ends, however it ends.
 *
 * @returns settles when the last output is written
 */
export function joinTerminals(child: Process): Promise<void> {
  const { stdin, stdout } = process;
  if (stdin.isTTY) {
    process.once('exit', () => stdin.setRawMode(false));
    stdin.setRawMode(true);
  }
  stdin.once('end', () => child.stdin.write(END_OF_TRANSMISSION)).pipe(child.stdin, { end: false });
  stdout.on('resize', () => {
    const { columns, rows } = windowSize();
    child.resize(columns, rows);
  });
  return new Promise((resolve) => {
    // Nobody reads any more: what a terminal that is hung up would do.
    stdout.on('error', () => {
      child.kill('SIGHUP');
      resolve();
    });
    child.stdout.once('end', resolve).pipe(stdout, { end: false });
  });
}
