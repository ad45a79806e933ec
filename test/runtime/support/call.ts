import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSlow } from '../../support/mode.js';
import { underTest } from './under-test.js';

/** No call of a runtime may take longer, but for one that waits for its container's program. */
const PATIENCE_MS = isSlow ? 120_000 : 15_000;

export interface CallOptions {
  readonly cwd?: string;
  /** Added to the environment of the tests; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What the call reads from stdin; without it, stdin is /dev/null. */
  readonly input?: string | Uint8Array;
  /** A file to use for stdin, stdout or stderr instead of the call's own. */
  readonly files?: readonly [stdin?: string, stdout?: string, stderr?: string];
  /** More descriptors for the call, from 3 on. */
  readonly descriptors?: readonly number[];
  readonly patienceMs?: number;
  /** A command that runs the runtime, as `['unshare', '--net']`. */
  readonly through?: readonly string[];
}

export interface Result {
  readonly args: readonly string[];
  /** `undefined` where a signal has ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** What has been written until now: a container that outlives the call has the same files. */
  readonly stdout: string;
  readonly stderr: string;
}

let calls = 0;

/**
 * One call of the runtime under test. Its output goes into files, as a container that outlives the call would keep a pipe
 * open for ever.
 */
export class Call {
  readonly result: Promise<Result>;
  readonly #child: ChildProcess;
  readonly #files: string;

  constructor(
    folder: string,
    readonly args: readonly string[],
    options: CallOptions = {},
  ) {
    this.#files = join(folder, `call-${++calls}`);
    const [stdin = this.#input(options.input), stdout = `${this.#files}.out`, stderr = `${this.#files}.err`] =
      options.files ?? [];
    const opened = [openSync(stdin, 'r'), openSync(stdout, 'a'), openSync(stderr, 'a')];
    try {
      const through = [...(options.through ?? []), ...underTest.through];
      const [command = '', ...rest] = [...through, underTest.path, ...args];
      this.#child = spawn(command, rest, {
        cwd: options.cwd,
        env: { ...process.env, ...options.env },
        stdio: [...opened, ...(options.descriptors ?? [])],
      });
    } finally {
      for (const fd of opened) closeSync(fd);
    }
    this.result = this.#end(options.patienceMs ?? PATIENCE_MS);
    this.result.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdout(): string {
    return contents(`${this.#files}.out`);
  }

  get stderr(): string {
    return contents(`${this.#files}.err`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #input(input: string | Uint8Array | undefined): string {
    if (input === undefined) return '/dev/null';
    const file = `${this.#files}.in`;
    writeFileSync(file, input);
    return file;
  }

  #end(patienceMs: number): Promise<Result> {
    return new Promise((resolve, reject) => {
      const alarm = setTimeout(() => {
        this.#child.kill('SIGKILL');
        reject(new Error(`hangs: ${underTest.path} ${this.args.join(' ')}\n${this.stderr}`));
      }, patienceMs);
      this.#child.on('error', (error) => {
        clearTimeout(alarm);
        reject(error);
      });
      this.#child.on('exit', (code, signal) => {
        clearTimeout(alarm);
        const { args, stdout, stderr } = this;
        resolve({ args, code: code ?? undefined, signal: signal ?? undefined, stdout, stderr });
      });
    });
  }

  /** Forgets the output. */
  clear(): void {
    for (const suffix of ['in', 'out', 'err']) rmSync(`${this.#files}.${suffix}`, { force: true });
  }
}

function contents(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
