import { join } from 'node:path';

export { ioError, isErrno, moveSynced, namesIn, replaceFile } from '../../util/files.js';

/** Where the files of a store lie that are ours and not the layout's. */
export function ownFolder(root: string, ...names: readonly string[]): string {
  return join(root, '.nsbox', ...names);
}
