import { resolve } from 'node:path';
import { NsboxError } from '../../errors.js';
import { addon } from '../../native/load.js';
import { fromRuntime } from './failure.js';

/** Who makes a container's cgroups. */
export type CgroupManager = 'cgroupfs' | 'systemd' | 'disabled';

/** Where containers are kept, as with the global options of `nsbox-runtime`. */
export interface StateOptions {
  /**
   * The directory that their state lies in. Default: the executable's own, `/run/nsbox`, or `$XDG_RUNTIME_DIR/nsbox` for a
   * user who may not write to `/run`.
   */
  readonly root?: string;
}

/** One container's place: the root of its state, and its id. */
export interface Place {
  readonly root: string;
  readonly id: string;
}

export function stateRoot({ root }: StateOptions): string {
  if (root !== undefined) return resolve(root);
  try {
    return addon().defaultStateRoot(process.env.XDG_RUNTIME_DIR ?? '');
  } catch (error) {
    throw fromRuntime(error);
  }
}

/** @throws {@link NsboxError} `ERR_INVALID_ARGUMENT` */
export function placeOf(id: string, options: StateOptions): Place {
  // As native/core/container/state.cc has it, which looks again.
  if (!/^[\w+.-]{1,1024}$/.test(id) || id === '.' || id === '..')
    throw new NsboxError(
      'ERR_INVALID_ARGUMENT',
      `a container's id is made of letters, digits and _ + - . and not ${JSON.stringify(id).slice(0, 80)}`,
    );
  return { root: stateRoot(options), id };
}
