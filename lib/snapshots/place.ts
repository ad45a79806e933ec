import { join } from 'node:path';
import { dataDirectory } from '../util/data-directory.js';

/**
 * In which form layers lie: `root` as root unpacks them, with every owner, device and trusted mark; `user` as an ordinary
 * user does, whose files they all are.
 */
export type LayerForm = 'root' | 'user';

/** The form for this process. */
export function ownForm(): LayerForm {
  return process.geteuid?.() === 0 ? 'root' : 'user';
}

/** Where the unpacked layers are, unless a caller says otherwise. */
export function snapshotDirectory(form: LayerForm = ownForm(), env?: NodeJS.ProcessEnv): string {
  return join(dataDirectory(env), 'snapshots', form);
}

/** The folders of a store of snapshots. */
export const FOLDERS = ['layers', 'roots', 'leases', 'unpack', 'locks'] as const;

/** A digest or another name as a file's: no slash, no colon, and no dot at its beginning. */
export function fileName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, (one) =>
    one === ':' ? '-' : `%${one.charCodeAt(0).toString(16)}`,
  );
}
