import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { runtimeFile } from '../../sandbox/installation.js';

// What a terminal sends goes to all who are at it, and so to the executable without our help.
const OF_TERMINALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
];

/** `nsbox runtime`: the executable, with all its words, this process's own streams and its signals. */
export async function runtime(args: readonly string[]): Promise<number> {
  const child = spawn(runtimeFile(), args, { stdio: 'inherit' });
  for (const name of FORWARDED)
    process.on(name, () => {
      if (!(process.stdin.isTTY && OF_TERMINALS.includes(name))) child.kill(name);
    });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? (signal === null ? 1 : SIGNALED + constants.signals[signal])),
    );
  });
}

const SIGNALED = 128;
