import { chmod, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NsboxError } from '../../errors.js';
import { parseReference } from '../../spec/reference.js';
import { isObject, quote } from '../../spec/validate.js';
import { ownName } from '../../util/owner.js';
import { authFiles, ownAuthFile, plainKey, readAuthFile, readAuthText } from './auth-file.js';
import { RegistryClient, type RegistryOptions } from './client.js';
import { eraseFromHelper, storeInHelper } from './helper.js';
import { credentialKeys, helperKey } from './host.js';

export interface LoginOptions {
  readonly username: string;
  readonly password: string;
  readonly registries?: RegistryOptions;
  readonly signal?: AbortSignal;
}

/**
 * Asks a registry whether it takes a name and a password, and keeps them if it does: in the helper that the file of
 * credentials names, else in the file, which only this user can read.
 *
 * @returns where they are kept
 * @throws {@link NsboxError} `ERR_PERMISSION` where the registry does not take them
 */
export async function login(registry: string, options: LoginOptions): Promise<string> {
  const domain = domainOf(registry);
  const { username, password, registries = {}, signal } = options;
  if (username === '' || /[:\0\n\r]/.test(username))
    throw new NsboxError('ERR_INVALID_ARGUMENT', `not a user's name: ${quote(username)}`);
  if (password === '') throw new NsboxError('ERR_INVALID_ARGUMENT', 'the password is empty');
  await using client = new RegistryClient({
    ...registries,
    credentials: { kind: 'password', username, password },
  });
  await client.check(domain, { signal });
  return await keep(domain, { username, password }, registries.env ?? process.env);
}

/**
 * Forgets what {@link login} has kept for a registry.
 *
 * @returns files of other programs that still know it
 * @throws {@link NsboxError} `ERR_NOT_FOUND` where nothing was kept
 */
export async function logout(
  registry: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<readonly string[]> {
  const domain = domainOf(registry);
  const path = ownAuthFile(env);
  const helper = await helperOf(path, domain);
  if (helper !== undefined) await eraseFromHelper(helper, helperKey(domain), env);
  const wasThere = await isKept(path, domain);
  if (wasThere) await change(path, (auths) => withoutKeys(auths, domain));
  const others: string[] = [];
  for (const other of authFiles(env)) if (other !== path && (await isKept(other, domain))) others.push(other);
  if (wasThere || helper !== undefined || others.length > 0) return others;
  throw new NsboxError('ERR_NOT_FOUND', `not logged in to ${domain}`);
}

// It is read as that of an image in it.
function domainOf(registry: string): string {
  const plain = plainKey(registry);
  if (credentialKeys('docker.io').includes(plain)) return 'docker.io';
  const { domain } = parseReference(`${plain}/image`);
  if (domain === plain) return domain;
  throw new NsboxError('ERR_INVALID_ARGUMENT', `not a registry: ${quote(registry)}`, {
    hint: 'write it as registry.example.org or registry.example.org:5000',
  });
}

interface Login {
  readonly username: string;
  readonly password: string;
}

async function keep(domain: string, { username, password }: Login, env: NodeJS.ProcessEnv): Promise<string> {
  const path = ownAuthFile(env);
  const helper = await helperOf(path, domain);
  if (helper !== undefined) {
    await storeInHelper(helper, { registry: helperKey(domain), username, password }, env);
    return `docker-credential-${helper}`;
  }
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const [key = domain] = credentialKeys(domain);
  await change(path, (auths) => ({ ...withoutKeys(auths, domain), [key]: { auth } }));
  return path;
}

async function helperOf(path: string, domain: string): Promise<string | undefined> {
  const file = await readAuthFile(path);
  const chosen = credentialKeys(domain).map((key) => file?.credHelpers?.[key]);
  const helper = chosen.find((one) => one !== undefined) ?? file?.credsStore;
  return helper === '' ? undefined : helper;
}

async function isKept(path: string, domain: string): Promise<boolean> {
  const keys = Object.keys((await readAuthFile(path))?.auths ?? {}).map(plainKey);
  return credentialKeys(domain).some((key) => keys.includes(key));
}

type Auths = Readonly<Record<string, unknown>>;

function withoutKeys(auths: Auths, domain: string): Auths {
  const keys = credentialKeys(domain);
  return Object.fromEntries(Object.entries(auths).filter(([key]) => !keys.includes(plainKey(key))));
}

// What we do not know of the file stays as it is.
async function change(path: string, edit: (auths: Auths) => Auths): Promise<void> {
  const raw: unknown = JSON.parse((await readAuthText(path)) ?? '{}');
  const file = isObject(raw) ? raw : {};
  const auths = edit(isObject(file.auths) ? file.auths : {});
  await write(path, `${JSON.stringify({ ...file, auths }, undefined, '\t')}\n`);
}

async function write(path: string, content: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // A link to the file, as some keep their settings, stays one.
    const place = await realpath(path).catch(() => path);
    await replacePrivately(place, content);
  } catch (cause) {
    const code =
      cause instanceof Error && 'code' in cause && cause.code === 'EACCES' ? 'ERR_PERMISSION' : 'ERR_IO';
    throw new NsboxError(code, `write ${path}: ${String(cause)}`, { cause });
  }
}

// Never readable by others, not even for a moment.
async function replacePrivately(place: string, content: string): Promise<void> {
  const aside = `${place}.${ownName()}`;
  try {
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(aside, 0o600);
    await rename(aside, place);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
