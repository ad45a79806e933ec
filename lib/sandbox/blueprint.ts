import { existsSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { NsboxError } from '../errors.js';
import { addon } from '../native/load.js';
import { readBundle } from '../runtime/bundle.js';
import { capabilityMask, DEFAULT_CAPABILITIES } from '../runtime/capabilities.js';
import { generateConfig, generateProcess, MASKED_PATHS } from '../runtime/generate.js';
import type { RootKind } from '../runtime/plan.js';
import type { Mount } from '../spec/mount.js';
import type { ProcessConfig, RuntimeConfig } from '../spec/runtime/config.js';
import { CAPABILITIES, type Capability, capabilityName } from '../spec/runtime/linux-names.js';
import { monotonicMs } from '../util/clock.js';
import { parseSize } from '../util/units.js';
import { userText } from './exec-options.js';
import {
  hiddenMounts,
  isWithin,
  nodeMounts,
  nodePath,
  resolverMounts,
  submountOverlays,
  visibleWorkspace,
  workspaceMount,
} from './host.js';
import { type IdMaps, idMapsFor, isRootless } from './identity.js';
import type { ImageRoot } from './image.js';
import {
  DEFAULT_PATH,
  imageEnvironment,
  imageMounts,
  imageUser,
  imageWorkingDirectory,
} from './image-view.js';
import { invalid, type SandboxMount, type SandboxOptions } from './options.js';

/** All that is known of a sandbox before it is made. */
export interface Blueprint {
  readonly config: RuntimeConfig;
  readonly process: ProcessConfig;
  readonly root: RootKind;
  readonly idMaps: IdMaps;
  readonly clampCapabilities: boolean;
  readonly filter: Uint8Array | undefined;
  readonly scratchSize: number | undefined;
  /** The user of commands that name none. */
  readonly user: string | undefined;
  /** Whether the working directory is made where it is absent. */
  readonly makesCwd: boolean;
}

/** What the sandbox shows: its root, what is mounted on it, and where its commands begin. */
interface View {
  readonly rootPath: string;
  readonly root: RootKind;
  readonly mounts: readonly Mount[];
  readonly cwd: string;
  readonly env: readonly string[];
}

/** Works out a sandbox from checked options, and the image that they name. Nothing is made yet. */
export function blueprint(options: SandboxOptions, id: string, image?: ImageRoot): Blueprint {
  const wanted = userText(options.user) ?? image?.image.config.User;
  const idMaps = idMapsFor(wanted || undefined);
  const user = image ? imageUser(wanted, idMaps) : wanted;
  const capabilities = wantedCapabilities(options.security);
  const config =
    options.bundle === undefined
      ? generated(options, id, idMaps, capabilities, image)
      : fromBundle(options.bundle, options, idMaps);
  const process = config.process;
  if (!process) throw new NsboxError('ERR_INVALID_CONFIG', `${options.bundle}: config.json has no process`);
  const bounding = process.capabilities?.bounding ?? [];
  return {
    config,
    process,
    root: image || options.bundle !== undefined || options.rootfs !== undefined ? 'overlay' : hostRootKind(),
    idMaps,
    clampCapabilities: options.security?.capAdd === undefined,
    filter: filterOf(options, config, bounding),
    scratchSize:
      options.scratchSize === undefined ? undefined : parseSize(options.scratchSize, 'scratchSize'),
    user,
    makesCwd: image !== undefined,
  };
}

function hostRootKind(): RootKind {
  return isRootless() ? 'split' : 'overlay';
}

function generated(
  options: SandboxOptions,
  id: string,
  idMaps: IdMaps,
  capabilities: readonly Capability[],
  image: ImageRoot | undefined,
): RuntimeConfig {
  const view = viewOf(options, image);
  const process = generateProcess({
    args: ['true'],
    env: mergeEnvironment(view.env, options.env ?? {}),
    cwd: options.cwd ?? view.cwd,
    capabilities,
    noNewPrivileges: options.security?.noNewPrivileges ?? true,
    apparmor: options.security?.apparmor,
  });
  return generateConfig({
    rootPath: view.rootPath,
    readOnly: options.readOnly ?? false,
    hostname: options.hostname ?? id.slice(0, 63),
    network: options.network ?? 'none',
    mounts: [
      ...view.mounts.map((mount) => (options.readOnly ? readOnlyOverlay(mount) : mount)),
      ...userMounts(options.mounts ?? []),
    ],
    process,
    resources: undefined,
    userMappings: idMaps.users,
    groupMappings: idMaps.groups,
    maskedPaths: maskedPaths(options.security?.maskedPaths),
  });
}

function viewOf(options: SandboxOptions, image: ImageRoot | undefined): View {
  if (image) return imageView(image, options);
  return options.rootfs === undefined ? hostView(options) : directoryView(options.rootfs, options);
}

function imageView({ image: { config }, lowers }: ImageRoot, options: SandboxOptions): View {
  return {
    // The others lie on it as layers.
    rootPath: lowers.at(-1) ?? '',
    root: 'overlay',
    mounts: [...resolverFiles(options), ...imageMounts(config, options.mounts ?? [])],
    cwd: imageWorkingDirectory(config),
    env: imageEnvironment(config),
  };
}

function readOnlyOverlay(mount: Mount): Mount {
  return mount.type === 'overlay' ? { ...mount, options: [...(mount.options ?? []), 'ro'] } : mount;
}

function maskedPaths(further: readonly string[] | 'none' | undefined): readonly string[] {
  return further === 'none' ? [] : [...MASKED_PATHS, ...(further ?? [])];
}

interface HostShape {
  readonly hidden: readonly Mount[];
  readonly overlays: readonly Mount[];
  readonly node: readonly Mount[];
  readonly seenAt: number;
}

// What the machine looks like is looked up once a second at the most: homes and disks do not come and go faster, and a
// start is a matter of one or two milliseconds.
const SHAPE_LASTS_MS = 1000;
let shape: HostShape | undefined;

function hostShape(): HostShape {
  const now = monotonicMs();
  if (shape && now - shape.seenAt < SHAPE_LASTS_MS) return shape;
  const hidden = hiddenMounts();
  const overlays = isRootless() ? [] : submountOverlays(hidden);
  shape = { hidden, overlays, node: nodeMounts(hidden), seenAt: now };
  return shape;
}

function hostView(options: SandboxOptions): View {
  const { hidden, overlays: submounts, node: nodeFolder } = hostShape();
  const workspace = options.workspace === false ? undefined : workspaceOf(options.workspace);
  const overlays: Mount[] = [];
  if (workspace !== undefined && wantsOverlay(workspace, hidden)) overlays.push(workspaceMount(workspace));
  const resolver = options.network === 'host' ? resolverMounts(hidden) : [];
  const node = nodePath();
  return {
    rootPath: '/',
    root: hostRootKind(),
    // Each of the machine's file systems first, so that what is hidden of them is hidden on top.
    mounts: [...submounts, ...hidden, ...overlays, ...nodeFolder, ...resolver],
    cwd: workspace ?? '/',
    env: baseEnvironment(
      options,
      DEFAULT_PATH.split(':').includes(node) ? DEFAULT_PATH : `${DEFAULT_PATH}:${node}`,
    ),
  };
}

function workspaceOf(folder: string | undefined): string | undefined {
  if (folder === undefined) return visibleWorkspace(currentDirectory());
  const path = resolve(folder);
  if (!isDirectory(path)) throw new NsboxError('ERR_NOT_FOUND', `workspace: no such directory: ${path}`);
  const visible = visibleWorkspace(path);
  if (visible !== undefined) return visible;
  throw invalid(
    `workspace: ${path} is, or holds, what a sandbox hides: homes, temporary files, /run`,
    'name it in mounts to show it',
  );
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    // It was removed: then there is none to show.
    return '/';
  }
}

// What the root's own overlay shows needs no second one.
function wantsOverlay(workspace: string, hidden: readonly Mount[]): boolean {
  if (hidden.some(({ destination }) => isWithin(workspace, destination))) return true;
  return statSync(workspace).dev !== statSync('/').dev;
}

function directoryView(rootfs: string, options: SandboxOptions): View {
  const path = resolve(rootfs);
  if (!existsSync(path)) throw new NsboxError('ERR_NOT_FOUND', `rootfs: no such directory: ${path}`);
  if (!isDirectory(path)) throw invalid(`rootfs: ${path} is not a directory`);
  return {
    rootPath: path,
    root: 'overlay',
    mounts: resolverFiles(options),
    cwd: '/',
    env: baseEnvironment(options, DEFAULT_PATH),
  };
}

// With the host's network come its names.
function resolverFiles({ network }: SandboxOptions): Mount[] {
  const names = network === 'host' ? ['/etc/resolv.conf', '/etc/hosts'] : [];
  return names
    .filter((file) => existsSync(file))
    .map((file) => ({
      destination: file,
      type: 'bind',
      source: realpathSync(file),
      options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
    }));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function baseEnvironment({ user }: SandboxOptions, path: string): string[] {
  return [`PATH=${path}`, ...(user === undefined ? ['HOME=/root'] : [])];
}

/** Variables with others that come over them; `undefined` takes one away. */
export function mergeEnvironment(
  base: readonly string[],
  more: Readonly<Record<string, string | undefined>>,
): string[] {
  const kept = base.filter((entry) => !Object.hasOwn(more, entry.slice(0, entry.indexOf('='))));
  return [...kept, ...environmentList(more)];
}

function environmentList(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

function userMounts(mounts: readonly SandboxMount[]): Mount[] {
  return mounts.map((mount, i) => (mount.type === 'bind' ? bindMount(mount, i) : tmpfsMount(mount)));
}

function bindMount(mount: SandboxMount & { readonly type: 'bind' }, i: number): Mount {
  const source = resolve(mount.source.replace(/^~(?=\/|$)/, homedir()));
  if (!existsSync(source))
    throw new NsboxError('ERR_NOT_FOUND', `mounts[${i}].source: no such file or directory: ${source}`);
  const recursive = mount.recursive !== 'disabled';
  const readOnly = mount.readOnly ? [recursive && mount.recursive !== 'writable' ? 'rro' : 'ro'] : [];
  return {
    destination: mount.target,
    type: 'bind',
    source,
    options: [recursive ? 'rbind' : 'bind', ...readOnly, 'nosuid', 'nodev', mount.propagation ?? 'rprivate'],
  };
}

function tmpfsMount(mount: SandboxMount & { readonly type: 'tmpfs' }): Mount {
  return {
    destination: mount.target,
    type: 'tmpfs',
    source: 'tmpfs',
    options: [
      'nosuid',
      'nodev',
      `mode=${(mount.mode ?? 0o1777).toString(8)}`,
      ...(mount.size === undefined ? [] : [`size=${parseSize(mount.size, 'mounts.size')}`]),
      ...(mount.readOnly ? ['ro'] : []),
      ...(mount.options ?? []),
    ],
  };
}

/** Docker's default set with what is added and taken away; an added one must be ours to give. */
function wantedCapabilities(security: SandboxOptions['security']): readonly Capability[] {
  const add = security?.capAdd ?? [];
  const drop = security?.capDrop ?? [];
  if (add.length === 0 && drop.length === 0) return DEFAULT_CAPABILITIES;
  const isAll = (name: string) => name.toUpperCase() === 'ALL';
  const start = drop.some(isAll) ? [] : add.some(isAll) ? givableCapabilities() : DEFAULT_CAPABILITIES;
  const wanted = new Set<Capability>(start);
  for (const name of drop) if (!isAll(name)) wanted.delete(capabilityName(name));
  if (drop.some(isAll) && add.some(isAll)) for (const name of givableCapabilities()) wanted.add(name);
  for (const name of add) if (!isAll(name)) wanted.add(givable(capabilityName(name)));
  return [...wanted];
}

function givableCapabilities(): Capability[] {
  const mask = addon().boundingCapabilities();
  return CAPABILITIES.filter((_, number) => (mask >> BigInt(number)) & 1n);
}

function givable(name: Capability): Capability {
  if (givableCapabilities().includes(name)) return name;
  throw new NsboxError(
    'ERR_PERMISSION',
    `security.capAdd: this process has no ${name} to give: it is not in its bounding set`,
  );
}

const filters = new Map<string, Uint8Array>();

function filterOf(
  options: SandboxOptions,
  config: RuntimeConfig,
  bounding: readonly Capability[],
): Uint8Array | undefined {
  const seccomp = options.security?.seccomp;
  if (seccomp === 'unconfined') return undefined;
  const profile =
    typeof seccomp === 'object' ? seccomp : options.bundle === undefined ? undefined : config.linux?.seccomp;
  if (profile !== undefined) return cached(JSON.stringify(profile), (json) => addon().compileSeccomp(json));
  if (options.bundle !== undefined && seccomp === undefined) return undefined;
  return cached(`default ${capabilityMask(bounding)}`, () =>
    addon().defaultSeccomp(capabilityMask(bounding)),
  );
}

function cached(key: string, compile: (key: string) => Uint8Array): Uint8Array {
  const known = filters.get(key);
  if (known) return known;
  const filter = compile(key);
  if (filters.size > 100) filters.clear();
  filters.set(key, filter);
  return filter;
}

/** A bundle says itself what it is; options may only add to its mounts, environment and limits. */
function fromBundle(folder: string, options: SandboxOptions, idMaps: IdMaps): RuntimeConfig {
  for (const name of ['workspace', 'network', 'hostname', 'readOnly'] as const)
    if (options[name] !== undefined)
      throw invalid(`bundle and ${name} contradict each other: config.json says it`);
  for (const name of Object.keys(options.security ?? {}))
    if (name !== 'seccomp')
      throw invalid(`bundle and security.${name} contradict each other: config.json says it`);
  const path = resolve(folder);
  const config = readBundle(path);
  const process = config.process;
  if (!process) throw new NsboxError('ERR_INVALID_CONFIG', `${join(path, 'config.json')}: process: missing`);
  const { resources: _, ...linux } = config.linux ?? {};
  const namespaces = (linux.namespaces ?? []).filter(({ type }) => type !== 'user');
  return {
    ...config,
    process: {
      ...process,
      terminal: false,
      env: [...(process.env ?? []), ...environmentList(options.env ?? {})],
      cwd: options.cwd ?? process.cwd,
    },
    mounts: [...(config.mounts ?? []), ...userMounts(options.mounts ?? [])],
    linux: {
      ...linux,
      namespaces: idMaps.how === 'none' ? namespaces : [...namespaces, { type: 'user' }],
      ...(idMaps.how !== 'none' && { uidMappings: idMaps.users, gidMappings: idMaps.groups }),
    },
  };
}
