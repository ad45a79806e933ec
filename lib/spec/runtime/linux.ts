import { absolutePath, absolutePaths, cpuList, id, int64, refuseDuplicates, singleLine } from '../checks.js';
import { type IdMapping, idMappings } from '../id-mapping.js';
import {
  array,
  boolean,
  type Check,
  integer,
  matching,
  object,
  oneOf,
  type Place,
  record,
  refine,
  text,
} from '../validate.js';
import { checkResources, type LinuxResources } from './resources.js';
import { checkSeccomp, type LinuxSeccomp } from './seccomp.js';
import { sysctlName } from './sysctl.js';

/**
 * What only Linux has.
 *
 * @see runtime-spec, config-linux.md
 */
export interface LinuxConfig {
  /** New or joined ones, each type once. A type that is absent is shared with the runtime. */
  readonly namespaces?: readonly LinuxNamespace[];
  /** Only together with a user namespace. */
  readonly uidMappings?: readonly IdMapping[];
  /** Only together with a user namespace. */
  readonly gidMappings?: readonly IdMapping[];
  /** Offsets of a new time namespace. */
  readonly timeOffsets?: TimeOffsets;
  readonly devices?: readonly LinuxDevice[];
  /** By name on the host: interfaces that move into the container's network namespace. */
  readonly netDevices?: Readonly<Record<string, LinuxNetDevice>>;
  /** Absolute, from the root of the cgroup hierarchy; relative, from where the runtime likes. */
  readonly cgroupsPath?: string;
  readonly resources?: LinuxResources;
  readonly rootfsPropagation?: RootfsPropagation;
  readonly seccomp?: LinuxSeccomp;
  /** Kernel parameters of the container's own namespaces, such as `net.ipv4.ip_forward`. */
  readonly sysctl?: Readonly<Record<string, string>>;
  /** Absolute paths in the container that read as empty. */
  readonly maskedPaths?: readonly string[];
  /** Absolute paths in the container that cannot be written. */
  readonly readonlyPaths?: readonly string[];
  /** SELinux context of the mounts. */
  readonly mountLabel?: string;
  readonly intelRdt?: LinuxIntelRdt;
  readonly memoryPolicy?: LinuxMemoryPolicy;
  readonly personality?: LinuxPersonality;
}

/** What the specification lists. */
export const NAMESPACE_TYPES = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'] as const;
export type NamespaceType = (typeof NAMESPACE_TYPES)[number];

export interface LinuxNamespace {
  readonly type: NamespaceType;
  /** An existing one to join, by absolute path. Absent: a new one. */
  readonly path?: string;
}

/** How mounts on `/` spread. The `r…` forms are Docker's and containerd's habit: below `/` as well. */
export const ROOTFS_PROPAGATIONS = [
  'private',
  'shared',
  'slave',
  'unbindable',
  'rprivate',
  'rshared',
  'rslave',
  'runbindable',
] as const;
export type RootfsPropagation = (typeof ROOTFS_PROPAGATIONS)[number];

export interface TimeOffsets {
  readonly monotonic?: TimeOffset;
  readonly boottime?: TimeOffset;
}

export interface TimeOffset {
  readonly secs?: number;
  /** Below 10^9. */
  readonly nanosecs?: number;
}

/** A device node to be there in the container. */
export interface LinuxDevice {
  /** Character (`u`: unbuffered, the same), block or fifo. */
  readonly type: 'c' | 'b' | 'u' | 'p';
  readonly path: string;
  /** Needed unless `type` is `p`. */
  readonly major?: number;
  /** Needed unless `type` is `p`. */
  readonly minor?: number;
  /** Permission bits. */
  readonly fileMode?: number;
  /** Owner as seen in the container. */
  readonly uid?: number;
  readonly gid?: number;
}

export interface LinuxNetDevice {
  /** Name in the container. Absent: as on the host. */
  readonly name?: string;
}

/** Intel Resource Director Technology: a directory in the kernel's resctrl. */
export interface LinuxIntelRdt {
  /** Name of the class of service; `/` is the default one. Absent: a class of the container's own. */
  readonly closID?: string;
  /** Lines for the `schemata` file, written after the two below. */
  readonly schemata?: readonly string[];
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  /** A monitoring group of the container's own. */
  readonly enableMonitoring?: boolean;
  /** @deprecated Until runtime-spec 1.2; `enableMonitoring` took its place. */
  readonly enableCMT?: boolean;
  /** @deprecated Until runtime-spec 1.2; `enableMonitoring` took its place. */
  readonly enableMBM?: boolean;
}

/** What the specification lists. */
export const MEMORY_POLICY_MODES = [
  'MPOL_DEFAULT',
  'MPOL_BIND',
  'MPOL_INTERLEAVE',
  'MPOL_WEIGHTED_INTERLEAVE',
  'MPOL_PREFERRED',
  'MPOL_PREFERRED_MANY',
  'MPOL_LOCAL',
] as const;
export type MemoryPolicyMode = (typeof MEMORY_POLICY_MODES)[number];

/** What the specification lists. */
export const MEMORY_POLICY_FLAGS = [
  'MPOL_F_NUMA_BALANCING',
  'MPOL_F_RELATIVE_NODES',
  'MPOL_F_STATIC_NODES',
] as const;
export type MemoryPolicyFlag = (typeof MEMORY_POLICY_FLAGS)[number];

/** What set_mempolicy(2) is given. */
export interface LinuxMemoryPolicy {
  readonly mode: MemoryPolicyMode;
  /** List of NUMA nodes, such as `0-1`; empty or absent for the modes that take none. */
  readonly nodes?: string;
  readonly flags?: readonly MemoryPolicyFlag[];
}

/** What personality(2) is given. */
export interface LinuxPersonality {
  readonly domain: 'LINUX' | 'LINUX32';
  /** The specification defines none yet. */
  readonly flags?: readonly string[];
}

const namespaces = refine(
  array(object<LinuxNamespace>({ type: oneOf(NAMESPACE_TYPES) }, { path: absolutePath })),
  (entries, at) => refuseDuplicates(entries, 'type', ({ type }) => type, at),
);

const timeOffset = object<TimeOffset>({}, { secs: int64, nanosecs: integer(0, 999_999_999) });

const device = refine(
  object<LinuxDevice>(
    { type: oneOf(['c', 'b', 'u', 'p']), path: absolutePath },
    {
      major: integer(0, 0xfff),
      minor: integer(0, 0xf_ffff),
      fileMode: integer(0, 0o777),
      uid: id,
      gid: id,
    },
  ),
  (value, at) => {
    if (value.type === 'p') return;
    for (const key of ['major', 'minor'] as const)
      if (value[key] === undefined) at.report('required, but missing', key);
  },
);

// What the kernel's dev_valid_name() lets through.
const interfaceName = matching(/^(?!\.{1,2}$)[^\s/:]{1,15}$/, 'the name of a network interface');

const netDevices = refine(
  record(object<LinuxNetDevice>({}, { name: interfaceName }), interfaceName),
  (devices, at) => {
    const taken = new Set<string>();
    for (const [host, { name = host }] of Object.entries(devices)) {
      if (taken.has(name)) at.report(`two devices would be called ${name} in the container`, host);
      taken.add(name);
    }
  },
);

// It becomes a directory in /sys/fs/resctrl, whose root is the default class.
const classOfService = matching(/^(?:\/|(?!\.{1,2}$)[^/\n]+)$/, 'a name without slashes, or / alone');

const intelRdt = object<LinuxIntelRdt>(
  {},
  {
    closID: classOfService,
    schemata: array(singleLine),
    l3CacheSchema: text,
    memBwSchema: matching(/^MB:[^\n]*$/, 'a line that begins with MB:'),
    enableMonitoring: boolean,
    enableCMT: boolean,
    enableMBM: boolean,
  },
);

const memoryPolicy = refine(
  object<LinuxMemoryPolicy>(
    { mode: oneOf(MEMORY_POLICY_MODES) },
    { nodes: cpuList, flags: array(oneOf(MEMORY_POLICY_FLAGS)) },
  ),
  refuseForeignNodes,
);

// set_mempolicy(2) answers all of these with the same EINVAL.
function refuseForeignNodes({ mode, nodes = '', flags = [] }: LinuxMemoryPolicy, at: Place): void {
  const takesNone = mode === 'MPOL_DEFAULT' || mode === 'MPOL_LOCAL';
  if (takesNone && nodes !== '') at.report(`${mode} takes no nodes`, 'nodes');
  if (!takesNone && mode !== 'MPOL_PREFERRED' && nodes === '') at.report(`${mode} needs nodes`, 'nodes');
  if (takesNone && flags.length > 0) at.report(`${mode} takes no flags`, 'flags');
  if (flags.includes('MPOL_F_STATIC_NODES') && flags.includes('MPOL_F_RELATIVE_NODES'))
    at.report('MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other', 'flags');
}

const personality = refine(
  object<LinuxPersonality>({ domain: oneOf(['LINUX', 'LINUX32']) }, { flags: array(text) }),
  ({ flags = [] }, at) => {
    if (flags.length > 0) at.report('the specification defines no flags yet', 'flags');
  },
);

const withoutParent = matching(/^(?!(?:.*\/)?\.\.(?:\/|$)).+$/s, 'a path without ..');

/** Checks the Linux section by itself; `coherence.ts` looks at it together with the rest. */
export const checkLinux: Check<LinuxConfig> = object<LinuxConfig>(
  {},
  {
    namespaces,
    uidMappings: idMappings,
    gidMappings: idMappings,
    timeOffsets: object<TimeOffsets>({}, { monotonic: timeOffset, boottime: timeOffset }),
    devices: array(device),
    netDevices,
    cgroupsPath: withoutParent,
    resources: checkResources,
    rootfsPropagation: oneOf(ROOTFS_PROPAGATIONS),
    seccomp: checkSeccomp,
    sysctl: record(singleLine, sysctlName),
    maskedPaths: absolutePaths,
    readonlyPaths: absolutePaths,
    mountLabel: singleLine,
    intelRdt,
    memoryPolicy,
    personality,
  },
);
