import { posix } from 'node:path';
import { NsboxError } from '../errors.js';
import type { ImageExecution } from '../spec/image/config.js';
import type { Mount } from '../spec/mount.js';
import { isWithin } from './host.js';
import type { IdMaps } from './identity.js';
import type { SandboxMount } from './options.js';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const VARIABLE = /^[^=\0]+=[^\0]*$/;

/** An image's variables, and a PATH in any case. */
export function imageEnvironment({ Env: env }: ImageExecution): string[] {
  const own = (env ?? []).filter((entry) => VARIABLE.test(entry));
  return own.some((entry) => entry.startsWith('PATH=')) ? own : [`PATH=${DEFAULT_PATH}`, ...own];
}

/** Where an image's commands begin. What is not absolute begins at the root. */
export function imageWorkingDirectory({ WorkingDir: folder }: ImageExecution): string {
  const path = posix.resolve('/', folder ?? '');
  if (!path.includes('\0')) return path;
  throw new NsboxError('ERR_INVALID_CONFIG', 'the image’s working directory has a NUL character in it');
}

/**
 * The user as init looks it up in the image's own files, which also tell the home. Where one id alone is mapped, root is in
 * no further groups: they have no place in the map.
 */
export function imageUser(user: string | undefined, { how }: IdMaps): string {
  if (how === 'self') return '0:0';
  return user || '0';
}

/** The image's volumes, each with what the image has there; they are gone with the sandbox, and no part of its changes. */
export function imageMounts({ Volumes: volumes }: ImageExecution, others: readonly SandboxMount[]): Mount[] {
  const paths = Object.keys(volumes ?? {}).filter((path) => path.startsWith('/') && path !== '/');
  // One inside another comes after it; what a caller mounts there takes a volume's place.
  return paths
    .filter((path) => !others.some(({ target }) => isWithin(path, target) && isWithin(target, path)))
    .sort((a, b) => a.length - b.length)
    .map((destination) => ({
      destination,
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'nodev', 'tmpcopyup'],
    }));
}
