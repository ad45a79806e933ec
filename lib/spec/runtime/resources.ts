import { cpuList, int64, nonEmpty, uint16, uint32, uint64 } from '../checks.js';
import {
  array,
  boolean,
  type Check,
  integer,
  matching,
  object,
  oneOf,
  record,
  refine,
  text,
  validate,
} from '../validate.js';

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
  /** Most processes and threads; -1 means no limit, 0 none beside those that the runtime puts there. */
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

// Engines that came before optional fields write -1 for "all".
const ruleNumber = integer(-1, 0xffff_ffff);

const deviceRule = object<DeviceRule>(
  { allow: boolean },
  {
    type: oneOf(['a', 'b', 'c']),
    major: ruleNumber,
    minor: ruleNumber,
    access: matching(/^(?!.*(.).*\1)[rwm]{0,3}$/, 'letters of rwm, each once'),
  },
);

const limit = integer(-1, 2 ** 63);

const memory = refine(
  object<LinuxMemory>(
    {},
    {
      limit,
      reservation: limit,
      swap: limit,
      kernel: limit,
      kernelTCP: limit,
      swappiness: integer(0, 100),
      disableOOMKiller: boolean,
      useHierarchy: boolean,
      checkBeforeUpdate: boolean,
    },
  ),
  ({ limit: memoryLimit = 0, swap = 0 }, at) => {
    if (swap > 0 && swap < memoryLimit)
      at.report('counts memory too, so it cannot be below the memory limit', 'swap');
  },
);

const cpu = refine(
  object<LinuxCpu>(
    {},
    {
      shares: uint64,
      quota: limit,
      burst: uint64,
      period: uint64,
      realtimeRuntime: int64,
      realtimePeriod: uint64,
      cpus: cpuList,
      mems: cpuList,
      idle: integer(0, 1),
    },
  ),
  ({ quota = 0, burst = 0 }, at) => {
    if (quota > 0 && burst > quota) at.report('cannot be above the quota', 'burst');
  },
);

const device = { major: integer(0, 0xfff), minor: integer(0, 0xf_ffff) };

const weightDevice = refine(
  object<WeightDevice>(device, { weight: uint16, leafWeight: uint16 }),
  (entry, at) => {
    if (entry.weight === undefined && entry.leafWeight === undefined)
      at.report('expected a weight or a leafWeight, got neither');
  },
);

const throttleDevices = array(object<ThrottleDevice>({ ...device, rate: uint64 }, {}));

const blockIO = object<LinuxBlockIO>(
  {},
  {
    weight: uint16,
    leafWeight: uint16,
    weightDevice: array(weightDevice),
    throttleReadBpsDevice: throttleDevices,
    throttleWriteBpsDevice: throttleDevices,
    throttleReadIOPSDevice: throttleDevices,
    throttleWriteIOPSDevice: throttleDevices,
  },
);

const hugepageLimit = object<HugepageLimit>(
  { pageSize: matching(/^[1-9][0-9]*[KMG]B$/, 'a size such as 2MB'), limit: uint64 },
  {},
);

const rdma = refine(object<LinuxRdma>({}, { hcaHandles: uint32, hcaObjects: uint32 }), (entry, at) => {
  if (entry.hcaHandles === undefined && entry.hcaObjects === undefined)
    at.report('expected hcaHandles or hcaObjects, got neither');
});

// It becomes a file name in the container's cgroup.
const cgroupFile = matching(/^[A-Za-z0-9_][\w.-]*$/, 'the name of a cgroup file, such as memory.high');

/** Checks limits, of `config.json` or of update. */
export const checkResources: Check<LinuxResources> = object<LinuxResources>(
  {},
  {
    devices: array(deviceRule),
    memory,
    cpu,
    pids: object<LinuxPids>({ limit }, {}),
    blockIO,
    hugepageLimits: array(hugepageLimit),
    network: object<LinuxNetworkResources>(
      {},
      {
        classID: uint32,
        priorities: array(object<InterfacePriority>({ name: nonEmpty, priority: uint32 }, {})),
      },
    ),
    rdma: record(rdma, nonEmpty),
    unified: record(text, cgroupFile),
  },
);

/**
 * Checks the limits of an update.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function validateResources(value: unknown, what = 'resources'): LinuxResources {
  return validate(checkResources, value, what);
}
