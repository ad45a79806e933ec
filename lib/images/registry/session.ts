import type { Answer } from './answer.js';
import { Authorizer } from './auth.js';
import type { Credentials } from './credentials.js';
import { isNotTls, RegistryFailure, refusal } from './failure.js';
import { authorityOf, isLoopback } from './host.js';
import { type RetryPolicy, withRetries } from './retry.js';
import { SharedWork } from './shared-work.js';
import type { Exchange, Transport } from './transport.js';

/** Redirects in a row. */
const MOST_REDIRECTS = 5;

/** One request to a registry's API. */
export interface ApiRequest extends Omit<Exchange, 'url'> {
  /** Below the registry, `/v2/…`, or a URL that it has given us. */
  readonly target: string | URL;
  /** What the token must be good for. */
  readonly scope: string;
  /** The statuses that are no failure. */
  readonly accept: readonly number[];
}

export interface SessionOptions {
  readonly domain: string;
  readonly transport: Transport;
  readonly credentials: Credentials | undefined;
  readonly retry: RetryPolicy;
}

/** One registry: how it is reached, how it wants to be asked, and asking it again. */
export class Session {
  readonly #authorizer: Authorizer;
  #base: SharedWork<URL> | undefined;

  constructor(private readonly options: SessionOptions) {
    this.#authorizer = new Authorizer(options);
  }

  /** The answer, of an accepted status; after failures that may pass, the request is sent again. */
  async send(request: ApiRequest): Promise<Answer> {
    return await withRetries(() => this.sendOnce(request), this.options.retry, request.signal);
  }

  /** The same without another attempt: for who can go on better than from the start. */
  async sendOnce(request: ApiRequest): Promise<Answer> {
    let { answer, sent } = await this.#authorized(request);
    if (answer.status === 401 && isRepeatable(request) && (await this.#learn(request, answer, sent))) {
      answer.discard();
      ({ answer, sent } = await this.#authorized(request));
    }
    if (request.accept.includes(answer.status)) return answer;
    throw await refusal(request.what, answer);
  }

  /** The registry's own URL for a path, or for what it has called a location. */
  async resolve(target: string | URL, signal?: AbortSignal): Promise<URL> {
    if (this.#base === undefined || this.#base.isOver)
      this.#base = new SharedWork((stop) => findBase(this.options, stop));
    return new URL(target, await this.#base.wait(signal));
  }

  async #authorized({ target, scope, headers = {}, ...rest }: ApiRequest): Promise<Sent> {
    const url = await this.resolve(target, rest.signal);
    const isOwn = url.origin === (await this.resolve('/')).origin;
    const sent = isOwn ? await this.#authorizer.header(scope, rest.signal) : undefined;
    const exchange = { ...rest, url, headers: { ...headers, ...(sent && { authorization: sent }) } };
    return { answer: await follow(this.options.transport, exchange), sent };
  }

  // Only from the registry itself: where it has redirected us to may not ask for who we are.
  async #learn({ scope }: ApiRequest, answer: Answer, sent: string | undefined): Promise<boolean> {
    const isOwn = answer.url.origin === (await this.resolve('/')).origin;
    return isOwn && this.#authorizer.learn(answer, scope, sent);
  }
}

/** An answer, and the proof that the request carried. */
interface Sent {
  readonly answer: Answer;
  readonly sent: string | undefined;
}

// A body that was streamed is gone; what sends one begins with a request that has none.
function isRepeatable({ body }: ApiRequest): boolean {
  return body === undefined || typeof body === 'string' || body instanceof Uint8Array;
}

async function follow(transport: Transport, exchange: Exchange): Promise<Answer> {
  let answer = await transport.send(exchange);
  let headers = exchange.headers ?? {};
  for (let count = 0; isRedirect(exchange, answer); count += 1) {
    if (count === MOST_REDIRECTS)
      throw new RegistryFailure('ERR_IO', `${exchange.what}: more than ${MOST_REDIRECTS} redirects`);
    const url = locationOf(exchange, answer, transport);
    // What proves us to one host is no other's business: its store's, an attacker's.
    if (url.origin !== answer.url.origin) headers = withoutCredentials(headers);
    answer.discard();
    answer = await transport.send({ ...exchange, url, headers });
  }
  return answer;
}

function isRedirect({ method }: Exchange, { status }: Answer): boolean {
  return (method === 'GET' || method === 'HEAD') && [301, 302, 303, 307, 308].includes(status);
}

function locationOf({ what }: Exchange, answer: Answer, { options }: Transport): URL {
  const location = answer.header('location') ?? '';
  const url = URL.canParse(location, answer.url.href) ? new URL(location, answer.url) : undefined;
  const isPlainToo = answer.url.protocol === 'http:' || options.isInsecure(url?.host ?? '');
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isPlainToo)) return url;
  throw new RegistryFailure(
    'ERR_IO',
    `${what}: ${answer.url.host} redirects to ${JSON.stringify(location.slice(0, 200))}`,
    { hint: 'from HTTPS only HTTPS is followed' },
  );
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { authorization: _, ...rest } = headers;
  return rest;
}

// Only of registries that may be plain HTTP it has to be found out whether they are.
async function findBase({ domain, transport }: SessionOptions, signal: AbortSignal): Promise<URL> {
  const secure = new URL(`https://${authorityOf(domain)}/`);
  if (!transport.options.isInsecure(secure.host) && !isLoopback(secure.hostname)) return secure;
  try {
    const what = `reach ${domain}`;
    (await transport.send({ method: 'GET', url: new URL('/v2/', secure), what, signal })).discard();
    return secure;
  } catch (error) {
    if (!(error instanceof RegistryFailure) || !isNotTls(error.cause)) throw error;
    return new URL(`http://${authorityOf(domain)}/`);
  }
}
