import type { Readable, Writable } from 'node:stream';
import { addon } from '../native/load.js';
import { lazyNet, lazyStream } from '../util/builtin.js';
import { terminalInput } from './terminal-input.js';

/**
 * A process's stdin. The stream is made only for who asks for it; a short `input` goes into the pipe at once. With a
 * terminal the descriptor comes later than the first write may.
 */
export class Input {
  #fd: number | undefined;
  #stream: Writable | undefined;
  #terminal: Writable | undefined;
  #touched = false;

  constructor(fd: number | null, input: string | Uint8Array | Readable | undefined) {
    this.#fd = fd ?? undefined;
    if (input === undefined) return;
    if (typeof input === 'string' || input instanceof Uint8Array) this.#give(input);
    else input.pipe(this.stream);
  }

  get stream(): Writable {
    this.#touched = true;
    this.#stream ??= this.#terminal ?? (this.#fd === undefined ? waitingStream() : socket(this.#take()));
    return this.#stream;
  }

  /** The terminal's descriptor, now that there is one. */
  open(fd: number): void {
    this.#terminal = terminalInput(fd);
    this.#stream?.pipe(this.#terminal);
  }

  /** Nobody will write: the process reads an end, instead of waiting for ever. */
  endIfUntouched(): void {
    if (this.#touched || this.#fd === undefined) return;
    setImmediate(() => {
      if (!this.#touched) this.destroy();
    });
  }

  destroy(): void {
    if (this.#fd !== undefined) addon().closeFd(this.#take());
    this.#stream?.destroy();
    this.#terminal?.destroy();
  }

  #give(input: string | Uint8Array): void {
    this.#touched = true;
    const bytes = typeof input === 'string' ? Buffer.from(input) : input;
    const written = this.#fd === undefined ? 0 : Math.max(0, addon().writeNow(this.#fd, bytes));
    if (written === bytes.length) return this.destroy();
    this.stream.end(bytes.subarray(written));
  }

  #take(): number {
    const fd = this.#fd ?? -1;
    this.#fd = undefined;
    return fd;
  }
}

function waitingStream(): Writable {
  return new (lazyStream().PassThrough)();
}

function socket(fd: number): Writable {
  const { Socket } = lazyNet();
  addon().forgetFd(fd);
  const stream = new Socket({ fd, readable: false, writable: true });
  // The process may end without having read it all: that is its business.
  stream.on('error', () => {});
  return stream;
}
