import { NsboxError } from '../errors.js';
import type { BindMountRequest, TmpfsMountRequest } from '../spec/mount.js';
import { checkSeccomp, type LinuxSeccomp } from '../spec/runtime/seccomp.js';
import { validate } from '../spec/validate.js';
import { parseDuration } from '../util/units.js';
import type { ExecOptions } from './exec-options.js';

/** What a sandbox may use. A limit that this machine or user cannot set is an error, never ignored. */
export interface SandboxLimits {
  /** Memory in bytes, or as `'256m'`. */
  readonly memory?: string | number;
  /** Memory and swap together. Default: as much as `memory`, so no swap, where the kernel counts swap. */
  readonly memorySwap?: string | number;
  /** CPUs' worth of time: `0.5` is half of one. */
  readonly cpus?: string | number;
  /** Relative weight against others, 2 to 262144; the kernel's default is 1024. */
  readonly cpuShares?: number;
  /** The CPUs to run on: `'0-1,3'`. */
  readonly cpuset?: string;
  /** Processes and threads at one time. */
  readonly pids?: number;
}

export interface SandboxSecurity {
  /** Capabilities beside Docker's default set, and those to take from it; `'ALL'` is allowed in both. */
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  /** Default: `'default'`, Docker's list of system calls. */
  readonly seccomp?: 'default' | 'unconfined' | LinuxSeccomp;
  /** Default: true. */
  readonly noNewPrivileges?: boolean;
  /** Name of a loaded AppArmor profile. */
  readonly apparmor?: string;
  /** Paths to hide beside the default ones; `'none'` hides nothing. */
  readonly maskedPaths?: readonly string[] | 'none';
}

/** A directory or file of the host, or a file system in memory. */
export type SandboxMount = Omit<BindMountRequest, 'createSource' | 'relabel'> | SandboxTmpfsMount;

/** A file system in memory; its size in bytes, or as `'64m'`. */
export interface SandboxTmpfsMount extends Omit<TmpfsMountRequest, 'size'> {
  readonly size?: string | number;
}

export interface SandboxOptions {
  /** Name of the sandbox, unique in this process; letters, digits, `_`, `.`, `-`. Default: a random one. */
  readonly id?: string;
  /**
   * An image to be the root, copy-on-write: `'debian:12'`. It is pulled where it is absent, and says itself which command,
   * variables, user and directory are meant where nothing else is said. `'host'` are the host's own files, as by default.
   */
  readonly image?: string;
  /** Whether to ask the image's registry: default `'missing'`, only for what is not on this machine. */
  readonly pull?: 'always' | 'missing' | 'never';
  /** Which of an image's variants: `'linux/386'`. Default: this machine's. */
  readonly platform?: string;
  /** In place of the image's own; its own arguments go with it. */
  readonly entrypoint?: readonly string[];
  /** A directory to be the root, shown copy-on-write. Default: the host's own files, likewise. */
  readonly rootfs?: string;
  /** A prepared OCI bundle: a directory with `config.json` and a root. */
  readonly bundle?: string;
  /** The host's directory that stays visible, copy-on-write, and is the working directory. Default: the current one. */
  readonly workspace?: string | false;
  readonly limits?: SandboxLimits;
  readonly mounts?: readonly SandboxMount[];
  /** Default: `'none'`, a loopback interface of its own and nothing else. */
  readonly network?: 'none' | 'host';
  /** Refuse all writes but to file systems in memory: with the host's files, `/tmp` and the empty homes. Default: false. */
  readonly readOnly?: boolean;
  readonly hostname?: string;
  /** Variables of its processes. Nothing of this process's environment is passed on. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the workspace, or what the image or the bundle says, or `/`. */
  readonly cwd?: string;
  /** `user[:group]`, by name or id. Default: the image's, or root, which is this user itself when not run as root. */
  readonly user?: string | number;
  readonly security?: SandboxSecurity;
  /** How much may be written, in bytes or as `'1g'`. It lies in memory. Default: half of the machine's. */
  readonly scratchSize?: string | number;
  /** Time limit of each command that has none of its own: `'30s'`, or milliseconds. */
  readonly timeout?: string | number;
  /** Ends the sandbox when aborted. */
  readonly signal?: AbortSignal;
}

/** {@link Sandbox.run}: a sandbox's options and its one command's, together. */
export type RunOptions = SandboxOptions & ExecOptions & { readonly init?: boolean };

const SANDBOX_OPTIONS: ReadonlySet<string> = new Set<keyof SandboxOptions>([
  'id',
  'image',
  'pull',
  'platform',
  'entrypoint',
  'rootfs',
  'bundle',
  'workspace',
  'limits',
  'mounts',
  'network',
  'readOnly',
  'hostname',
  'env',
  'cwd',
  'user',
  'security',
  'scratchSize',
  'timeout',
  'signal',
]);
const LIMITS: ReadonlySet<string> = new Set<keyof SandboxLimits>([
  'memory',
  'memorySwap',
  'cpus',
  'cpuShares',
  'cpuset',
  'pids',
]);
const SECURITY: ReadonlySet<string> = new Set<keyof SandboxSecurity>([
  'capAdd',
  'capDrop',
  'seccomp',
  'noNewPrivileges',
  'apparmor',
  'maskedPaths',
]);

// What else a mount can be asked for belongs to engines, which can keep it.
const BIND_MOUNT: ReadonlySet<string> = new Set([
  'type',
  'source',
  'target',
  'readOnly',
  'propagation',
  'recursive',
]);
const TMPFS_MOUNT: ReadonlySet<string> = new Set(['type', 'target', 'readOnly', 'size', 'mode', 'options']);

/**
 * Refuses unknown, mistyped and contradictory options, before anything is made.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function checkSandboxOptions(options: SandboxOptions, further: ReadonlySet<string> = new Set()): void {
  checkKeys(options, 'options', SANDBOX_OPTIONS, further);
  if (options.limits) checkKeys(options.limits, 'limits', LIMITS);
  if (options.security) checkKeys(options.security, 'security', SECURITY);
  checkText(
    options,
    'id',
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
    'letters, digits, "_", "." and "-", 64 at the most',
  );
  checkText(options, 'hostname', /^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/, 'a host name');
  checkImage(options);
  checkText(options, 'rootfs', /^[^\0]+$/, 'a path');
  checkText(options, 'bundle', /^[^\0]+$/, 'a path');
  if (options.workspace !== false) checkText(options, 'workspace', /^[^\0]+$/, 'a path or false');
  if (options.timeout !== undefined) parseDuration(options.timeout, 'timeout');
  if (typeof options.security?.seccomp === 'object')
    validate(checkSeccomp, options.security.seccomp, 'security.seccomp');
  checkText(options, 'cwd', /^\/[^\0]*$/, 'an absolute path');
  checkOneOf(options, 'network', ['none', 'host']);
  checkBoolean(options, 'readOnly');
  checkSignal(options.signal);
  if (options.rootfs !== undefined && options.bundle !== undefined)
    throw invalid('rootfs and bundle contradict each other: both name a root');
  if (options.mounts !== undefined && !Array.isArray(options.mounts))
    throw invalid('mounts: expected a list');
  const seccomp: unknown = options.security?.seccomp;
  if (typeof seccomp === 'string' && seccomp !== 'default' && seccomp !== 'unconfined')
    throw invalid(
      `security.seccomp: expected 'default', 'unconfined' or a profile, got ${JSON.stringify(seccomp)}`,
    );
  for (const [i, mount] of (options.mounts ?? []).entries()) checkMount(mount, `mounts[${i}]`);
  if (options.env !== undefined) checkEnvironment(options.env);
}

function checkImage(options: SandboxOptions): void {
  checkText(options, 'image', /^[^\0]+$/, "an image's name");
  checkOneOf(options, 'pull', ['always', 'missing', 'never']);
  checkText(options, 'platform', /^[^\0]+$/, "a platform such as 'linux/amd64'");
  const { entrypoint } = options;
  const isList =
    Array.isArray(entrypoint) && entrypoint.every((one) => typeof one === 'string' && !one.includes('\0'));
  if (entrypoint !== undefined && !isList) throw invalid('entrypoint: expected a list of texts');
  if (options.image === undefined || options.image === 'host') {
    for (const name of ['pull', 'platform', 'entrypoint'] as const)
      if (options[name] !== undefined) throw invalid(`${name}: it is for images, and none is named`);
    return;
  }
  for (const name of ['rootfs', 'bundle'] as const)
    if (options[name] !== undefined)
      throw invalid(`image and ${name} contradict each other: both name a root`);
  if (options.workspace)
    throw invalid(
      "image and workspace contradict each other: the workspace is shown by the host's own files",
      'name the directory in mounts',
    );
}

function checkMount(mount: SandboxMount, where: string): void {
  if (typeof mount !== 'object' || mount === null) throw invalid(`${where}: expected an object`);
  if (mount.type !== 'bind' && mount.type !== 'tmpfs')
    throw invalid(
      `${where}.type: expected "bind" or "tmpfs", got ${JSON.stringify((mount as { type?: unknown }).type)}`,
    );
  if (typeof mount.target !== 'string' || !mount.target.startsWith('/') || mount.target.includes('\0'))
    throw invalid(`${where}.target: expected an absolute path`);
  if (
    mount.type === 'bind' &&
    (typeof mount.source !== 'string' || mount.source === '' || mount.source.includes('\0'))
  )
    throw invalid(`${where}.source: expected a path`);
  checkKeys(mount, where, mount.type === 'bind' ? BIND_MOUNT : TMPFS_MOUNT);
}

export function checkEnvironment(env: Readonly<Record<string, string | undefined>>): void {
  if (typeof env !== 'object' || env === null || Array.isArray(env)) throw invalid('env: expected an object');
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || name.includes('=') || name.includes('\0'))
      throw invalid(`env: ${JSON.stringify(name)} cannot be a variable's name`);
    if (value !== undefined && (typeof value !== 'string' || value.includes('\0')))
      throw invalid(`env.${name}: expected a text without NUL characters`);
  }
}

/** Refuses names that nobody knows, with the nearest that somebody does. */
export function checkKeys(
  given: object,
  what: string,
  known: ReadonlySet<string>,
  further: ReadonlySet<string> = new Set(),
): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalid(`${what}: expected an object`);
  for (const name of Object.keys(given)) {
    if (known.has(name) || further.has(name)) continue;
    const near = [...known, ...further].find((candidate) => isNear(name, candidate));
    throw new NsboxError('ERR_INVALID_ARGUMENT', `${what}: unknown option ${JSON.stringify(name)}`, {
      hint: near === undefined ? undefined : `did you mean ${JSON.stringify(near)}?`,
    });
  }
}

// One letter wrong, missing, added or swapped, or another case.
function isNear(a: string, b: string): boolean {
  if (a.toLowerCase() === b.toLowerCase()) return true;
  if (Math.abs(a.length - b.length) > 1) return false;
  const sorted = (text: string) => [...text.toLowerCase()].sort().join('');
  if (sorted(a) === sorted(b)) return true;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const tail = Math.min(a.length, b.length) - start;
  return [0, 1].some(
    (skip) =>
      a.slice(start + 1) === b.slice(start + skip) || (tail >= 0 && a.slice(start) === b.slice(start + 1)),
  );
}

function checkText<K extends string>(
  options: { readonly [key in K]?: unknown },
  name: K,
  form: RegExp,
  what: string,
): void {
  const value = options[name];
  if (value === undefined || (typeof value === 'string' && form.test(value))) return;
  throw invalid(`${name}: expected ${what}, got ${JSON.stringify(value)}`);
}

export function checkBoolean<K extends string>(options: { readonly [key in K]?: unknown }, name: K): void {
  const value = options[name];
  if (value !== undefined && typeof value !== 'boolean')
    throw invalid(`${name}: expected true or false, got ${JSON.stringify(value)}`);
}

export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw invalid('signal: expected an AbortSignal');
}

function checkOneOf<K extends string>(
  options: { readonly [key in K]?: unknown },
  name: K,
  members: readonly string[],
): void {
  const value = options[name];
  if (value === undefined || (typeof value === 'string' && members.includes(value))) return;
  throw invalid(
    `${name}: expected ${members.map((one) => `'${one}'`).join(' or ')}, got ${JSON.stringify(value)}`,
  );
}

export function invalid(message: string, hint?: string): NsboxError {
  return new NsboxError('ERR_INVALID_ARGUMENT', message, { hint });
}
