import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NsboxError } from '../../errors.js';
import { type Check, nullable, object, parse, record, text } from '../../spec/validate.js';
import { askHelper } from './helper.js';
import { credentialKeys, helperKey } from './host.js';

/** What proves to a registry who asks. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** Exchanged for short-lived ones at the token server. */
  | { readonly kind: 'identity'; readonly token: string }
  | { readonly kind: 'bearer'; readonly token: string };

/** Docker's `config.json`, whose form podman's `auth.json` shares. */
interface AuthFile {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

interface AuthEntry {
  /** `user:password` in base64. */
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

const checkAuthFile: Check<AuthFile> = object<AuthFile>(
  {},
  {
    auths: nullable(record(object<AuthEntry>({}, { auth: text, identitytoken: text, registrytoken: text }))),
    credHelpers: nullable(record(text)),
    credsStore: text,
  },
);

/**
 * Finds what `docker login` or `podman login` has left for a repository, in the first file that has something.
 *
 * @see containers-auth.json(5)
 */
export async function findCredentials(
  domain: string,
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  for (const file of authFiles(env)) {
    const content = await readAuthFile(file);
    const found = content && (await findIn(content, domain, path, env));
    if (found) return found;
  }
  return undefined;
}

function authFiles(env: NodeJS.ProcessEnv): string[] {
  const home = env.HOME ?? homedir();
  const below = (folder: string | undefined, ...names: readonly string[]): string[] =>
    folder === undefined || folder === '' ? [] : [join(folder, ...names)];
  return [
    ...below(env.REGISTRY_AUTH_FILE),
    ...below(env.XDG_RUNTIME_DIR, 'containers', 'auth.json'),
    ...below(env.XDG_CONFIG_HOME ?? join(home, '.config'), 'containers', 'auth.json'),
    ...below(env.DOCKER_CONFIG ?? join(home, '.docker'), 'config.json'),
  ];
}

async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  try {
    return parse(checkAuthFile, await readFile(path, 'utf8'), path);
  } catch (cause) {
    if (cause instanceof NsboxError) throw cause;
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return undefined;
    throw new NsboxError('ERR_IO', `read the credentials in ${path}: ${String(cause)}`, { cause });
  }
}

async function findIn(
  { auths, credHelpers, credsStore }: AuthFile,
  domain: string,
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const keys = keysFor(domain, path);
  const helper = find(credHelpers, keys);
  if (helper !== undefined) return await askHelper(helper, helperKey(domain), env);
  const entry = find(auths, keys);
  const own = entry && decode(entry, domain);
  // Docker leaves an empty entry in the file where the store has the secret.
  if (own !== undefined || credsStore === undefined || credsStore === '') return own;
  return await askHelper(credsStore, helperKey(domain), env);
}

// Podman's keys may go down to a repository; the longest one counts.
function keysFor(domain: string, path: string): string[] {
  const parts = path.split('/');
  const paths = parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`);
  return [...paths, ''].flatMap((rest) => credentialKeys(domain).map((key) => `${key}${rest}`));
}

function find<T>(entries: Readonly<Record<string, T>> | undefined, keys: readonly string[]): T | undefined {
  const byKey = new Map(Object.entries(entries ?? {}).map(([key, value]) => [plainKey(key), value]));
  for (const key of keys) {
    const found = byKey.get(key);
    if (found !== undefined) return found;
  }
  return undefined;
}

// Old entries are URLs, with the API's version behind.
function plainKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
}

function decode({ auth, identitytoken, registrytoken }: AuthEntry, domain: string): Credentials | undefined {
  if (registrytoken) return { kind: 'bearer', token: registrytoken };
  if (identitytoken) return { kind: 'identity', token: identitytoken };
  if (!auth) return undefined;
  const plain = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = plain.indexOf(':');
  if (colon > 0)
    return { kind: 'password', username: plain.slice(0, colon), password: plain.slice(colon + 1) };
  throw new NsboxError('ERR_INVALID_CONFIG', `the stored credentials for ${domain} cannot be read`, {
    hint: `log in to ${domain} again`,
  });
}
