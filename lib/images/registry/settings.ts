import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NsboxError } from '../../errors.js';
import { parseReference } from '../../spec/reference.js';
import { array, boolean, type Check, object, parse, quote, record, text } from '../../spec/validate.js';

/** A place that has what a registry has: `mirror.example.org:5000`, or a part of it, `mirror.example.org/hub`. */
export interface Mirror {
  readonly domain: string;
  /** Before the repository, with a slash at its end; or nothing. */
  readonly prefix: string;
}

/** What users have said of registries. */
export interface Settings {
  /** Registries that may be plain HTTP or have a certificate that nobody vouches for. */
  readonly insecure: ReadonlySet<string>;
  /** By registry: what is asked before it, in this order. */
  readonly mirrors: ReadonlyMap<string, readonly Mirror[]>;
}

interface SettingsFile {
  readonly registries?: Readonly<Record<string, RegistrySettings>>;
}

interface RegistrySettings {
  readonly insecure?: boolean;
  readonly mirrors?: readonly string[];
}

const checkFile: Check<SettingsFile> = object<SettingsFile>(
  {},
  { registries: record(object<RegistrySettings>({}, { insecure: boolean, mirrors: array(text) })) },
);

/**
 * Reads the settings: of the file `$NSBOX_REGISTRIES`, else the user's `nsbox/registries.json` in the configuration
 * directory, else `/etc/nsbox/registries.json`; and of `$NSBOX_INSECURE_REGISTRIES` and `$NSBOX_REGISTRY_MIRRORS`, which
 * add to it.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`, `ERR_NOT_FOUND` where `$NSBOX_REGISTRIES` is absent
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const { registries = {} } = readFile(env);
  const insecure = new Set(list(env.NSBOX_INSECURE_REGISTRIES));
  const mirrors = new Map<string, Mirror[]>();
  const add = (registry: string, mirror: string): void => {
    mirrors.set(registry, [...(mirrors.get(registry) ?? []), mirrorOf(mirror)]);
  };
  for (const [registry, settings] of Object.entries(registries)) {
    if (settings.insecure === true) insecure.add(registry);
    for (const mirror of settings.mirrors ?? []) add(registry, mirror);
  }
  for (const pair of list(env.NSBOX_REGISTRY_MIRRORS)) {
    const [registry = '', mirror = ''] = pair.split('=', 2);
    add(registry, mirror);
  }
  return { insecure, mirrors };
}

function readFile(env: NodeJS.ProcessEnv): SettingsFile {
  const config = env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), '.config');
  const chosen = env.NSBOX_REGISTRIES;
  const places = chosen ? [chosen] : [join(config, 'nsbox/registries.json'), '/etc/nsbox/registries.json'];
  for (const path of places) {
    const found = readIfThere(path);
    if (found !== undefined) return parse(checkFile, found, path);
  }
  if (chosen) throw new NsboxError('ERR_NOT_FOUND', `NSBOX_REGISTRIES: no file ${chosen}`);
  return {};
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return undefined;
    throw new NsboxError('ERR_IO', `read ${path}: ${String(cause)}`, { cause });
  }
}

function list(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

// It is read as the name of an image in it, which has the same form.
function mirrorOf(text: string): Mirror {
  const whole = `${text.replace(/\/$/, '')}/image`;
  try {
    const { domain, path } = parseReference(whole);
    if (whole.startsWith(`${domain}/`)) return { domain, prefix: path.slice(0, -'image'.length) };
  } catch {
    // Said below.
  }
  throw new NsboxError('ERR_INVALID_CONFIG', `not a mirror of a registry: ${quote(text)}`, {
    hint: 'write it as mirror.example.org, mirror.example.org:5000 or mirror.example.org/path',
  });
}
