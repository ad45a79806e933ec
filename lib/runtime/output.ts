import type { Readable } from 'node:stream';
import type { PipeReader } from '../native/contract.js';
import { addon } from '../native/load.js';
import { lazyStream } from '../util/builtin.js';

export type StreamName = 'stdout' | 'stderr';

/**
 * One output of a process: read as it comes, kept up to a limit, and shown as a stream and as lines at the same time. A
 * stream that is not read holds the process up, as everywhere in Node.
 */
export class Output {
  readonly #reader: PipeReader;
  readonly #chunks: Buffer[] = [];
  readonly #onEnd: () => void;
  readonly #onExcess: () => void;
  readonly #watchers = new Set<(chunk: Buffer | null) => void>();
  readonly #maxBuffer: number;
  #size = 0;
  #stream: Readable | undefined;
  #ended = false;
  #released = false;

  constructor(fd: number, maxBuffer: number, onEnd: () => void, onExcess: () => void) {
    this.#maxBuffer = maxBuffer;
    this.#onEnd = onEnd;
    this.#onExcess = onExcess;
    this.#reader = new (addon().PipeReader)(fd, (chunk) => this.#onChunk(chunk));
    this.#reader.start();
  }

  /** Whether all that belongs to the process has been read. */
  get isDone(): boolean {
    return this.#ended || this.#released;
  }

  /** What has been read so far, as UTF-8. */
  text(): string {
    const whole = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    return whole?.toString('utf8') ?? '';
  }

  /** What came so far, and then what comes. */
  get stream(): Readable {
    this.#stream ??= this.#makeStream();
    return this.#stream;
  }

  #makeStream(): Readable {
    const { Readable } = lazyStream();
    const stream = new Readable({
      read: () => this.#reader.start(),
      // Who reads no more must not hold the process up: the rest is read, and dropped.
      destroy: (error, done) => {
        this.#reader.start();
        done(error);
      },
    });
    for (const chunk of this.#chunks) stream.push(chunk);
    if (this.#ended) stream.push(null);
    return stream;
  }

  /** Calls for every chunk from the first on, then with null. */
  watch(watcher: (chunk: Buffer | null) => void): void {
    for (const chunk of this.#chunks) watcher(chunk);
    if (this.#ended) watcher(null);
    else this.#watchers.add(watcher);
  }

  /**
   * The process is gone: takes what it has left in the pipe. A child of it may hold the pipe still; what that writes
   * goes to the stream, if anybody has asked for it, and is else dropped.
   */
  release(): void {
    if (this.#ended || this.#stream) return;
    this.#reader.drain();
    this.#released = true;
    if (!this.#ended) this.#onEnd();
  }

  /** Nobody will read the stream any more. */
  abandon(): void {
    this.#stream?.destroy();
  }

  close(): void {
    this.#reader.close();
  }

  #onChunk(chunk: Buffer | null): void {
    if (this.#ended) return;
    if (chunk === null) return this.#end();
    if (!this.#released) this.#keep(chunk);
    for (const watcher of this.#watchers) watcher(chunk);
    if (this.#stream && !this.#stream.destroyed && !this.#stream.push(chunk)) this.#reader.stop();
  }

  #keep(chunk: Buffer): void {
    if (this.#maxBuffer === 0) return;
    const room = this.#maxBuffer - this.#size;
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
    if (kept.length > 0) this.#chunks.push(kept);
    this.#size += kept.length;
    if (chunk.length > room) this.#onExcess();
  }

  #end(): void {
    this.#ended = true;
    for (const watcher of this.#watchers) watcher(null);
    this.#watchers.clear();
    this.#stream?.push(null);
    this.#onEnd();
  }
}
