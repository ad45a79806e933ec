/**
 * Limits of the container's cgroup. Absent means: as the parent's.
 *
 * @see runtime-spec, config-linux.md, "Control groups"
 */
export interface LinuxResources {
  /** Applied in this order, later ones win. */
  readonly devices?: readonly DeviceRule[];
  readonly memory?: LinuxMemory;
  readonly cpu?: LinuxCpu;
  readonly pids?: LinuxPids;
  readonly blockIO?: LinuxBlockIO;
  readonly hugepageLimits?: readonly HugepageLimit[];
  readonly network?: LinuxNetworkResources;
  /** By name of the RDMA device. */
  readonly rdma?: Readonly<Record<string, LinuxRdma>>;
  /** Files of cgroup v2 and what to write to them, such as `memory.high`. */
  readonly unified?: Readonly<Record<string, string>>;
}

/** Lets through or blocks access to devices; what is absent means all. */
export interface DeviceRule {
  readonly allow: boolean;
  /** All, block or character. */
  readonly type?: 'a' | 'b' | 'c';
  /** -1 means all, too. */
  readonly major?: number;
  /** -1 means all, too. */
  readonly minor?: number;
  /** Letters of `rwm`: read, write, mknod. */
  readonly access?: string;
}

/** In bytes; -1 means no limit. */
export interface LinuxMemory {
  readonly limit?: number;
  readonly reservation?: number;
  /** Memory and swap together. */
  readonly swap?: number;
  /** @deprecated No longer in the kernel since 5.4. */
  readonly kernel?: number;
  readonly kernelTCP?: number;
  /** 0 to 100; cgroup v1. */
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  /** When updating, refuse a limit that is below the present usage. */
  readonly checkBeforeUpdate?: boolean;
}

/** Times in microseconds. */
export interface LinuxCpu {
  readonly shares?: number;
  /** CPU time in each `period`; -1 means no limit. */
  readonly quota?: number;
  /** What unused quota may add to later periods. */
  readonly burst?: number;
  readonly period?: number;
  readonly realtimeRuntime?: number;
  readonly realtimePeriod?: number;
  /** List of CPUs, such as `0-3,7`. */
  readonly cpus?: string;
  /** List of memory nodes. */
  readonly mems?: string;
  /** 1: run only when nothing else wants to (`SCHED_IDLE`). */
  readonly idle?: number;
}

export interface LinuxPids {
  /** Most processes and threads; -1 means no limit. */
  readonly limit: number;
}

export interface LinuxBlockIO {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly WeightDevice[];
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[];
}

/** At least one of the weights is given. */
export interface WeightDevice {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

export interface ThrottleDevice {
  readonly major: number;
  readonly minor: number;
  /** Bytes or operations a second. */
  readonly rate: number;
}

export interface HugepageLimit {
  /** Such as `2MB`. */
  readonly pageSize: string;
  /** In bytes. */
  readonly limit: number;
}

export interface LinuxNetworkResources {
  readonly classID?: number;
  readonly priorities?: readonly InterfacePriority[];
}

export interface InterfacePriority {
  readonly name: string;
  readonly priority: number;
}

/** At least one of them is given. */
export interface LinuxRdma {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}
