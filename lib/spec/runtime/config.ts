import { absolutePath, annotations, environment, nonEmpty, specVersion, strings } from '../checks.js';
import { checkMount, type Mount } from '../mount.js';
import {
  array,
  boolean,
  type Check,
  integer,
  matching,
  object,
  parse,
  refine,
  validate,
} from '../validate.js';
import { refuseContradictions } from './coherence.js';
import { checkLinux, type LinuxConfig } from './linux.js';
import { checkProcess, type ProcessConfig } from './process.js';

export type { IdMapping } from '../id-mapping.js';
export type { Mount } from '../mount.js';
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

const hooks = array(
  object<Hook>(
    { path: absolutePath },
    { args: strings, env: environment, timeout: integer(1, Number.MAX_SAFE_INTEGER) },
  ),
);

// sethostname(2) and setdomainname(2) take at most 64 bytes.
const hostName = matching(/^[^\s/]{0,64}$/, 'a name of at most 64 characters');

/** Checks a whole `config.json`. */
export const checkConfig: Check<RuntimeConfig> = refine(
  object<RuntimeConfig>(
    { ociVersion: specVersion, root: object<RootConfig>({ path: nonEmpty }, { readonly: boolean }) },
    {
      process: checkProcess,
      hostname: hostName,
      domainname: hostName,
      mounts: array(checkMount),
      hooks: object<Hooks>(
        {},
        {
          prestart: hooks,
          createRuntime: hooks,
          createContainer: hooks,
          startContainer: hooks,
          poststart: hooks,
          poststop: hooks,
        },
      ),
      annotations,
      linux: checkLinux,
    },
  ),
  refuseContradictions,
);

/**
 * Checks a runtime configuration from outside and gives back a copy: see {@link Check}.
 *
 * @example validateConfig({ ociVersion: '1.3.0', root: { path: 'rootfs' } })
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`, each problem on a line that begins with its place
 */
export function validateConfig(value: unknown, what = 'config.json'): RuntimeConfig {
  return validate(checkConfig, value, what);
}

/**
 * Reads and checks the text of a `config.json`.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function parseConfig(json: string, what = 'config.json'): RuntimeConfig {
  return parse(checkConfig, json, what);
}

// JSON.stringify writes these two with the digits of the nearest double, which a strict reader of
// 64-bit numbers refuses as out of range. Strings are stepped over as a whole.
const ROUNDED = /"(?:[^"\\]|\\.)*"|18446744073709552000|-?9223372036854776000/g;

const EXACT: Readonly<Record<string, string>> = {
  '18446744073709552000': '18446744073709551615',
  '9223372036854776000': '9223372036854775807',
  '-9223372036854776000': '-9223372036854775808',
};

/** Writes a configuration as JSON, the largest 64-bit numbers exactly. */
export function stringifyConfig(config: RuntimeConfig): string {
  const json = JSON.stringify(config);
  if (!json.includes('18446744073709552000') && !json.includes('9223372036854776000')) return json;
  return json.replace(ROUNDED, (token) => {
    if (token.startsWith('"')) return token;
    return EXACT[token] ?? token;
  });
}
