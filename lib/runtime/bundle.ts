import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NsboxError } from '../errors.js';
import { parseConfig, type RuntimeConfig } from '../spec/runtime/config.js';

/**
 * Reads and checks a bundle's configuration; paths in it come back absolute.
 *
 * @throws {@link NsboxError} `ERR_NOT_FOUND`, or `ERR_INVALID_CONFIG` with every field that is wrong
 */
export function readBundle(folder: string): RuntimeConfig {
  const config = readConfigFile(folder);
  refuseUnsupported(config, join(folder, 'config.json'));
  const mounts = config.mounts?.map((mount) =>
    isBind(mount.options) && mount.source !== undefined
      ? { ...mount, source: resolve(folder, mount.source) }
      : mount,
  );
  return {
    ...config,
    root: { ...config.root, path: resolve(folder, config.root.path) },
    ...(mounts && { mounts }),
  };
}

/** The configuration as it stands. Throws as {@link readBundle} does. */
export function readConfigFile(folder: string): RuntimeConfig {
  const file = join(folder, 'config.json');
  return parseConfig(readConfig(file), file);
}

function isBind(options: readonly string[] = []): boolean {
  return options.includes('bind') || options.includes('rbind');
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new NsboxError('ERR_NOT_FOUND', `no bundle there: cannot read ${file}`, { cause });
  }
}

// What a sandbox cannot do is said, not left out.
function refuseUnsupported(config: RuntimeConfig, file: string): void {
  const refuse = (what: string, hint?: string): never => {
    throw new NsboxError('ERR_INVALID_CONFIG', `${file}: ${what}`, { hint });
  };
  const namespaces = config.linux?.namespaces ?? [];
  for (const type of ['pid', 'mount'] as const) {
    const found = namespaces.find((one) => one.type === type);
    if (!found || found.path !== undefined)
      refuse(`linux.namespaces: a sandbox wants a ${type} namespace of its own`);
  }
  if (namespaces.some(({ type, path }) => type === 'user' && path !== undefined))
    refuse('linux.namespaces: joining a user namespace is not supported');
  if (config.hooks && Object.values(config.hooks).some((hooks) => hooks.length > 0))
    refuse('hooks: a sandbox runs none', 'take them out of config.json');
}
