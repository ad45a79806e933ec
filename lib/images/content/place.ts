import { join } from 'node:path';
import { dataDirectory } from '../../util/data-directory.js';

/** Where the images are, unless a caller says otherwise. */
export function imageDirectory(env?: NodeJS.ProcessEnv): string {
  return join(dataDirectory(env), 'images');
}
