import { NsboxError } from '../errors.js';
import type { Propagation } from './mount.js';
import { quote } from './validate.js';

/** Makes the error for a part of a flag that is wrong. */
export type Refuse = (reason: string) => NsboxError;

/** Docker's rule for volumes' names. */
export const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;
/** What is a path of the host and not a volume's name. */
export const HOST_PATH = /^(?:\/|\.{1,2}(?:\/|$)|~(?:\/|$))/;
export const PROPAGATIONS: readonly string[] = [
  'private',
  'rprivate',
  'shared',
  'rshared',
  'slave',
  'rslave',
  'unbindable',
  'runbindable',
] satisfies readonly Propagation[];
/** Of Docker Desktop, for its machine's file sharing; without effect on Linux. */
export const CONSISTENCIES: readonly string[] = ['consistent', 'cached', 'delegated'];

export function isPropagation(value: string): value is Propagation {
  return PROPAGATIONS.includes(value);
}

/** Checks the place in the container. */
export function checkTarget(target: string, refuse: Refuse): string {
  if (target.includes('\0')) throw refuse('it has a NUL byte');
  if (!target.startsWith('/')) throw refuse(`its target ${quote(target)} is not an absolute path`);
  if (/^\/[./]*$/.test(target)) throw refuse('its target is the root directory');
  return target;
}

/** The error for a flag of the command line. */
export function invalid(what: string, value: string, reason: string, example: string): NsboxError {
  return new NsboxError('ERR_INVALID_ARGUMENT', `invalid ${what} ${quote(value)}: ${reason}`, {
    hint: `write it as ${example}`,
  });
}
