import { NsboxError } from '../errors.js';
import { type NativeBox, type OnMessage, ReplyKind, RequestKind } from '../native/contract.js';
import { codeOf, fromNative } from '../native/errors.js';
import { addon } from '../native/load.js';
import type { ProcessConfig } from '../spec/runtime/config.js';
import { type Deferred, deferred } from '../util/deferred.js';
import { takeInit } from './init.js';
import type { Plan } from './plan.js';

/** How a process ended, as init tells it. */
export interface Exit {
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly userUs: number;
  readonly systemUs: number;
  readonly memoryPeakKb: number;
}

/** Why a process could not be started. */
export interface StartFailure {
  readonly errno: number;
  /** 127 not found, 126 not executable, 125 anything else. */
  readonly exitStatus: number;
  readonly text: string;
}

/** Who is told of one process's life. Exactly one of `failed` and `exited` is called, and after it nothing. */
export interface ProcessListener {
  started(pid: number, terminal: number | undefined): void;
  failed(failure: StartFailure): void;
  exited(exit: Exit): void;
}

/** The box's own files: what changed is in the uppers, one for each overlay. */
export interface BoxFiles {
  readonly root: number;
  readonly overlays: readonly { readonly target: string; readonly upper: number }[];
}

export interface BoxStart {
  readonly plan: Plan;
  readonly filter: Uint8Array | undefined;
  /** Descriptors of the groups in the plan; they stay the caller's. */
  readonly groups: readonly number[];
  /** stdin, stdout and stderr of the plan's own process; closed here once they are handed over. */
  readonly stdio: readonly number[];
  readonly first?: ProcessListener;
}

/**
 * One running container: its init, and the processes that were started through it. Owned by this process and gone with
 * it, whatever ends it.
 */
export class Box {
  /** Settles when init stands ready (a held one), or rejects with why it could not. */
  readonly ready: Promise<void>;
  /** Settles when init and all processes of the container are gone. Never rejects. */
  readonly closed: Promise<void>;

  readonly #native: NativeBox;
  readonly #ready: Deferred<void> = deferred();
  readonly #closed: Deferred<void> = deferred();
  readonly #listeners = new Map<number, ProcessListener>();
  #files: Deferred<BoxFiles> | undefined;
  // What keeps the event loop alive: being made, each process, each wait for files.
  #busy = 1;
  readonly #held: boolean;
  readonly #waiting: Request[] = [];
  #retry: NodeJS.Timeout | undefined;
  #filesInUse = 0;
  #nextId = 1;
  #isClosed = false;
  #failure: StartFailure | undefined;

  constructor(start: BoxStart) {
    this.#held = start.plan.hold;
    this.ready = this.#ready.promise;
    this.closed = this.#closed.promise;
    this.ready.catch(() => {});
    if (start.first) this.#listeners.set(0, start.first);
    if (!start.plan.hold) this.#ready.resolve();
    this.#native = this.#spawn(start);
    if (start.plan.hold)
      this.ready.then(
        () => this.#release(),
        () => {},
      );
  }

  #spawn({ plan, filter, groups, stdio }: BoxStart): NativeBox {
    const text = JSON.stringify(plan);
    const fds = groups.length > 0 ? [...groups, ...stdio] : stdio;
    const { native, receive } = takeInit(plan);
    receive((...message) => this.#onMessage(...message));
    try {
      native.begin(text, filter, fds, stdio);
    } catch (error) {
      native.kill(SIGKILL);
      throw fromNative(error, 'start the sandbox', 'ERR_START_FAILED');
    }
    return native;
  }

  /** Init's pid on this machine. */
  get pid(): number {
    return this.#native.pid;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Starts one more process. `stdio` is closed here; a process with a terminal brings none. */
  exec(process: ProcessConfig, stdio: readonly number[], listener: ProcessListener): number {
    const id = this.#nextId++;
    this.#listeners.set(id, listener);
    try {
      this.#send([RequestKind.exec, id, 0, JSON.stringify(process), stdio, stdio]);
    } catch (error) {
      this.#listeners.delete(id);
      throw fromNative(error, 'start a process in the sandbox', 'ERR_DISPOSED');
    }
    this.#hold();
    return id;
  }

  /** From here on it keeps the event loop alive until it is closed. */
  keepAlive(): void {
    if (!this.#isClosed) this.#hold();
  }

  #hold(): void {
    if (this.#busy++ === 0) this.#native.ref();
  }

  #release(): void {
    if (--this.#busy === 0 && !this.#isClosed) this.#native.unref();
  }

  /** Says that the id maps are written, to an init that waits for it. */
  go(): void {
    this.#native.request(RequestKind.go, 0, 0, undefined, [], []);
  }

  signal(id: number, signal: number): void {
    if (this.#listeners.has(id)) this.#tell(RequestKind.signal, id, signal);
  }

  /** To every process but init. */
  signalAll(signal: number): void {
    this.#tell(RequestKind.signalAll, 0, signal);
  }

  // In their order; what init has no room for yet waits here.
  #send(request: Request): void {
    if (this.#waiting.length > 0 || !this.#sendNow(request)) {
      this.#waiting.push(request);
      this.#sendLater();
    }
  }

  #sendNow(request: Request): boolean {
    try {
      this.#native.request(...request);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return false;
      throw error;
    }
  }

  #sendLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      try {
        for (let next = this.#waiting[0]; next && this.#sendNow(next); next = this.#waiting[0])
          this.#waiting.shift();
      } catch {
        // The container is ending, and tells each of its processes so.
        return this.#dropWaiting();
      }
      if (this.#waiting.length > 0) this.#sendLater();
    }, RETRY_MS);
  }

  #dropWaiting(): void {
    clearTimeout(this.#retry);
    for (const [, , , , , closeAfter] of this.#waiting.splice(0))
      for (const fd of closeAfter) addon().closeFd(fd);
  }

  #tell(kind: RequestKind, id: number, value: number): void {
    if (this.#isClosed) return;
    try {
      this.#send([kind, id, value, undefined, [], []]);
    } catch {
      // The container is ending by itself; its end is told by `closed`.
    }
  }

  /** Ends it with all that is in it. */
  kill(): void {
    if (this.#isClosed) return;
    // Its end is worth waiting for, also where nothing else is.
    this.#hold();
    this.#native.kill(9);
  }

  /**
   * Ends its processes by their init, which then tells what they used, and ends itself; and ends it by force when it
   * does not answer.
   */
  end(): void {
    if (this.#isClosed) return;
    this.signalAll(SIGKILL);
    const force = setTimeout(() => this.kill(), PATIENCE_MS);
    void this.closed.then(() => clearTimeout(force));
  }

  /** Runs `work` with the container's files: they stay open, and it alive or not, until `work` is done. */
  async withFiles<T>(work: (files: BoxFiles) => Promise<T>): Promise<T> {
    this.#filesInUse++;
    try {
      return await work(await this.#getFiles());
    } finally {
      this.#filesInUse--;
      if (this.#isClosed) this.#closeFiles();
    }
  }

  #getFiles(): Promise<BoxFiles> {
    if (this.#files) return this.#files.promise;
    const files = deferred<BoxFiles>();
    this.#files = files;
    if (this.#isClosed) {
      files.reject(gone());
    } else {
      this.#tell(RequestKind.files, 0, 0);
      this.#hold();
    }
    return files.promise;
  }

  #onMessage(
    ...[kind, id, value, status, userUs, systemUs, memoryPeakKb, text, fds]: Parameters<OnMessage>
  ): void {
    switch (kind) {
      case ReplyKind.ready:
        return this.#ready.resolve();
      case ReplyKind.started:
        return this.#listeners.get(id)?.started(value, fds[0]);
      case ReplyKind.failed:
        return this.#onFailed(id, { errno: value, exitStatus: status, text });
      case ReplyKind.exited:
        return this.#take(id)?.exited({ ...waitStatus(value), userUs, systemUs, memoryPeakKb });
      case ReplyKind.files:
        return this.#onFiles(text, fds);
      case ReplyKind.closed:
        return this.#onClosed({ exitCode: null, signal: SIGKILL, userUs, systemUs, memoryPeakKb });
      default:
        kind satisfies never;
    }
  }

  #onFailed(id: number, failure: StartFailure): void {
    const listener = this.#take(id);
    if (listener) return listener.failed(failure);
    this.#failure = failure;
  }

  #take(id: number): ProcessListener | undefined {
    const listener = this.#listeners.get(id);
    this.#listeners.delete(id);
    if (listener && id !== 0) this.#release();
    return listener;
  }

  #onFiles(text: string, [root, ...uppers]: readonly number[]): void {
    const targets: unknown = JSON.parse(text);
    if (root === undefined || !Array.isArray(targets)) return this.#files?.reject(gone());
    const overlays = uppers.map((upper, i) => ({ target: String(targets[i]), upper }));
    this.#files?.resolve({ root, overlays });
    this.#release();
  }

  // `killed` is how a process looks that went down with the container: nobody was left to tell of it alone.
  #onClosed(killed: Exit): void {
    this.#isClosed = true;
    this.#dropWaiting();
    if (this.#held) this.#ready.reject(this.#failure ? failureError(this.#failure) : gone());
    for (const listener of this.#listeners.values()) listener.exited(killed);
    this.#listeners.clear();
    this.#closed.resolve();
    this.#closeFiles();
  }

  // A descriptor that work in the pool still uses must keep its number.
  #closeFiles(): void {
    const files = this.#files;
    if (!files) return;
    // Whoever waits for them waits in vain, and is among those who use them.
    if (!files.isSettled) files.reject(gone());
    if (this.#filesInUse > 0) return;
    this.#files = undefined;
    files.promise.then(
      ({ root, overlays }) => {
        for (const fd of [root, ...overlays.map(({ upper }) => upper)]) addon().closeFd(fd);
      },
      () => {},
    );
  }
}

type Request = Parameters<NativeBox['request']>;

const SIGKILL = 9;
const RETRY_MS = 1;
const PATIENCE_MS = 100;

function gone(): NsboxError {
  return new NsboxError('ERR_DISPOSED', 'the sandbox has ended');
}

// wait(2): the low seven bits are the signal, the next byte is the exit code.
function waitStatus(value: number): Pick<Exit, 'exitCode' | 'signal'> {
  const signal = value & 0x7f;
  return signal === 0 ? { exitCode: (value >> 8) & 0xff, signal: null } : { exitCode: null, signal };
}

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const ENOSPC = 28;
const EPERM = 1;
const EINVAL = 22;
const EOPNOTSUPP = 95;

/** The error for something that init could not do. */
export function failureError(failure: StartFailure): NsboxError {
  if (failure.exitStatus === NOT_FOUND) return new NsboxError('ERR_PROGRAM_NOT_FOUND', failure.text);
  if (failure.exitStatus === NOT_EXECUTABLE)
    return new NsboxError('ERR_PROGRAM_NOT_EXECUTABLE', failure.text);
  if (failure.errno === ENOSPC) return new NsboxError('ERR_NO_SPACE', `start the sandbox: ${failure.text}`);
  if (failure.errno === EOPNOTSUPP)
    return new NsboxError('ERR_LIMIT_UNAVAILABLE', `start the sandbox: ${failure.text}`, {
      hint: 'see `nsbox doctor`',
    });
  return new NsboxError('ERR_START_FAILED', `start the sandbox: ${failure.text}`, { hint: hintFor(failure) });
}

function hintFor({ errno, text }: StartFailure): string | undefined {
  if (errno === EINVAL && /^set (user|group) /.test(text))
    return 'this sandbox maps root alone: name the user in Sandbox.create({ user }), which maps ranges of ids (needs uidmap and /etc/subuid)';
  return errno === EPERM ? 'see `nsbox doctor` for what this machine allows' : undefined;
}
