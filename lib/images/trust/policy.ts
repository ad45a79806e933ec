import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NsboxError } from '../../errors.js';
import { formatReference, type Reference } from '../../spec/reference.js';
import { array, type Check, isObject, object, oneOf, parse, record, text } from '../../spec/validate.js';
import { checkIdentity, type SignedIdentity } from './identity.js';

/** What an image must fulfil: containers-policy.json(5). */
export type Requirement =
  | { readonly type: 'insecureAcceptAnything' }
  | { readonly type: 'reject' }
  /** Of GPG's signatures, which we cannot verify. */
  | { readonly type: 'signedBy' }
  | SigstoreSigned;

export interface SigstoreSigned {
  readonly type: 'sigstoreSigned';
  readonly keyPath?: string;
  readonly keyPaths?: readonly string[];
  /** In base64. */
  readonly keyData?: string;
  readonly keyDatas?: readonly string[];
  readonly signedIdentity?: SignedIdentity;
  /** What it demands beyond a key, and we do not know. */
  readonly unknown: readonly string[];
}

export interface Policy {
  readonly default: readonly Requirement[];
  readonly transports?: Readonly<Record<string, Readonly<Record<string, readonly Requirement[]>>>>;
}

const SIGSTORE: readonly string[] = ['type', 'keyPath', 'keyPaths', 'keyData', 'keyDatas', 'signedIdentity'];

const checkSigstore: Check<Omit<SigstoreSigned, 'unknown'>> = object<Omit<SigstoreSigned, 'unknown'>>(
  { type: oneOf(['sigstoreSigned']) },
  {
    keyPath: text,
    keyPaths: array(text, 1),
    keyData: text,
    keyDatas: array(text, 1),
    signedIdentity: checkIdentity,
  },
);

const checkPlain = object<{ type: 'insecureAcceptAnything' | 'reject' | 'signedBy' }>(
  { type: oneOf(['insecureAcceptAnything', 'reject', 'signedBy']) },
  {},
);

const checkRequirement: Check<Requirement> = (value, at) => {
  if (!isObject(value) || value.type !== 'sigstoreSigned') return checkPlain(value, at);
  const found = checkSigstore(value, at);
  const unknown = Object.keys(value).filter((key) => !SIGSTORE.includes(key));
  return found === undefined ? undefined : { ...found, unknown };
};

// At least one: an empty list would be fulfilled by everything.
const requirements = array(checkRequirement, 1);

const checkFields: Check<Policy> = object<Policy>(
  { default: requirements },
  { transports: record(record(requirements)) },
);

const checkPolicy: Check<Policy> = (value, at) => {
  if (isObject(value))
    for (const key of Object.keys(value))
      if (key !== 'default' && key !== 'transports') at.report('not known here', key);
  return checkFields(value, at);
};

/**
 * The policy of this user or of this machine: of `$NSBOX_POLICY`, `~/.config/containers/policy.json` or
 * `/etc/containers/policy.json`. Undefined where there is none: then everything is taken.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`, `ERR_NOT_FOUND` where `$NSBOX_POLICY` is absent, `ERR_IO`
 */
export async function readPolicy(env: NodeJS.ProcessEnv): Promise<Policy | undefined> {
  const config = env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), '.config');
  const chosen = env.NSBOX_POLICY;
  for (const path of chosen
    ? [chosen]
    : [join(config, 'containers/policy.json'), '/etc/containers/policy.json']) {
    const found = await readIfThere(path);
    if (found !== undefined) return parse(checkPolicy, found, path);
  }
  if (chosen) throw new NsboxError('ERR_NOT_FOUND', `NSBOX_POLICY: no file ${chosen}`);
  return undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new NsboxError('ERR_IO', `read the policy ${path}: ${String(cause)}`, { cause });
  }
}

/** What an image of a registry must fulfil: all that the narrowest scope says that names it. */
export function requirementsFor(policy: Policy, reference: Reference): readonly Requirement[] {
  const scopes = policy.transports?.docker ?? {};
  for (const scope of scopesOf(reference)) {
    const found = Object.hasOwn(scopes, scope) ? scopes[scope] : undefined;
    if (found !== undefined) return found;
  }
  return policy.default;
}

/** The same for an image of an archive. */
export function requirementsForArchive(policy: Policy, transport: string): readonly Requirement[] {
  return policy.transports?.[transport]?.[''] ?? policy.default;
}

// The name in full, its repository, what lies above that, the registry, and domains above it as *.example.org; at last all.
function scopesOf(reference: Reference): string[] {
  const { domain, path } = reference;
  const parts = path.split('/');
  const paths = parts.map((_, index) => `${domain}/${parts.slice(0, parts.length - index).join('/')}`);
  const labels = domain.replace(/:\d+$/, '').split('.');
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`);
  return [formatReference(reference), ...paths, domain, ...wildcards, ''];
}
