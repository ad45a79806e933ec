import { NsboxError } from '../../errors.js';
import { type AuthEntry, type AuthFile, authFiles, plainKey, readAuthFile } from './auth-file.js';
import { askHelper } from './helper.js';
import { credentialKeys, helperKey } from './host.js';

/** What proves to a registry who asks. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** Exchanged for short-lived ones at the token server. */
  | { readonly kind: 'identity'; readonly token: string }
  | { readonly kind: 'bearer'; readonly token: string };

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
