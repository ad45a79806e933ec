import { fstatSync, type Stats } from 'node:fs';
import type { Readable } from 'node:stream';
import { lazyTty } from '../util/builtin.js';
import { parseDuration } from '../util/units.js';
import { checkBoolean, checkEnvironment, checkKeys, checkSignal, invalid } from './options.js';

export interface ExecOptions {
  /** Default: the sandbox's. Absolute. */
  readonly cwd?: string;
  /** Added to the sandbox's; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `user[:group]`, by name or id, looked up in the sandbox's own /etc/passwd. */
  readonly user?: string | number;
  /** What the command reads from its stdin. */
  readonly input?: string | Uint8Array | Readable;
  /** `'ignore'` reads as empty, `'inherit'` is this process's own. Default: `'pipe'`. */
  readonly stdin?: 'pipe' | 'ignore' | 'inherit';
  readonly stdout?: 'pipe' | 'ignore' | 'inherit';
  readonly stderr?: 'pipe' | 'ignore' | 'inherit';
  /** A terminal of its own; stdout and stderr come as one. */
  readonly tty?: boolean | { readonly columns: number; readonly rows: number };
  /** Kills the command after that time: `'2s'`, or milliseconds. */
  readonly timeout?: string | number;
  /** Kills the command when aborted. */
  readonly signal?: AbortSignal;
  /** How much output is kept, in bytes, of stdout and stderr each; more kills the command. Default: 64 MiB. */
  readonly maxBuffer?: number;
  /** `false` keeps no output: it goes to the streams alone. */
  readonly buffer?: boolean;
  /** `false`: a failing command resolves as well. Default: true. */
  readonly reject?: boolean;
  /** Default: true. */
  readonly stripFinalNewline?: boolean;
}

/** {@link ExecOptions} with every default in its place. */
export interface NormalExecOptions {
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly user: string | undefined;
  readonly input: string | Uint8Array | Readable | undefined;
  readonly stdio: readonly [Stdio, Stdio, Stdio];
  readonly tty: { readonly columns: number; readonly rows: number } | undefined;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly maxBuffer: number;
  readonly reject: boolean;
  readonly stripFinalNewline: boolean;
}
/** `copy`: a file of the host's, whose content goes through a pipe. */
export type Stdio = 'pipe' | 'ignore' | 'inherit' | 'copy';

export const EXEC_OPTIONS: ReadonlySet<string> = new Set<keyof ExecOptions>([
  'cwd',
  'env',
  'user',
  'input',
  'stdin',
  'stdout',
  'stderr',
  'tty',
  'timeout',
  'signal',
  'maxBuffer',
  'buffer',
  'reject',
  'stripFinalNewline',
]);

const DEFAULT_MAX_BUFFER = 64 * 1024 * 1024;
const NO_ENV = {};

/** Checks the options and fills in the defaults; `inherited` is the sandbox's time limit. */
export function normalExecOptions(options: ExecOptions, inherited?: string | number): NormalExecOptions {
  checkKeys(options, 'options', EXEC_OPTIONS);
  return normalise(options, inherited);
}

/** The same for options that are checked already. */
export function normalise(options: ExecOptions, inherited?: string | number): NormalExecOptions {
  if (options.env !== undefined) checkEnvironment(options.env);
  for (const name of ['reject', 'buffer', 'stripFinalNewline'] as const) checkBoolean(options, name);
  if (options.cwd !== undefined && (typeof options.cwd !== 'string' || !options.cwd.startsWith('/')))
    throw invalid(`cwd: expected an absolute path, got ${JSON.stringify(options.cwd)}`);
  if (options.input !== undefined && options.stdin !== undefined && options.stdin !== 'pipe')
    throw invalid(`input and stdin: '${options.stdin}' contradict each other`);
  const timeout = options.timeout ?? inherited;
  return {
    cwd: options.cwd,
    env: options.env ?? NO_ENV,
    user: userText(options.user),
    input: options.input,
    stdio: [stdio(options, 'stdin'), stdio(options, 'stdout'), stdio(options, 'stderr')],
    tty: terminal(options),
    timeoutMs: timeout === undefined ? undefined : parseDuration(timeout, 'timeout'),
    signal: checkSignal(options.signal),
    maxBuffer: options.buffer === false ? 0 : maxBuffer(options.maxBuffer),
    reject: options.reject ?? true,
    stripFinalNewline: options.stripFinalNewline ?? true,
  };
}

function stdio(options: ExecOptions, name: 'stdin' | 'stdout' | 'stderr'): Stdio {
  const value = options[name] ?? 'pipe';
  if (value === 'pipe' || value === 'ignore') return value;
  if (value === 'inherit') return inherited(name);
  throw invalid(`${name}: expected 'pipe', 'ignore' or 'inherit', got ${JSON.stringify(value)}`);
}

/**
 * How this process's own descriptor can be handed on. A descriptor of a file is more than its content: the sandbox could
 * open it anew for writing, change its mode, or walk from a directory over the whole host. So only what is no file goes as
 * it is.
 */
function inherited(name: 'stdin' | 'stdout' | 'stderr'): Stdio {
  const fd = { stdin: 0, stdout: 1, stderr: 2 }[name];
  const info = statOf(fd);
  if (info === undefined || isNullDevice(info)) return 'ignore';
  if (info.isFIFO() || info.isSocket()) return 'inherit';
  if (info.isCharacterDevice() && lazyTty().isatty(fd)) return 'inherit';
  if (info.isFile() || info.isCharacterDevice()) return 'copy';
  throw invalid(`${name}: a directory or a disk cannot be handed to a sandbox`);
}

function statOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch {
    // It is closed.
    return undefined;
  }
}

// Character device 1:3, as the kernel packs it.
function isNullDevice(info: Stats): boolean {
  return info.isCharacterDevice() && info.rdev === 0x103;
}

function maxBuffer(value: number | undefined): number {
  if (value === undefined) return DEFAULT_MAX_BUFFER;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(`maxBuffer: expected a number of bytes from 1, got ${String(value)}`);
}

function terminal(options: ExecOptions): NormalExecOptions['tty'] {
  if (options.tty === undefined || options.tty === false) return undefined;
  for (const name of ['stdin', 'stdout', 'stderr'] as const)
    if (options[name] !== undefined && options[name] !== 'pipe')
      throw invalid(`tty and ${name}: '${options[name]}' contradict each other`);
  if (options.tty === true) return { columns: 80, rows: 24 };
  const { columns, rows } = options.tty;
  if (isWindowSize(columns) && isWindowSize(rows)) return { columns, rows };
  throw invalid('tty: expected columns and rows from 1 to 65535');
}

export function isWindowSize(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65535;
}

const USER = /^[^\0:]+(?::[^\0:]+)?$/;

export function userText(user: string | number | undefined): string | undefined {
  if (user === undefined) return undefined;
  if (typeof user === 'number' && Number.isInteger(user) && user >= 0 && user < 2 ** 32 - 1)
    return String(user);
  if (typeof user === 'string' && USER.test(user)) return user;
  throw invalid(`user: expected a name or an id, or user:group, got ${JSON.stringify(user)}`);
}
