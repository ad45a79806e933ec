import type { ChildProcess, StdioOptions } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ErrorCode, NsboxError } from '../../errors.js';
import { runtimePath } from '../../native/runtime-binary.js';
import { isObject } from '../../spec/validate.js';
import { lazyChildProcess, lazyFiles } from '../../util/builtin.js';
import { aborted, runtimeError } from './failure.js';
import type { CgroupManager } from './place.js';

/** One call of `nsbox-runtime`. */
export interface Call {
  readonly root: string;
  readonly cgroupManager?: CgroupManager | undefined;
  readonly args: readonly string[];
}

/** How the executable ended. */
export interface CallEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A directory for what one call takes and gives beside its arguments: files, sockets, its log. It may go before the call
 * has ended: the log is read by its descriptor.
 */
export class Scratch {
  readonly #log: number;

  private constructor(readonly path: string) {
    this.#log = openSync(this.file('log'), 'ax+', 0o600);
  }

  static async make(): Promise<Scratch> {
    // Of this user alone: mkdtemp(3) makes it 0700.
    return new Scratch(await lazyFiles().mkdtemp(join(tmpdir(), 'nsbox-oci-')));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** The last error that the executable has told of; its standard error is the container's as well. */
  error(): string | undefined {
    const text = Buffer.alloc(LARGEST_LOG);
    const size = readSync(
      this.#log,
      text,
      0,
      text.length,
      Math.max(0, fstatSync(this.#log).size - text.length),
    );
    const lines = text.toString('utf8', 0, size).split('\n').reverse();
    const last = lines.map(parseLine).find((entry) => entry?.level === 'error');
    return last && String(last.msg);
  }

  /** Removes the files; the log can still be read. */
  async remove(): Promise<void> {
    await lazyFiles().rm(this.path, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    closeSync(this.#log);
    await this.remove();
  }
}

const LARGEST_LOG = 64 * 1024;

function parseLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return isObject(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Starts the executable. It runs a sealed copy of itself where it enters a container. */
export function launch(call: Call, scratch: Scratch, stdio: StdioOptions): ChildProcess {
  const { root, cgroupManager = 'cgroupfs', args } = call;
  const globals = ['--root', root, '--log', scratch.file('log'), '--log-format', 'json'];
  return lazyChildProcess().spawn(runtimePath(), [...globals, '--cgroup-manager', cgroupManager, ...args], {
    stdio,
    env: environment(),
  });
}

// Descriptors that were handed to this process by systemd are not the container's: sd_listen_fds(3).
function environment(): NodeJS.ProcessEnv {
  const { LISTEN_FDS: _, LISTEN_PID: __, ...rest } = process.env;
  return rest;
}

/** Settles when the executable is gone. */
export function ended(child: ChildProcess): Promise<CallEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new NsboxError('ERR_START_FAILED', `start nsbox-runtime: ${cause.message}`, { cause })),
    );
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
}

/** The error of a call that came to no good. */
export function callError(
  what: string,
  scratch: Scratch,
  { exitCode, signal }: CallEnd,
  otherwise: ErrorCode,
): NsboxError {
  const end = signal === null ? `ended with status ${exitCode}` : `was ended by ${signal}`;
  return runtimeError(scratch.error() ?? `nsbox-runtime ${what} ${end}`, otherwise);
}

export interface RunCallOptions {
  readonly input?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls the executable, and answers what it prints.
 *
 * @throws {@link NsboxError} as {@link runtimeError} maps it; `ERR_ABORTED`
 */
export async function runCall(call: Call, { input = '', signal }: RunCallOptions = {}): Promise<string> {
  const what = call.args[0] ?? '';
  if (signal?.aborted) throw aborted(what, signal);
  const scratch = await Scratch.make();
  try {
    const child = launch(call, scratch, ['pipe', 'pipe', 'ignore']);
    const onAbort = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', onAbort, { once: true });
    // It may end without reading.
    child.stdin?.on('error', () => {}).end(input);
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    const closed = new Promise<void>((resolve) => child.stdout?.once('close', resolve));
    const end = await ended(child).finally(() => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted && end.exitCode !== 0) throw aborted(what, signal);
    if (end.exitCode !== 0) throw callError(what, scratch, end, 'ERR_IO');
    await closed;
    return output;
  } finally {
    await scratch.close();
  }
}
