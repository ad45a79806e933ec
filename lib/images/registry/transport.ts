import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { NsboxError } from '../../errors.js';
import { Answer } from './answer.js';
import { readCertificates, secureContext } from './certificates.js';
import { networkFailure } from './failure.js';
import { isLoopback } from './host.js';
import { proxyFor } from './proxy.js';

/** One request. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For errors: what the caller is after. */
  readonly what: string;
}

export interface TransportOptions {
  readonly env: NodeJS.ProcessEnv;
  /** How long to wait for a connection, an answer's head, or the next bytes of its body. */
  readonly stallMs: number;
  /** Whether an authority, `host:port`, needs no certificate that we trust. */
  readonly isInsecure: (authority: string) => boolean;
}

/** Sends requests over connections that are kept, one set for each origin. It knows nothing of registries. */
export class Transport implements AsyncDisposable {
  readonly #dispatchers = new Map<string, Promise<Dispatcher>>();

  constructor(readonly options: TransportOptions) {}

  /**
   * The answer, whatever its status.
   *
   * @throws RegistryFailure where there was none
   */
  async send({ method, url, headers, body, signal, what }: Exchange): Promise<Answer> {
    try {
      const { request } = await import('undici');
      const answer = await request(url, {
        method,
        headers: { 'user-agent': 'nsbox', 'accept-encoding': 'identity', ...headers },
        body: toBody(body),
        signal: signal ?? null,
        dispatcher: await this.#dispatcherFor(url),
      });
      return new Answer(url, answer.statusCode, answer.headers, answer.body, (error) =>
        failureOf(what, url, error, signal),
      );
    } catch (error) {
      throw failureOf(what, url, error, signal);
    }
  }

  #dispatcherFor(url: URL): Promise<Dispatcher> {
    const known = this.#dispatchers.get(url.origin);
    if (known !== undefined) return known;
    const made = makeDispatcher(url, this.options);
    this.#dispatchers.set(url.origin, made);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What is still under way belongs to work that has failed.
    await Promise.all([...this.#dispatchers.values()].map(async (made) => (await made).destroy()));
  }
}

async function makeDispatcher(url: URL, options: TransportOptions): Promise<Dispatcher> {
  const { Agent, ProxyAgent } = await import('undici');
  const { env, stallMs } = options;
  const times = { headersTimeout: stallMs, bodyTimeout: stallMs, allowH2: false };
  const tls = url.protocol === 'https:' ? await tlsOptions(url, options) : {};
  const connect = { ...tls, timeout: Math.min(stallMs, 10_000) };
  const proxy = proxyFor(url, env);
  if (proxy === undefined) return new Agent({ ...times, connect });
  // A tunnel for TLS alone: for plain HTTP many proxies refuse to make one.
  const isTunnel = url.protocol === 'https:';
  return new ProxyAgent({ ...times, uri: proxy, proxyTunnel: isTunnel, requestTls: connect });
}

async function tlsOptions(url: URL, { env, isInsecure }: TransportOptions): Promise<object> {
  const certificates = await readCertificates(url.host, env);
  // Like docker: loopback needs no certificate that we trust, unless somebody has said which.
  const isLax = isInsecure(url.host) || (isLoopback(url.hostname) && certificates.authorities.length === 0);
  return { secureContext: await secureContext(certificates, env), rejectUnauthorized: !isLax };
}

function toBody(body: Exchange['body']): string | Uint8Array | Readable | null {
  if (body === undefined) return null;
  return typeof body === 'string' || body instanceof Uint8Array ? body : Readable.from(body);
}

function failureOf(what: string, url: URL, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return new NsboxError('ERR_ABORTED', `${what}: aborted`, { cause: signal.reason });
  return networkFailure(what, url, error);
}
