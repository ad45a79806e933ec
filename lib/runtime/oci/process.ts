import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { NsboxError } from '../../errors.js';
import { addon } from '../../native/load.js';
import { signalNumber } from '../../spec/runtime/linux-names.js';
import { type Deferred, deferred } from '../../util/deferred.js';
import { type Call, type CallEnd, callError, ended, launch, Scratch } from './executable.js';
import { aborted } from './failure.js';
import { Receiver } from './receiver.js';
import { type StdioOptions, Streams } from './streams.js';

/** How a process is attached to this one. */
export interface ContainerProcessOptions extends StdioOptions {
  /** What it reads from its stdin. */
  readonly input?: string | Uint8Array | Readable;
  /** How much of each output the result keeps, in bytes; more kills the process. 0 keeps none. Default: 64 MiB. */
  readonly maxBuffer?: number;
  /** Kills it when aborted. */
  readonly signal?: AbortSignal;
}

/** How a process in a container ended. */
export interface ContainerResult {
  /** What the executable ends with in the process's place: 128+N where signal N has ended it. */
  readonly exitCode: number;
  /** What it wrote, as far as it went through pipes; a terminal's is all stdout. */
  readonly stdout: string;
  readonly stderr: string;
}

/** @internal What is started, and how it is cleared away if it is killed half made. */
export interface ProcessRequest {
  readonly what: 'exec' | 'run';
  readonly tty: boolean;
  readonly size?: { readonly columns: number; readonly rows: number } | undefined;
  readonly options: ContainerProcessOptions;
  /** The call, with its files in the directory and the sockets' flags among its own. */
  readonly call: (scratch: Scratch, sockets: readonly string[]) => Promise<Call>;
  readonly clear?: (creator: number) => Promise<void>;
}

const MAX_BUFFER = 64 * 1024 * 1024;
const PATIENCE_MS = 2000;
const SIGKILL = 9;

/**
 * A process in a container, with `nsbox-runtime` in the foreground behind it: a promise of its {@link ContainerResult}, and
 * Node streams. It rejects where the process could not be run, never for an exit code. Disposing of it kills it.
 */
export class ContainerProcess implements PromiseLike<ContainerResult>, AsyncDisposable {
  readonly #request: ProcessRequest;
  readonly #streams: Streams;
  readonly #started: Deferred<void> = deferred();
  readonly #result: Deferred<ContainerResult> = deferred();
  readonly #onAbort = (): void => this.#abort();
  #child: ChildProcess | undefined;
  #pidfd: number | undefined;
  #pid: number | undefined;
  #end: CallEnd | undefined;
  #waiting: number[] = [];
  #hasRun = false;
  #hasEnded = false;
  #isAborted = false;
  #isTooLarge = false;
  #patience: NodeJS.Timeout | undefined;

  /** @internal Made by {@link Container}. */
  constructor(request: ProcessRequest) {
    this.#request = request;
    const { options, tty } = request;
    this.#streams = new Streams({
      ...options,
      otherwise: 'pipe',
      tty,
      maxBuffer: options.maxBuffer ?? MAX_BUFFER,
      onEnd: () => this.#settleIfDone(),
      onExcess: () => this.#exceed(),
    });
    this.#started.promise.catch(() => {});
    this.#result.promise.catch(() => {});
    this.#run().then(
      (end) => this.#onEnd(end),
      (error) => this.#fail(error),
    );
  }

  /** Settles when the program runs, or rejects as the promise itself. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** The pid on this machine; undefined until the program runs. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** What it reads. Untouched until the result is awaited, it is closed. */
  get stdin(): Writable {
    return this.#streams.stdin;
  }

  get stdout(): Readable {
    return this.#streams.stdout;
  }

  get stderr(): Readable {
    return this.#streams.stderr;
  }

  /** Sends a signal to the process itself; before the program runs it waits for that. */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): void {
    const number = signalNumber(signal);
    if (this.#pidfd !== undefined) addon().signalPidfd(this.#pidfd, number);
    else if (!this.#end) this.#waiting.push(number);
  }

  /** Tells the terminal its new size. Without a terminal it does nothing. */
  resize(columns: number, rows: number): void {
    this.#streams.resize(columns, rows);
  }

  // biome-ignore lint/suspicious/noThenProperty: a process is a promise of its result, as a sandbox's is.
  then<Yes = ContainerResult, No = never>(
    onResult?: ((result: ContainerResult) => Yes | PromiseLike<Yes>) | null,
    onError?: ((reason: unknown) => No | PromiseLike<No>) | null,
  ): Promise<Yes | No> {
    this.#streams.endIfUntouched();
    return this.#result.promise.then(onResult, onError);
  }

  /** Kills it, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    this.#streams.abandon();
    await this.#result.promise.catch(() => {});
  }

  async #run(): Promise<CallEnd> {
    const { signal } = this.#request.options;
    if (signal?.aborted) throw aborted(this.#request.what, signal);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    const scratch = await Scratch.make();
    const receivers: Receiver[] = [];
    try {
      const end = await this.#runIn(scratch, receivers);
      const failure = scratch.error();
      if (this.#isAborted && this.#child?.pid !== undefined && !this.#hasRun)
        await this.#request.clear?.(this.#child.pid);
      if (this.#isAborted) throw aborted(this.#request.what, signal);
      if (failure !== undefined || end.exitCode === null)
        throw callError(this.#request.what, scratch, end, 'ERR_START_FAILED');
      return end;
    } finally {
      for (const one of receivers) one.close();
      clearTimeout(this.#patience);
      signal?.removeEventListener('abort', this.#onAbort);
      await scratch.close();
    }
  }

  async #runIn(scratch: Scratch, receivers: Receiver[]): Promise<CallEnd> {
    const pidfd = new Receiver(scratch, 'pidfd', (fd) => this.#onStarted(fd));
    receivers.push(pidfd);
    const sockets = ['--pidfd-socket', pidfd.path];
    if (this.#request.tty) {
      const terminal = new Receiver(scratch, 'terminal', (fd) => this.#onTerminal(fd));
      receivers.push(terminal);
      sockets.push('--console-socket', terminal.path);
    }
    const call = await this.#request.call(scratch, sockets);
    if (this.#isAborted) return { exitCode: null, signal: null };
    this.#child = launch(call, scratch, [...this.#streams.theirs]);
    this.#streams.handedOver();
    // Whatever becomes of this process: once the program runs, nothing of ours is left in the file system.
    void Promise.all(receivers.map((one) => one.received)).then(() => scratch.remove().catch(() => {}));
    const end = await ended(this.#child);
    // What it has handed over may be told of only now, if all went fast.
    if (end.exitCode !== null && scratch.error() === undefined)
      await Promise.all(receivers.map((one) => one.received));
    this.#hasEnded = true;
    return end;
  }

  #onStarted(pidfd: number): void {
    this.#hasRun = true;
    this.#pidfd = pidfd;
    this.#pid = pidOf(pidfd);
    for (const signal of this.#waiting.splice(0)) addon().signalPidfd(pidfd, signal);
    this.#started.resolve();
  }

  #onTerminal(fd: number): void {
    this.#streams.open(fd);
    const { size } = this.#request;
    if (size) this.#streams.resize(size.columns, size.rows);
  }

  #onEnd(end: CallEnd): void {
    this.#end = end;
    this.#started.resolve();
    this.#streams.release();
    this.#settleIfDone();
  }

  #settleIfDone(): void {
    if (!this.#end || !this.#streams.isDone || this.#result.isSettled) return;
    this.#finish();
    this.#streams.close();
    if (this.#isTooLarge)
      this.#result.reject(new NsboxError('ERR_MAX_BUFFER', 'the process wrote more than maxBuffer allows'));
    else
      this.#result.resolve({
        exitCode: this.#end.exitCode ?? 0,
        stdout: this.#streams.text('stdout'),
        stderr: this.#streams.text('stderr'),
      });
  }

  #fail(error: unknown): void {
    this.#finish();
    this.#streams.drop();
    this.#started.reject(error);
    this.#result.reject(error);
  }

  #finish(): void {
    if (this.#pidfd !== undefined) addon().closeFd(this.#pidfd);
    this.#pidfd = undefined;
  }

  #abort(): void {
    this.#isAborted = true;
    this.#stop();
  }

  #exceed(): void {
    if (this.#isTooLarge) return;
    this.#isTooLarge = true;
    this.#stop();
  }

  // One that does not get as far as to run, for a hook that hangs, is ended with the executable.
  #stop(): void {
    if (this.#hasEnded || this.#result.isSettled) return;
    this.kill(SIGKILL);
    if (this.#hasRun) return;
    this.#patience ??= setTimeout(() => {
      this.#isAborted = true;
      this.#child?.kill('SIGKILL');
    }, PATIENCE_MS);
  }
}

// proc_pid_fdinfo(5)
function pidOf(pidfd: number): number | undefined {
  try {
    const pid = Number(/^Pid:\t(-?\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${pidfd}`, 'utf8'))?.[1]);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
