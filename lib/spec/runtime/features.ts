import { annotations, nonEmpty, strings } from '../checks.js';
import { array, boolean, type Check, object, validate } from '../validate.js';

/**
 * What a runtime's `features` prints: what it was built to understand, whatever the kernel can do. An
 * absent field means "unknown".
 *
 * @see runtime-spec, features.md
 */
export interface RuntimeFeatures {
  readonly ociVersionMin: string;
  readonly ociVersionMax: string;
  readonly hooks?: readonly string[];
  /** Those of runtime-spec's table, not those of file systems. */
  readonly mountOptions?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** Names that nobody should copy from an untrusted place; one that ends in `.` is a prefix. */
  readonly potentiallyUnsafeConfigAnnotations?: readonly string[];
  readonly linux?: LinuxFeatures;
}

/** Names are plain strings: another runtime may know more of them than we do. */
export interface LinuxFeatures {
  readonly namespaces?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly cgroup?: CgroupFeatures;
  readonly seccomp?: SeccompFeatures;
  readonly apparmor?: EnabledFeature;
  readonly selinux?: EnabledFeature;
  readonly intelRdt?: IntelRdtFeatures;
  readonly memoryPolicy?: MemoryPolicyFeatures;
  readonly mountExtensions?: MountExtensions;
  readonly netDevices?: EnabledFeature;
}

export interface EnabledFeature {
  readonly enabled?: boolean;
}

export interface CgroupFeatures {
  readonly v1?: boolean;
  readonly v2?: boolean;
  readonly systemd?: boolean;
  readonly systemdUser?: boolean;
  readonly rdma?: boolean;
}

export interface SeccompFeatures {
  readonly enabled?: boolean;
  readonly actions?: readonly string[];
  readonly operators?: readonly string[];
  readonly archs?: readonly string[];
  readonly knownFlags?: readonly string[];
  /** Of the known ones, those that this kernel takes. */
  readonly supportedFlags?: readonly string[];
}

export interface IntelRdtFeatures {
  readonly enabled?: boolean;
  readonly schemata?: boolean;
  readonly monitoring?: boolean;
}

export interface MemoryPolicyFeatures {
  readonly modes?: readonly string[];
  readonly flags?: readonly string[];
}

export interface MountExtensions {
  readonly idmap?: EnabledFeature;
}

const names = array(nonEmpty);
const enabled = object<EnabledFeature>({}, { enabled: boolean });

const linux = object<LinuxFeatures>(
  {},
  {
    namespaces: names,
    capabilities: names,
    cgroup: object<CgroupFeatures>(
      {},
      { v1: boolean, v2: boolean, systemd: boolean, systemdUser: boolean, rdma: boolean },
    ),
    seccomp: object<SeccompFeatures>(
      {},
      {
        enabled: boolean,
        actions: names,
        operators: names,
        archs: names,
        knownFlags: names,
        supportedFlags: names,
      },
    ),
    apparmor: enabled,
    selinux: enabled,
    intelRdt: object<IntelRdtFeatures>({}, { enabled: boolean, schemata: boolean, monitoring: boolean }),
    memoryPolicy: object<MemoryPolicyFeatures>({}, { modes: names, flags: names }),
    mountExtensions: object<MountExtensions>({}, { idmap: enabled }),
    netDevices: enabled,
  },
);

export const checkFeatures: Check<RuntimeFeatures> = object<RuntimeFeatures>(
  { ociVersionMin: nonEmpty, ociVersionMax: nonEmpty },
  { hooks: names, mountOptions: strings, annotations, potentiallyUnsafeConfigAnnotations: strings, linux },
);

/** @throws {@link NsboxError} `ERR_INVALID_CONFIG` */
export function validateFeatures(value: unknown, what = 'features'): RuntimeFeatures {
  return validate(checkFeatures, value, what);
}
