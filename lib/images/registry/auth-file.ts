import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NsboxError } from '../../errors.js';
import { type Check, nullable, object, parse, record, text } from '../../spec/validate.js';

/** Docker's `config.json`, whose form podman's `auth.json` shares. */
export interface AuthFile {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

export interface AuthEntry {
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
 * Where credentials are looked for, in this order.
 *
 * @see containers-auth.json(5)
 */
export function authFiles(env: NodeJS.ProcessEnv): string[] {
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

/** Where a login is kept: the file that is named in the environment, else podman's that outlives a session. */
export function ownAuthFile(env: NodeJS.ProcessEnv): string {
  if (env.REGISTRY_AUTH_FILE) return env.REGISTRY_AUTH_FILE;
  return join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), '.config'), 'containers', 'auth.json');
}

/** Undefined where there is none. */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  const found = await readAuthText(path);
  return found === undefined ? undefined : parse(checkAuthFile, found, path);
}

/** The file as it is. An empty one is as good as none. */
export async function readAuthText(path: string): Promise<string | undefined> {
  try {
    const found = await readFile(path, 'utf8');
    return found.trim() === '' ? undefined : found;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return undefined;
    throw new NsboxError('ERR_IO', `read the credentials in ${path}: ${String(cause)}`, { cause });
  }
}

/** Old keys are URLs, with the API's version behind. */
export function plainKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
}
