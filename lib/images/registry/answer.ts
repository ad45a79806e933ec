import type { Readable } from 'node:stream';
import { RegistryFailure } from './failure.js';

const CHEAP = 64 * 1024;

/** One answer of a server: its head, and a body that has to be read or discarded. */
export class Answer {
  constructor(
    readonly url: URL,
    readonly status: number,
    private readonly headers: Readonly<Record<string, string | string[] | undefined>>,
    private readonly body: Readable,
    /** Makes an error of ours of the connection's. */
    private readonly explain: (error: unknown) => unknown,
  ) {}

  /** By its name in lower case; of several of one name the first. */
  header(name: string): string | undefined {
    return this.all(name)[0];
  }

  all(name: string): readonly string[] {
    const value = this.headers[name];
    return value === undefined ? [] : typeof value === 'string' ? [value] : value;
  }

  /** The media type without parameters, in lower case. */
  get mediaType(): string {
    return (this.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  }

  get isHtml(): boolean {
    return this.mediaType === 'text/html' || this.mediaType === 'application/xhtml+xml';
  }

  /** The body, in the middle of which the connection may break. */
  async *read(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.body) yield chunk;
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** The body of at most `limit` bytes. */
  async bytes(limit: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.read()) {
      size += chunk.length;
      // Leaving the loop closes the connection.
      if (size > limit)
        throw new RegistryFailure('ERR_IO', `${this.url.href} sent more than ${limit} bytes`, {
          hint: 'no document of a registry is so large: it is broken or malicious',
        });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async text(limit: number): Promise<string> {
    return (await this.bytes(limit)).toString('utf8');
  }

  /** Gives the body up, and with it the connection where more would come than a new one costs. */
  discard(): void {
    this.body.on('error', () => {});
    if (Number(this.header('content-length') ?? Infinity) <= CHEAP) this.body.resume();
    else this.body.destroy();
  }
}
