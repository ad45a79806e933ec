import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { NsboxError } from '../errors.js';

/**
 * The directory of what outlives a process: `$NSBOX_DATA`, else `/var/lib/nsbox` for root, and for
 * others `nsbox` in the data directory of the XDG base directory specification.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT` where `$NSBOX_DATA` is not absolute
 */
export function dataDirectory(env: NodeJS.ProcessEnv = process.env, uid = process.geteuid?.()): string {
  const { NSBOX_DATA: chosen, XDG_DATA_HOME: data, HOME: home } = env;
  if (chosen !== undefined && chosen !== '') return absolute(chosen);
  if (uid === 0) return '/var/lib/nsbox';
  // The specification: what is not absolute is to be ignored.
  if (data !== undefined && isAbsolute(data)) return join(data, 'nsbox');
  return join(home !== undefined && home !== '' ? home : homedir(), '.local', 'share', 'nsbox');
}

function absolute(path: string): string {
  if (isAbsolute(path)) return path;
  throw new NsboxError('ERR_INVALID_ARGUMENT', `NSBOX_DATA is not an absolute path: ${JSON.stringify(path)}`);
}
