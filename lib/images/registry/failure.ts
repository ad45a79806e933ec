import { NsboxError, type NsboxErrorOptions } from '../../errors.js';
import { checkRegistryErrors } from '../../spec/distribution.js';
import { check, quote } from '../../spec/validate.js';
import type { Answer } from './answer.js';

interface FailureOptions extends NsboxErrorOptions {
  readonly status?: number | undefined;
  readonly isRetryable?: boolean;
  readonly retryAfterMs?: number | undefined;
}

/** What came to no good with a registry; whether trying again can help is known here alone. */
export class RegistryFailure extends NsboxError {
  /** Of HTTP, where there was an answer. */
  readonly status: number | undefined;
  readonly isRetryable: boolean;
  /** How long the registry wants to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(code: NsboxError['code'], message: string, options: FailureOptions = {}) {
    super(code, message, options);
    this.status = options.status;
    this.isRetryable = options.isRetryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Statuses after which the same request may succeed. */
const TRANSIENT: readonly number[] = [408, 425, 429, 500, 502, 503, 504];
/** Of an error's body; it goes into a message. */
const LARGEST_REFUSAL = 16 * 1024;

/** The error of an answer that was not hoped for. Reads its body. */
export async function refusal(what: string, answer: Answer): Promise<RegistryFailure> {
  const { status } = answer;
  const reason = await reasonOf(answer);
  return new RegistryFailure(codeOf(status), `${what}: ${status}${reason === '' ? '' : `: ${reason}`}`, {
    status,
    isRetryable: TRANSIENT.includes(status),
    retryAfterMs: retryAfter(answer.header('retry-after')),
    hint: hintOf(status, answer),
  });
}

function codeOf(status: number): NsboxError['code'] {
  if (status === 401 || status === 403) return 'ERR_PERMISSION';
  if (status === 404) return 'ERR_NOT_FOUND';
  return 'ERR_IO';
}

async function reasonOf(answer: Answer): Promise<string> {
  if (answer.isHtml) {
    answer.discard();
    return 'a web page, not a registry’s answer';
  }
  const text = await answer.text(LARGEST_REFUSAL).catch(() => '');
  const errors = check(checkRegistryErrors, fromJson(text));
  if (!errors.ok) return text.trim() === '' ? '' : quote(text.trim());
  return errors.value.errors
    .slice(0, 3)
    .map(({ code, message }) => quote(message === undefined ? code : `${code}: ${message}`).slice(1, -1))
    .join('; ');
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hintOf(status: number, answer: Answer): string | undefined {
  if (answer.isHtml) return 'check the registry’s name, and whether a proxy or a login page stands before it';
  if (status === 401) return 'give credentials for it, as by docker login or podman login';
  if (status === 403) return 'these credentials may not do this; check the name and the account’s rights';
  if (status === 404) return 'check the name and the tag; some registries hide so what needs a login';
  if (status === 429) return 'the registry limits how often it is asked: wait, or log in for a higher limit';
  if (status >= 500) return 'the registry has a problem of its own: try again later';
  return undefined;
}

/** RFC 9110, section 10.2.3: seconds or a date. */
export function retryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

const BAD_CERTIFICATE =
  /^(ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|HOSTNAME_MISMATCH|PATH_LENGTH)/;
const NOT_TLS = /^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/;
const STALLED = /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/;

/** The error of an exchange that got no answer, or not all of it. */
export function networkFailure(what: string, url: URL, cause: unknown): unknown {
  if (cause instanceof NsboxError || !(cause instanceof Error)) return cause;
  const code = 'code' in cause ? String(cause.code) : '';
  const message = `${what}: ${url.host}: ${messageOf(cause)}`;
  if (BAD_CERTIFICATE.test(code))
    return new RegistryFailure('ERR_PERMISSION', message, {
      cause,
      hint: `put the certificate of its authority in /etc/containers/certs.d/${url.host}/ca.crt`,
    });
  if (isNotTls(cause))
    return new RegistryFailure('ERR_IO', message, {
      cause,
      hint: 'it seems to speak plain HTTP: name it as an insecure registry if it may',
    });
  if (STALLED.test(code))
    return new RegistryFailure('ERR_TIMEOUT', message, { cause, isRetryable: true, hint: REACH });
  return new RegistryFailure('ERR_IO', message, { cause, isRetryable: true, hint: REACH });
}

/** Whether the other side answered to TLS in something else. */
export function isNotTls(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && NOT_TLS.test(String(cause.code));
}

const REACH = 'check the network, the registry’s name and the proxy settings';

// Of several addresses tried, Node’s error has a message for each and none itself.
function messageOf(error: Error): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join(', ');
  return error.message;
}
