import type { RuntimeConfig } from '../../../lib/spec/runtime/config.js';
import { isRoot } from '../../support/mode.js';

type Mutable<T> = T extends (...args: never) => unknown
  ? T
  : T extends readonly (infer U)[]
    ? Mutable<U>[]
    : T extends object
      ? { -readonly [K in keyof T]: Mutable<T[K]> }
      : T;

type Whole = Required<Mutable<RuntimeConfig>>;

/** A config.json that a test may change at will. */
export type Config = Mutable<Omit<RuntimeConfig, 'process' | 'linux' | 'mounts'>> & {
  process: Whole['process'];
  mounts: Whole['mounts'];
  linux: Whole['linux'] & { namespaces: NonNullable<Whole['linux']['namespaces']> };
};

export type Patch = (config: Config) => void;

/** What `runc spec` writes (as an ordinary user: `runc spec --rootless`), but for the terminal and the read-only root. */
export function baseConfig(): Config {
  const config = rootConfig();
  if (!isRoot) makeRootless(config);
  return config;
}

function rootConfig(): Config {
  const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'] as const;
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: {
        bounding: [...capabilities],
        effective: [...capabilities],
        permitted: [...capabilities],
      },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs' },
    hostname: 'inside',
    mounts: defaultMounts(),
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: [{ type: 'pid' }, { type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/sys/firmware',
        '/proc/scsi',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

function defaultMounts(): Config['mounts'] {
  const plain = ['nosuid', 'noexec', 'nodev'];
  return [
    { destination: '/proc', type: 'proc', source: 'proc' },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: [...plain, 'mode=1777', 'size=65536k'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: [...plain] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...plain, 'ro'] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [...plain, 'relatime', 'ro'],
    },
  ];
}

/** An ordinary user has one id, no network of its own to see in /sys, and perhaps no cgroups. */
function makeRootless(config: Config): void {
  const { linux } = config;
  linux.namespaces = linux.namespaces.filter(({ type }) => type !== 'network');
  linux.namespaces.push({ type: 'user' });
  linux.uidMappings = [{ containerID: 0, hostID: process.getuid?.() ?? 0, size: 1 }];
  linux.gidMappings = [{ containerID: 0, hostID: process.getgid?.() ?? 0, size: 1 }];
  delete linux.resources;
  config.mounts = config.mounts.filter(({ type }) => type !== 'cgroup');
  for (const mount of config.mounts) {
    if (mount.options) mount.options = mount.options.filter((option) => option !== 'gid=5');
    if (mount.destination !== '/sys') continue;
    mount.type = 'none';
    mount.source = '/sys';
    mount.options = ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'];
  }
}
