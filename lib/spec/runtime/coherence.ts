import type { IdMapping } from '../id-mapping.js';
import type { Mount } from '../mount.js';
import type { Place } from '../validate.js';
import type { LinuxConfig, LinuxNamespace, NamespaceType } from './linux.js';
import type { ProcessConfig } from './process.js';
import { sysctlNamespace, sysctlPath } from './sysctl.js';

/** The parts of a configuration that depend on each other. */
interface Parts {
  readonly process?: ProcessConfig;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts?: readonly Mount[];
  readonly linux?: LinuxConfig;
}

/** Reports what is sound by itself but cannot be had together. */
export function refuseContradictions(config: Parts, at: Place): void {
  const namespaces = new Namespaces(config.linux?.namespaces ?? []);
  refuseNames(config, namespaces, at);
  for (const [index, mount] of (config.mounts ?? []).entries()) refuseIdMap(mount, index, namespaces, at);
  if (config.linux === undefined) return;
  refuseMappings(config.linux, namespaces, at);
  refuseUnmappedUser(config, namespaces, at);
  refuseTimeOffsets(config.linux, namespaces, at);
  refuseSysctls(config, namespaces, at);
  refuseShared(config.linux, namespaces, at);
}

class Namespaces {
  readonly #entries: ReadonlyMap<NamespaceType, LinuxNamespace>;

  constructor(entries: readonly LinuxNamespace[]) {
    this.#entries = new Map(entries.map((entry) => [entry.type, entry]));
  }

  has(type: NamespaceType): boolean {
    return this.#entries.has(type);
  }

  /** Whether the runtime makes a new one, rather than to join one or to share its own. */
  makes(type: NamespaceType): boolean {
    const entry = this.#entries.get(type);
    return entry !== undefined && entry.path === undefined;
  }
}

// An empty name sets none: Go programs write it for an absent one.
function refuseNames(config: Parts, namespaces: Namespaces, at: Place): void {
  for (const key of ['hostname', 'domainname'] as const)
    if ((config[key] ?? '') !== '' && !namespaces.has('uts')) at.report('needs a uts namespace', key);
}

function refuseIdMap(mount: Mount, index: number, namespaces: Namespaces, at: Place): void {
  const { uidMappings, gidMappings, options = [] } = mount;
  if ((uidMappings === undefined) !== (gidMappings === undefined))
    at.report('uidMappings and gidMappings come together or not at all', 'mounts', index);
  const mapped = uidMappings !== undefined || namespaces.has('user');
  if (!mapped && (options.includes('idmap') || options.includes('ridmap')))
    at.report(
      'an idmapped mount needs mappings, its own or those of a user namespace',
      'mounts',
      index,
      'options',
    );
}

function refuseMappings(linux: LinuxConfig, namespaces: Namespaces, at: Place): void {
  if (namespaces.has('user')) return;
  for (const key of ['uidMappings', 'gidMappings'] as const)
    if ((linux[key]?.length ?? 0) > 0) at.report('needs a user namespace', 'linux', key);
}

// setuid(2) and setgroups(2) fail on ids that the namespace does not know.
function refuseUnmappedUser({ process, linux }: Parts, namespaces: Namespaces, at: Place): void {
  if (process === undefined || !namespaces.makes('user')) return;
  const { uid, gid, additionalGids = [] } = process.user;
  const unmapped = 'is not mapped into the user namespace';
  if (!contains(linux?.uidMappings, uid)) at.report(unmapped, 'process', 'user', 'uid');
  if (!contains(linux?.gidMappings, gid)) at.report(unmapped, 'process', 'user', 'gid');
  additionalGids.forEach((group, index) => {
    if (!contains(linux?.gidMappings, group)) at.report(unmapped, 'process', 'user', 'additionalGids', index);
  });
}

// Without any mapping the runtime chooses one, and cannot be contradicted here.
function contains(mappings: readonly IdMapping[] | undefined, id: number): boolean {
  if (mappings === undefined || mappings.length === 0) return true;
  return mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size);
}

// time_namespaces(7): the offsets are fixed once a process is inside.
function refuseTimeOffsets(linux: LinuxConfig, namespaces: Namespaces, at: Place): void {
  if (linux.timeOffsets === undefined || namespaces.makes('time')) return;
  if (linux.timeOffsets.monotonic === undefined && linux.timeOffsets.boottime === undefined) return;
  at.report('needs a new time namespace', 'linux', 'timeOffsets');
}

function refuseSysctls(config: Parts, namespaces: Namespaces, at: Place): void {
  for (const name of Object.keys(config.linux?.sysctl ?? {})) {
    const namespace = sysctlNamespace(name);
    if (sysctlPath(name) === 'kernel/hostname')
      at.report('conflicts with the field hostname; use that', 'linux', 'sysctl', name);
    else if (namespace === undefined)
      at.report('belongs to no namespace and would change the host', 'linux', 'sysctl', name);
    else if (!namespaces.has(namespace))
      at.report(`needs ${namespace === 'ipc' ? 'an' : 'a'} ${namespace} namespace`, 'linux', 'sysctl', name);
    else if (namespace === 'uts' && (config.domainname ?? '') !== '')
      at.report('says the same as domainname; keep one', 'linux', 'sysctl', name);
  }
}

// What these change would change for the host as well.
function refuseShared(linux: LinuxConfig, namespaces: Namespaces, at: Place): void {
  for (const key of ['maskedPaths', 'readonlyPaths'] as const)
    if ((linux[key]?.length ?? 0) > 0 && !namespaces.has('mount'))
      at.report('needs a mount namespace', 'linux', key);
  if (Object.keys(linux.netDevices ?? {}).length > 0 && !namespaces.has('network'))
    at.report('needs a network namespace', 'linux', 'netDevices');
}
