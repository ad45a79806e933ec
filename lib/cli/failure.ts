import { writeSync } from 'node:fs';
import { printable } from './output/printable.js';

/** Exit codes of `nsbox run` that are not the command's own, as docker and timeout(1) have them. */
export const ExitCode = {
  timedOut: 124,
  ownFailure: 125,
  notExecutable: 126,
  notFound: 127,
  signal: 128,
} as const;

/** An error as a person and a program want it. Errors of another copy of the library count too, so no `instanceof`. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

export function failureOf(error: unknown): Failure {
  const { code, message, hint } = Object(error) as { code?: unknown; message?: unknown; hint?: unknown };
  return {
    code: typeof code === 'string' ? code : 'ERR_INTERNAL',
    message: inFlags(typeof message === 'string' && message !== '' ? message : String(error)),
    hint: typeof hint === 'string' ? hint : undefined,
  };
}

// The library names its options, a user of the command line knows them as flags.
const FLAG_OF: readonly (readonly [option: RegExp, flag: string])[] = [
  [/^limits\.memorySwap:/, '--memory-swap:'],
  [/^limits\.memory:/, '--memory:'],
  [/^limits\.cpus:/, '--cpus:'],
  [/^limits\.cpuShares:/, '--cpu-shares:'],
  [/^limits\.cpuset:/, '--cpuset-cpus:'],
  [/^limits\.pids:/, '--pids-limit:'],
  [/^limits: /, ''],
  [/^security\.capAdd:/, '--cap-add:'],
  [/^security\.capDrop:/, '--cap-drop:'],
  [/^mounts\[\d+\]\.source:/, '--volume:'],
  [/^mounts\[\d+\]\.target:/, '--volume:'],
  [/^mounts\.size:/, '--tmpfs:'],
  [/^cwd:/, '--workdir:'],
  [/^id:/, '--name:'],
  [/^scratchSize:/, '--scratch-size:'],
  [/^readOnly:/, '--read-only:'],
  [/^(network|hostname|rootfs|bundle|workspace|user|timeout|apply|env|pull|platform|entrypoint):/, '--$1:'],
];

function inFlags(message: string): string {
  for (const [option, flag] of FLAG_OF) if (option.test(message)) return message.replace(option, flag);
  return message;
}

/** One line for the error, one for the remedy; with `NSBOX_DEBUG` also where it comes from. */
export function report(error: unknown): void {
  const { message, hint } = failureOf(error);
  say(message, hint);
  if (process.env.NSBOX_DEBUG && error instanceof Error) writeError(`${stackOf(error)}\n`);
}

/** A line from nsbox itself, beside what the command says. */
export function say(message: string, hint?: string): void {
  writeError(`nsbox: ${message.split('\n').map(printable).join('\n  ')}\n`);
  if (hint !== undefined) writeError(`hint: ${printable(hint)}\n`);
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${stackOf(error.cause)}` : '';
  return `${error.stack}${cause}`;
}

/** To stderr, at once: what follows may be the end of the process. */
export function writeError(text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(2, bytes, done);
    } catch (error) {
      // Somebody else has made it non-blocking, and its reader is slow.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    }
  }
}
