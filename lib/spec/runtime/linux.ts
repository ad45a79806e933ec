import type { IdMapping } from '../mount.js';
import type { LinuxResources } from './resources.js';
import type { LinuxSeccomp } from './seccomp.js';

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

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time';

export interface LinuxNamespace {
  readonly type: NamespaceType;
  /** An existing one to join, by absolute path. Absent: a new one. */
  readonly path?: string;
}

/** How mounts on `/` spread. The `r…` forms are Docker's and containerd's habit: below `/` as well. */
export type RootfsPropagation =
  | 'private'
  | 'shared'
  | 'slave'
  | 'unbindable'
  | 'rprivate'
  | 'rshared'
  | 'rslave'
  | 'runbindable';

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
  /** Name of the class of service. */
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

export type MemoryPolicyMode =
  | 'MPOL_DEFAULT'
  | 'MPOL_BIND'
  | 'MPOL_INTERLEAVE'
  | 'MPOL_WEIGHTED_INTERLEAVE'
  | 'MPOL_PREFERRED'
  | 'MPOL_PREFERRED_MANY'
  | 'MPOL_LOCAL';

export type MemoryPolicyFlag = 'MPOL_F_NUMA_BALANCING' | 'MPOL_F_RELATIVE_NODES' | 'MPOL_F_STATIC_NODES';

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
