import type { Mount } from '../spec/mount.js';
import type {
  IdMapping,
  LinuxNamespace,
  LinuxResources,
  ProcessConfig,
  RuntimeConfig,
} from '../spec/runtime/config.js';
import type { Capability } from '../spec/runtime/linux-names.js';

/** What a container is like, in the terms that its configuration is generated from. */
export interface ContainerShape {
  readonly rootPath: string;
  readonly readOnly: boolean;
  readonly hostname: string;
  readonly network: 'none' | 'host';
  /** Beside the usual ones, in this order. */
  readonly mounts: readonly Mount[];
  readonly process: ProcessConfig;
  readonly resources: LinuxResources | undefined;
  readonly userMappings: readonly IdMapping[];
  readonly groupMappings: readonly IdMapping[];
  readonly maskedPaths: readonly string[];
}

/** The configuration of a container as Docker would make it, closed by default. */
export function generateConfig(shape: ContainerShape): RuntimeConfig {
  const rootless = shape.userMappings.length > 0;
  return {
    ociVersion: '1.3.0',
    root: { path: shape.rootPath, readonly: shape.readOnly },
    process: shape.process,
    hostname: shape.hostname,
    mounts: [...usualMounts(rootless, shape.network), ...shape.mounts],
    linux: {
      namespaces: namespaces(rootless, shape.network),
      ...(rootless && { uidMappings: shape.userMappings, gidMappings: shape.groupMappings }),
      ...(shape.resources && { resources: shape.resources }),
      maskedPaths: shape.maskedPaths,
      readonlyPaths: shape.maskedPaths.length > 0 ? READONLY_PATHS : [],
    },
  };
}

export function generateProcess(process: {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: readonly Capability[];
  readonly noNewPrivileges: boolean;
  readonly apparmor: string | undefined;
}): ProcessConfig {
  const { args, env, cwd, capabilities, noNewPrivileges, apparmor } = process;
  return {
    args,
    env,
    cwd,
    user: { uid: 0, gid: 0 },
    // Inheritable stays empty: it would come back through file capabilities (CVE-2022-24769 and its like).
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    noNewPrivileges,
    ...(apparmor !== undefined && { apparmorProfile: apparmor }),
  };
}

function namespaces(rootless: boolean, network: 'none' | 'host'): LinuxNamespace[] {
  return [
    { type: 'pid' },
    { type: 'mount' },
    { type: 'ipc' },
    { type: 'uts' },
    { type: 'cgroup' },
    ...(network === 'none' ? [{ type: 'network' } as const] : []),
    ...(rootless ? [{ type: 'user' } as const] : []),
  ];
}

function usualMounts(rootless: boolean, network: 'none' | 'host'): Mount[] {
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    sysMount(rootless, network),
    // Its nodes are all there when the sandbox starts; read-only, no other can be made that works.
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['ro', 'nosuid', 'noexec', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      // Group 5 (tty) has no place in the id map of one id.
      options: [
        'nosuid',
        'noexec',
        'newinstance',
        'ptmxmode=0666',
        'mode=0620',
        ...(rootless ? [] : ['gid=5']),
      ],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  ];
}

// sysfs belongs to a network namespace: an ordinary user may mount only that of its own.
function sysMount(rootless: boolean, network: 'none' | 'host'): Mount {
  if (rootless && network === 'host')
    return {
      destination: '/sys',
      type: 'none',
      source: '/sys',
      options: ['rbind', 'rro', 'nosuid', 'noexec', 'nodev'],
    };
  return {
    destination: '/sys',
    type: 'sysfs',
    source: 'sysfs',
    options: ['nosuid', 'noexec', 'nodev', 'ro'],
  };
}

/** Docker's: what in /proc and /sys tells of the host or reaches it. */
export const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

const READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];
