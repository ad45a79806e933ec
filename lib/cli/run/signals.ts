import type { Process } from '../../sandbox/process.js';

const FORWARDED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];

/** Hands the signals that this process gets to the command. A second SIGINT ends it, whatever it does with the first. */
export function forwardSignals(child: Process): void {
  let interrupts = 0;
  for (const name of FORWARDED)
    process.on(name, () => child.kill(name === 'SIGINT' && interrupts++ > 0 ? 'SIGKILL' : name));
}
