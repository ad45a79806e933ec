import { checkTokenResponse, type TokenResponse } from '../../spec/distribution.js';
import { parse } from '../../spec/validate.js';
import type { Answer } from './answer.js';
import { type Challenge, parseChallenges } from './challenge.js';
import type { Credentials } from './credentials.js';
import { RegistryFailure, refusal } from './failure.js';
import { authorityOf, isLoopback } from './host.js';
import { SharedWork } from './shared-work.js';
import type { Exchange, Transport } from './transport.js';

/** Tokens are good for this long at least: distribution's documentation, "Token Authentication". */
const SHORTEST_LIFE_S = 60;
/** Not used any more so long before its end: a request under way takes its time. */
const MARGIN_MS = 5_000;
const LARGEST_TOKEN = 1024 * 1024;

interface Token {
  readonly header: string;
  readonly expires: number;
}

export interface AuthOptions {
  readonly transport: Transport;
  readonly credentials: Credentials | undefined;
  /** The registry as users name it, for errors. */
  readonly domain: string;
}

/** What one registry wants in `Authorization`: learnt from its refusals, kept as long as it is good. */
export class Authorizer {
  #challenge: Challenge | undefined;
  readonly #tokens = new Map<string, SharedWork<Token>>();

  constructor(private readonly options: AuthOptions) {}

  /** The header for a request that needs `scope`; none where nothing has been demanded yet. */
  async header(scope: string, signal?: AbortSignal): Promise<string | undefined> {
    const { credentials } = this.options;
    if (credentials?.kind === 'bearer') return `Bearer ${credentials.token}`;
    if (this.#challenge === undefined) return undefined;
    if (this.#challenge.scheme === 'basic') return basic(credentials);
    return (await this.#token(this.#challenge, scope).wait(signal)).header;
  }

  /**
   * Takes a refusal's demand; gives whether asking again may help. What the refused request had carried tells whether it is
   * the demand or the proof that is new since: others may have been refused at the same moment.
   */
  learn(answer: Answer, scope: string, sent: string | undefined): boolean {
    const found = parseChallenges(answer.all('www-authenticate'));
    const challenge =
      found.find(({ scheme }) => scheme === 'bearer') ?? found.find(({ scheme }) => scheme === 'basic');
    const { credentials } = this.options;
    if (challenge === undefined || credentials?.kind === 'bearer') return false;
    this.#challenge = challenge;
    if (challenge.scheme === 'basic') return sent === undefined && basic(credentials) !== undefined;
    this.#forget(scope, sent);
    return true;
  }

  // A token that was refused is not to be used again; another's is.
  #forget(scope: string, sent: string | undefined): void {
    if (this.#tokens.get(scope)?.value?.header === sent) this.#tokens.delete(scope);
  }

  // Parallel requests share one: the first that finds it absent or run out replaces it.
  #token(challenge: Challenge, scope: string): SharedWork<Token> {
    const known = this.#tokens.get(scope);
    const isGood = (known?.value?.expires ?? Infinity) - MARGIN_MS > Date.now();
    if (known !== undefined && !known.isOver && isGood) return known;
    const asked = new SharedWork((signal) => fetchToken(challenge, scope, this.options, signal));
    this.#tokens.set(scope, asked);
    return asked;
  }
}

function basic(credentials: Credentials | undefined): string | undefined {
  if (credentials?.kind !== 'password') return undefined;
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function fetchToken(
  challenge: Challenge,
  scope: string,
  options: AuthOptions,
  signal: AbortSignal,
): Promise<Token> {
  const realm = realmOf(challenge, options);
  const what = `a token of ${realm.host} for ${options.domain}`;
  const service = challenge.parameters.get('service');
  const answer = await askForToken(realm, service, scope, options, { what, signal });
  if (answer.status !== 200 || answer.isHtml) throw await refusal(what, answer);
  const asked = Date.now();
  const found = parse(checkTokenResponse, await answer.text(LARGEST_TOKEN), what);
  return {
    header: `Bearer ${tokenOf(found, what)}`,
    expires: asked + Math.max(found.expires_in ?? 0, SHORTEST_LIFE_S) * 1000,
  };
}

async function askForToken(
  realm: URL,
  service: string | undefined,
  scope: string,
  { transport, credentials }: AuthOptions,
  { what, signal }: Pick<Exchange, 'what' | 'signal'>,
): Promise<Answer> {
  const query: [string, string][] = scope
    .split(' ')
    .filter((one) => one !== '')
    .map((one) => ['scope', one]);
  if (service !== undefined) query.push(['service', service]);
  if (credentials?.kind === 'identity') {
    const form = { grant_type: 'refresh_token', refresh_token: credentials.token, client_id: 'nsbox', scope };
    const body = new URLSearchParams({ ...form, ...(service !== undefined && { service }) }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return await transport.send({ method: 'POST', url: realm, headers, body, signal, what });
  }
  const url = new URL(realm);
  for (const [name, value] of query) url.searchParams.append(name, value);
  const authorization = basic(credentials);
  const headers = authorization === undefined ? {} : { authorization };
  return await transport.send({ method: 'GET', url, headers, signal, what });
}

// The registry chooses who gets our password: at least it must not be read on the way there.
function realmOf(challenge: Challenge, { domain, transport }: AuthOptions): URL {
  const text = challenge.parameters.get('realm') ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && mayBePlain(url, domain, transport));
  if (url !== undefined && isSafe) return url;
  throw new RegistryFailure(
    'ERR_PERMISSION',
    `${domain} sends us for a token to ${JSON.stringify(text.slice(0, 200))}`,
    {
      hint: 'only HTTPS is taken for that; name the host as an insecure registry if it may be HTTP',
    },
  );
}

// A registry elsewhere has no business with this machine's own ports.
function mayBePlain(url: URL, domain: string, { options }: Transport): boolean {
  const isOwn = isLoopback(new URL(`https://${authorityOf(domain)}/`).hostname);
  return (isOwn && isLoopback(url.hostname)) || options.isInsecure(url.host);
}

function tokenOf({ token, access_token }: TokenResponse, what: string): string {
  const found = token ?? access_token;
  // It becomes a header: no line may be added by it.
  if (found !== undefined && /^[\x21-\x7e]+$/.test(found)) return found;
  throw new RegistryFailure('ERR_IO', `${what}: the answer holds none`);
}
