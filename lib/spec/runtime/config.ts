import type { Mount } from '../mount.js';
import type { LinuxConfig } from './linux.js';
import type { ProcessConfig } from './process.js';

export type { IdMapping, Mount } from '../mount.js';
export type * from './linux.js';
export type * from './process.js';
export { RLIM_INFINITY } from './process.js';
export type * from './resources.js';
export type * from './seccomp.js';

/**
 * A bundle's `config.json`, as far as Linux goes.
 *
 * @see runtime-spec 1.3, config.md and config-linux.md
 */
export interface RuntimeConfig {
  /** Version of the runtime-spec, as SemVer: `1.3.0`. */
  readonly ociVersion: string;
  readonly root: RootConfig;
  /** Needed by the time of `start`. */
  readonly process?: ProcessConfig;
  /** Only together with a uts namespace, as is `domainname`. */
  readonly hostname?: string;
  readonly domainname?: string;
  /** Mounted in this order, on top of the root. */
  readonly mounts?: readonly Mount[];
  readonly hooks?: Hooks;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: LinuxConfig;
}

/**
 * The container's root file system.
 *
 * @see runtime-spec, config.md, "Root"
 */
export interface RootConfig {
  /** Absolute, or relative to the bundle. */
  readonly path: string;
  readonly readonly?: boolean;
}

/**
 * Programs that run as the container comes and goes. `startContainer` runs inside it, by a path of
 * the container's; all others run by a path of the host's.
 *
 * @see runtime-spec, config.md, "POSIX-platform Hooks"
 */
export interface Hooks {
  /** @deprecated In favour of the next three. */
  readonly prestart?: readonly Hook[];
  readonly createRuntime?: readonly Hook[];
  readonly createContainer?: readonly Hook[];
  readonly startContainer?: readonly Hook[];
  readonly poststart?: readonly Hook[];
  readonly poststop?: readonly Hook[];
}

export interface Hook {
  /** Absolute. */
  readonly path: string;
  /** With the program's name first, as in execv(3). */
  readonly args?: readonly string[];
  /** The whole environment. */
  readonly env?: readonly string[];
  /** In seconds, at least 1. Absent: no limit. */
  readonly timeout?: number;
}
