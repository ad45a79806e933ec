import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { isRoot } from '../../support/mode.js';

/**
 * A device on which nothing can be written. Root gets a node of its own: a runtime that removes or replaces what it was
 * given as an output must not do it to /dev/full of this machine, where an ordinary user's could not.
 */
export function fullDevice(folder: string): string {
  if (!isRoot) return '/dev/full';
  const path = join(folder, 'full');
  execFileSync('mknod', ['-m', '666', path, 'c', '1', '7']);
  return path;
}
