import { promisify } from 'node:util';
import { NsboxError } from '../errors.js';
import { codeOf } from '../native/errors.js';
import type { Box } from '../runtime/box.js';
import type { IdMapping } from '../spec/runtime/config.js';
import type { IdMaps } from './identity.js';

const TIMEOUT_MS = 10_000;
// Nothing else of this process's environment is theirs to know.
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Has newuidmap(1) and newgidmap(1) write the maps of a container whose init waits for them, and tells it. */
export async function writeIdMaps(container: Box, maps: IdMaps): Promise<void> {
  try {
    await Promise.all([
      writeMap('newuidmap', container.pid, maps.users),
      writeMap('newgidmap', container.pid, maps.groups),
    ]);
    container.go();
  } catch (error) {
    container.kill();
    throw error;
  }
}

async function writeMap(program: string, pid: number, mappings: readonly IdMapping[]): Promise<void> {
  const numbers = mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size]);
  const { execFile } = await import('node:child_process');
  try {
    await promisify(execFile)(program, [pid, ...numbers].map(String), { timeout: TIMEOUT_MS, env: { PATH } });
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT')
      throw new NsboxError('ERR_PERMISSION', `user: ${program} is missing, and further ids need it`, {
        cause,
        hint: 'as root: apt-get install uidmap',
      });
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new NsboxError('ERR_PERMISSION', `user: ${program} refused the ids: ${text.trim()}`, { cause });
  }
}
