import { type ErrorCode, NsboxError } from '../errors.js';

/** How a command ended, and what it said and used. */
export interface Result {
  readonly command: readonly string[];
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** UTF-8; without its last newline unless `stripFinalNewline: false`. With a terminal all output is here. */
  readonly stdout: string;
  readonly stderr: string;
  /** Any exit code but 0, any signal. */
  readonly failed: boolean;
  readonly timedOut: boolean;
  readonly isCanceled: boolean;
  /** The kernel killed a process of the sandbox for want of memory while this command ran. */
  readonly oomKilled: boolean;
  readonly durationMs: number;
  /** Of the command and of the children that it waited for. */
  readonly usage: { readonly cpuMs: number; readonly memoryPeak: number };
}

/** A command that failed; it carries the whole {@link Result}. */
export class CommandError extends NsboxError implements Result {
  override readonly name = 'CommandError';
  readonly command!: readonly string[];
  readonly exitCode!: number | null;
  readonly signal!: NodeJS.Signals | null;
  readonly stdout!: string;
  readonly stderr!: string;
  readonly failed!: boolean;
  readonly timedOut!: boolean;
  readonly isCanceled!: boolean;
  readonly oomKilled!: boolean;
  readonly durationMs!: number;
  readonly usage!: Result['usage'];

  constructor(code: ErrorCode, result: Result, options?: ErrorOptions) {
    super(code, message(result, code), options);
    Object.assign(this, result);
  }
}

const TAIL_LINES = 10;
const TAIL_CHARACTERS = 2000;

function message(result: Result, code: ErrorCode): string {
  const tail = result.stderr.slice(-TAIL_CHARACTERS).split('\n').slice(-TAIL_LINES).join('\n');
  const what = `command ${outcome(result, code)}: ${result.command.join(' ').slice(0, 500)}`;
  return tail.trim() === '' ? what : `${what}\n${tail}`;
}

function outcome(result: Result, code: ErrorCode): string {
  if (code === 'ERR_MAX_BUFFER') return 'killed: it wrote more than maxBuffer';
  if (result.timedOut) return `timed out after ${Math.round(result.durationMs)} ms`;
  if (result.isCanceled) return 'was cancelled';
  if (result.oomKilled) return 'ran out of memory';
  if (result.signal !== null) return `was killed by ${result.signal}`;
  return `failed with exit code ${result.exitCode}`;
}
