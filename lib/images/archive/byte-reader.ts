import { truncated } from './refuse.js';

/** Takes a stream apart by lengths. No more than a chunk of it is in memory. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** So many bytes, which are few; undefined where the stream ends before the first of them. */
  async block(size: number): Promise<Buffer | undefined> {
    const found = await this.upTo(size);
    if (found !== undefined && found.length < size) throw truncated();
    return found;
  }

  /** So many bytes or, at the end, fewer; undefined where there is none. */
  async upTo(size: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let left = size; left > 0; ) {
      const part = await this.#some(left);
      if (part === undefined) break;
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 0 && size > 0 ? undefined : Buffer.concat(parts);
  }

  /** All that is to come. */
  async *rest(): AsyncGenerator<Buffer, void> {
    for (let part = await this.#some(Infinity); part !== undefined; part = await this.#some(Infinity))
      yield part;
  }

  /** So many bytes, as they come. */
  async *stream(size: number): AsyncGenerator<Buffer, void> {
    for (let left = size; left > 0; ) {
      const part = await this.#some(left);
      if (part === undefined) throw truncated();
      left -= part.length;
      yield part;
    }
  }

  async skip(size: number): Promise<void> {
    for await (const _ of this.stream(size));
  }

  /** Tells the sender that no more is wanted. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #some(most: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#rest = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }
}
