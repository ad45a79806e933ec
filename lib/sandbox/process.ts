import { createReadStream, createWriteStream } from 'node:fs';
import type { PassThrough, Readable, Writable } from 'node:stream';
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { type ErrorCode, NsboxError } from '../errors.js';
import { addon } from '../native/load.js';
import {
  type Box,
  type Exit,
  failureError,
  type ProcessListener,
  type StartFailure,
} from '../runtime/box.js';
import { Input } from '../runtime/input.js';
import { Output } from '../runtime/output.js';
import { signalName, signalNumber } from '../spec/runtime/linux-names.js';
import { lazyStream } from '../util/builtin.js';
import { monotonicMs } from '../util/clock.js';
import { type Deferred, deferred } from '../util/deferred.js';
import type { NormalExecOptions, Stdio } from './exec-options.js';
import { isWindowSize } from './exec-options.js';
import { type Line, linesOf } from './lines.js';
import { invalid } from './options.js';
import { CommandError, type Result } from './result.js';
import type { ChildStdio } from './stdio.js';

/** One line of a command's output, without its newline. */
export type OutputLine = Line;

/** A process's streams in the Web's form. */
export interface WebStreams {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
}

/** What a process needs to know of the sandbox it runs in. */
export interface ProcessHost {
  /** Counts the processes that the kernel has killed for want of memory; -1 when it cannot be told. */
  oomKills(): number;
  /** Kills the process with what it started. */
  kill(): void;
  /** Whether the sandbox ends with this process: then the result waits for the sandbox's end. */
  readonly ended: Promise<void> | undefined;
}

/**
 * A running command: a promise of its {@link Result}, an async iterable of its lines, and Node streams, all over one
 * buffer. Disposing of it kills it.
 */
export class Process implements PromiseLike<Result>, AsyncIterable<OutputLine>, AsyncDisposable {
  #command: readonly string[];
  readonly #options: NormalExecOptions;
  readonly #result: Deferred<Result> = deferred();
  readonly #startedAt = monotonicMs();
  readonly #onAbort = (): void => this.#cancel();
  #input: Input | undefined;
  #stdout: Output | undefined;
  #stderr: Output | undefined;
  #host: ProcessHost | undefined;
  #container: Box | undefined;
  #id = 0;
  #pid: number | undefined;
  #terminal: number | undefined;
  #exit: Exit | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timedOut = false;
  #canceled = false;
  #exceeded = false;
  #settled = false;
  /** What must be written before the result is told. */
  readonly #copies: Promise<void>[] = [];
  #earlyStdout: PassThrough | undefined;
  #nothrow: boolean;
  /** Settles when the terminal is there, or never will be. */
  #opened: Deferred<void> | undefined;

  /** @internal Made by a sandbox. */
  constructor(command: readonly string[], options: NormalExecOptions, stdio: ChildStdio) {
    this.#command = command;
    this.#options = options;
    this.#nothrow = !options.reject;
    if (options.tty) this.#opened = deferred();
    this.#result.promise.catch(() => {});
    const [stdinKind, stdoutKind, stderrKind] = options.stdio;
    const output = (fd: number | undefined, kind: Stdio): Output | undefined =>
      fd === undefined
        ? undefined
        : new Output(
            fd,
            kind === 'copy' ? 0 : options.maxBuffer,
            () => this.#settleIfDone(),
            () => this.#exceed(),
          );
    this.#stdout = output(stdio.stdout, stdoutKind);
    this.#stderr = output(stdio.stderr, stderrKind);
    if (stdio.stdin !== undefined) this.#input = new Input(stdio.stdin, options.input);
    if (options.tty) return;
    // The file itself stays out of the sandbox: only its content goes in, or what is written comes out.
    if (stdinKind === 'copy') createReadStream('', { fd: 0, autoClose: false }).pipe(this.stdin);
    if (stdoutKind === 'copy') this.#copyOut(this.stdout, 1);
    if (stderrKind === 'copy') this.#copyOut(this.stderr, 2);
  }

  #copyOut(output: Readable, fd: 1 | 2): void {
    const file = output.pipe(createWriteStream('', { fd, autoClose: false }));
    this.#copies.push(
      new Promise((resolve) => {
        // A disk that is full is the caller's to see in its own file.
        file.once('finish', resolve).once('error', () => resolve());
      }),
    );
  }

  /** @internal Tells it where it runs; `listener` is what the container calls. */
  attach(container: Box, host: ProcessHost): void {
    this.#container = container;
    this.#host = host;
    if (host.ended && !this.#options.tty) this.#pid = ONLY_PID;
    const { signal, timeoutMs } = this.#options;
    if (signal?.aborted) this.#cancel();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (timeoutMs !== undefined)
      this.#timer = setTimeout(() => this.#expire(), Math.min(timeoutMs, 2 ** 31 - 1));
  }

  /** @internal */
  readonly listener: ProcessListener = {
    started: (pid, terminal) => this.#onStarted(pid, terminal),
    failed: (failure) => this.#onFailed(failure),
    exited: (exit) => this.#onExited(exit),
  };

  /** @internal It cannot start yet: `cancel` ends what it waits for. */
  wait(cancel: () => void): void {
    this.#host = { kill: cancel, oomKills: () => 0, ended: undefined };
    this.#options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** @internal It will never start. */
  fail(error: unknown, theirs: readonly number[]): void {
    this.abandon(theirs);
    this.#result.reject(this.#canceled ? aborted(this.#options.signal) : error);
  }

  /** The command and its arguments; of an image's own command, when it is known. */
  get command(): readonly string[] {
    return this.#command;
  }

  /** @internal */
  set command(command: readonly string[]) {
    this.#command = command;
  }

  /** @internal */
  set id(id: number) {
    this.#id = id;
  }

  /** The pid inside the sandbox; undefined until the command runs. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** What the command reads. Untouched until the result is awaited, it is closed. */
  get stdin(): Writable {
    if (!this.#input) throw invalid("stdin: the command was started without it; use stdin: 'pipe'");
    return this.#input.stream;
  }

  get stdout(): Readable {
    // A terminal is there only when the command runs.
    if (this.#options.tty && !this.#stdout) {
      this.#earlyStdout ??= new (lazyStream().PassThrough)();
      return this.#earlyStdout;
    }
    return this.#outputOf('stdout').stream;
  }

  get stderr(): Readable {
    return this.#outputOf('stderr').stream;
  }

  /** The same three as Web streams. */
  get web(): WebStreams {
    const { Readable, Writable } = lazyStream();
    return {
      stdin: Writable.toWeb(this.stdin),
      stdout: Readable.toWeb(this.stdout) as ReadableStream<Uint8Array>,
      stderr: Readable.toWeb(this.stderr) as ReadableStream<Uint8Array>,
    };
  }

  #outputOf(name: 'stdout' | 'stderr'): Output {
    const output = name === 'stdout' ? this.#stdout : this.#stderr;
    if (output) return output;
    throw invalid(
      `${name}: the command was started without it${this.#options.tty ? '; with a tty all output is stdout' : ''}`,
    );
  }

  /** Sends a signal, to the command alone; SIGKILL goes to its process group. */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): void {
    const number = signalNumber(signal);
    if (this.#exit) return;
    if (this.#container) this.#container.signal(this.#id, number);
    // Nothing runs yet that could do anything with it.
    else this.#cancel();
  }

  /** Tells the command's terminal its new size. Without a terminal it does nothing. */
  resize(columns: number, rows: number): void {
    if (!isWindowSize(columns) || !isWindowSize(rows))
      throw invalid('resize: expected columns and rows from 1 to 65535');
    if (this.#terminal !== undefined) addon().setWindowSize(this.#terminal, columns, rows);
  }

  /** A failing command resolves like any other. */
  nothrow(): this {
    this.#nothrow = true;
    return this;
  }

  // biome-ignore lint/suspicious/noThenProperty: a process is a promise of its result, as with execa.
  then<Yes = Result, No = never>(
    onResult?: ((result: Result) => Yes | PromiseLike<Yes>) | null,
    onError?: ((reason: unknown) => No | PromiseLike<No>) | null,
  ): Promise<Yes | No> {
    this.#input?.endIfUntouched();
    return this.#result.promise.then(onResult, onError);
  }

  catch<No = never>(onError?: ((reason: unknown) => No | PromiseLike<No>) | null): Promise<Result | No> {
    return this.then(undefined, onError);
  }

  finally(onFinally?: (() => void) | null): Promise<Result> {
    return this.then().finally(onFinally);
  }

  /** Its lines as they come, stdout's and stderr's. Ends, or throws as the promise does. */
  async *[Symbol.asyncIterator](): AsyncIterator<OutputLine> {
    this.#input?.endIfUntouched();
    await this.#opened?.promise;
    yield* linesOf(this.#stdout, this.#stderr);
    await this;
  }

  /** Kills it, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#settled) this.#host?.kill();
    this.#stdout?.abandon();
    this.#stderr?.abandon();
    await this.#result.promise.catch(() => {});
  }

  /** @internal The command could not even be handed over: closes what was opened for it. */
  abandon(theirs: readonly number[]): void {
    for (const fd of theirs) addon().closeFd(fd);
    this.#finish();
    this.#stdout?.close();
    this.#stderr?.close();
  }

  #onStarted(pid: number, terminal: number | undefined): void {
    this.#pid = pid;
    if (terminal === undefined) return;
    this.#terminal = terminal;
    addon().setNonBlocking(terminal);
    // Three owners of one terminal: reading, writing, resizing.
    this.#stdout = new Output(
      addon().duplicateFd(terminal),
      this.#options.maxBuffer,
      () => this.#settleIfDone(),
      () => this.#exceed(),
    );
    if (this.#earlyStdout) this.#stdout.stream.pipe(this.#earlyStdout);
    this.#input?.open(addon().duplicateFd(terminal));
    this.#opened?.resolve();
  }

  #onFailed(failure: StartFailure): void {
    this.#finish();
    const error = failureError(failure);
    const end = (): void => this.#result.reject(this.#canceled ? aborted(this.#options.signal) : error);
    if (this.#host?.ended) this.#host.ended.then(end, end);
    else end();
  }

  #onExited(exit: Exit): void {
    this.#exit = exit;
    // Where the sandbox ends with the command, its pipes end with it too.
    if (!this.#host?.ended) {
      this.#stdout?.release();
      this.#stderr?.release();
    }
    this.#settleIfDone();
  }

  #settleIfDone(): void {
    if (this.#settled || !this.#exit) return;
    const exit = this.#exit;
    if (this.#isOpen(this.#stdout) || this.#isOpen(this.#stderr)) return;
    this.#finish();
    if (this.#host?.ended || this.#copies.length > 0)
      void Promise.all([this.#host?.ended, ...this.#copies]).then(() => this.#settle(exit));
    else this.#settle(exit);
  }

  #isOpen(output: Output | undefined): boolean {
    return output !== undefined && !output.isDone;
  }

  #finish(): void {
    this.#settled = true;
    this.#opened?.resolve();
    if (!this.#stdout) this.#earlyStdout?.end();
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#input?.destroy();
    if (this.#terminal !== undefined) addon().closeFd(this.#terminal);
    this.#terminal = undefined;
  }

  #settle(exit: Exit): void {
    const result = this.#makeResult(exit);
    const code = this.#errorCode(result);
    if (code === undefined || this.#nothrow) this.#result.resolve(result);
    else
      this.#result.reject(
        new CommandError(code, result, { cause: this.#canceled ? this.#options.signal?.reason : undefined }),
      );
  }

  #errorCode(result: Result): ErrorCode | undefined {
    if (this.#exceeded) return 'ERR_MAX_BUFFER';
    if (result.timedOut) return 'ERR_TIMEOUT';
    if (result.isCanceled) return 'ERR_ABORTED';
    return result.failed ? 'ERR_COMMAND_FAILED' : undefined;
  }

  #makeResult(exit: Exit): Result {
    const failed = exit.exitCode !== 0;
    return {
      command: this.command,
      exitCode: exit.exitCode,
      signal: exit.signal === null ? null : (signalName(exit.signal) as NodeJS.Signals),
      stdout: this.#textOf(this.#stdout),
      stderr: this.#textOf(this.#stderr),
      failed,
      timedOut: this.#timedOut && failed,
      isCanceled: this.#canceled && failed,
      oomKilled: this.#host !== undefined && this.#host.oomKills() > 0,
      durationMs: monotonicMs() - this.#startedAt,
      usage: { cpuMs: (exit.userUs + exit.systemUs) / 1000, memoryPeak: exit.memoryPeakKb * 1024 },
    };
  }

  #textOf(output: Output | undefined): string {
    const text = output?.text() ?? '';
    if (!this.#options.stripFinalNewline || !text.endsWith('\n')) return text;
    return text.slice(0, text.endsWith('\r\n') ? -2 : -1);
  }

  #expire(): void {
    this.#timedOut = true;
    this.#host?.kill();
  }

  #cancel(): void {
    this.#canceled = true;
    this.#host?.kill();
  }

  #exceed(): void {
    if (this.#exceeded) return;
    this.#exceeded = true;
    this.#host?.kill();
  }
}

// The first process of a sandbox, after its init: native/core/container/init.cc.
const ONLY_PID = 2;

function aborted(signal: AbortSignal | undefined): NsboxError {
  return new NsboxError('ERR_ABORTED', 'the command was cancelled before it ran', { cause: signal?.reason });
}
