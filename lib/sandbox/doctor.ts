import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { arch, release, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { isatty } from 'node:tty';
import { NsboxError } from '../errors.js';
import { type CgroupParent, Controller } from '../native/contract.js';
import { addon, addonPath } from '../native/load.js';
import { isRootless } from './identity.js';
import { Sandbox } from './sandbox.js';
import { scope } from './scope.js';

/** One thing that a sandbox needs or can use, as this machine and this user have it. */
export interface Check {
  readonly group: 'Machine' | 'Isolation' | 'Limits' | 'Users';
  readonly name: string;
  /** `off`: a sandbox runs without it, and cannot do what it stands for. `info`: nothing is asked for. */
  readonly status: 'ok' | 'missing' | 'off' | 'info';
  readonly detail: string;
  /** How to get it: mostly a command line. */
  readonly remedy?: string;
}

export interface Diagnosis {
  /** Whether a sandbox can run: one was tried. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** Finds out, by trying, what sandboxes of this user can do on this machine. Nothing stays behind. Never throws. */
export async function diagnose(): Promise<Diagnosis> {
  const native = nativeCheck();
  const checks: Check[] = [...machine(), native];
  if (native.status === 'ok') checks.push(...(await isolation()), ...limits());
  checks.push(...users());
  const trial = native.status === 'ok' ? await tryOne() : undefined;
  if (trial) checks.push(trial);
  return { ok: trial?.status === 'ok', checks };
}

function machine(): Check[] {
  const info = (name: string, detail: string): Check => ({ group: 'Machine', name, status: 'info', detail });
  const { uid, username } = userInfo();
  return [
    info('kernel', `Linux ${release()}, ${arch()}`),
    info('node', process.version),
    info(
      'user',
      `${username} (uid ${uid}), ${isRootless() ? 'so in a user namespace' : 'so without a user namespace'}`,
    ),
  ];
}

function nativeCheck(): Check {
  const check = { group: 'Machine', name: 'native part' } as const;
  try {
    addon();
    return { ...check, status: 'ok', detail: addonPath() };
  } catch (error) {
    return { ...check, status: 'missing', ...wrong(error) };
  }
}

function wrong(error: unknown): Pick<Check, 'detail' | 'remedy'> {
  const detail = error instanceof Error ? error.message : String(error);
  const hint = error instanceof NsboxError ? error.hint : undefined;
  return { detail, ...(hint !== undefined && { remedy: hint }) };
}

interface Wanted {
  readonly probe: string;
  readonly name: string;
  readonly good: string;
  readonly remedy: string;
  readonly without?: string;
}

const ISOLATION: readonly Wanted[] = [
  { probe: 'user-namespace', name: 'user namespaces', good: 'this user may make them', remedy: '' },
  {
    probe: 'pid-namespace',
    name: 'pid namespaces',
    good: 'processes of its own',
    remedy: 'use a kernel with CONFIG_PID_NS',
  },
  {
    probe: 'mount-namespace',
    name: 'mount namespaces',
    good: 'mounts of its own',
    remedy: 'run outside of a container, or as root',
  },
  {
    probe: 'network-namespace',
    name: 'network namespaces',
    good: 'a network of its own',
    remedy: 'use a kernel with CONFIG_NET_NS',
  },
  {
    probe: 'proc-mount',
    name: 'own /proc',
    good: 'it can be mounted',
    remedy: 'inside of a container, unmask /proc: docker run --security-opt systempaths=unconfined',
  },
  {
    probe: 'overlay',
    name: 'overlay',
    good: 'copy-on-write roots',
    remedy: 'as root: modprobe overlay (rootless: Linux 5.11)',
  },
  {
    probe: 'seccomp',
    name: 'seccomp',
    good: 'system calls are filtered',
    remedy: 'use a kernel with CONFIG_SECCOMP_FILTER',
  },
  { probe: 'clone3', name: 'clone3', good: 'fast starts', remedy: 'use Linux 5.3 or later' },
  { probe: 'pidfd', name: 'pidfd', good: 'signals cannot go astray', remedy: 'use Linux 5.3 or later' },
  {
    probe: 'openat2',
    name: 'openat2',
    good: 'paths stay beneath the root',
    remedy: 'use Linux 5.6 or later',
  },
  {
    probe: 'new-mount-api',
    name: 'new mount API',
    good: 'mounts by descriptor',
    remedy: 'use Linux 5.12 or later',
    without: 'the old one is used',
  },
];

async function isolation(): Promise<Check[]> {
  const probes = await addon().probe();
  const checks = ISOLATION.map((wanted): Check => {
    const { ok, detail } = probes[wanted.probe] ?? { ok: false, detail: 'not known' };
    const check = { group: 'Isolation', name: wanted.name } as const;
    if (ok) return { ...check, status: 'ok', detail: wanted.good };
    const isOptional = wanted.without !== undefined || (wanted.probe === 'user-namespace' && !isRootless());
    const remedy = wanted.probe === 'user-namespace' ? userNamespaceRemedy() : wanted.remedy;
    const text = [wanted.without, detail].filter(Boolean).join(': ') || 'not there';
    return { ...check, status: isOptional ? 'off' : 'missing', detail: text, remedy };
  });
  return [...checks, sharedMemory(), terminal()];
}

// Three switches may forbid them, each with its own way out.
function userNamespaceRemedy(): string {
  if (readSetting('kernel/unprivileged_userns_clone') === '0')
    return 'as root: sysctl -w kernel.unprivileged_userns_clone=1';
  if (readSetting('user/max_user_namespaces') === '0')
    return 'as root: sysctl -w user.max_user_namespaces=15000';
  if (readSetting('kernel/apparmor_restrict_unprivileged_userns') === '1')
    return 'as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0';
  return 'run outside of a container, or as root; or use a kernel with CONFIG_USER_NS';
}

function readSetting(name: string): string | undefined {
  return readIfThere(`/proc/sys/${name}`)?.trim();
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function sharedMemory(): Check {
  const check = { group: 'Isolation', name: '/dev/shm' } as const;
  if (isWritable('/dev/shm')) return { ...check, status: 'ok', detail: 'snapshots of roots have a place' };
  return {
    ...check,
    status: 'off',
    detail: 'not writable: snapshots may have no place',
    remedy: 'as root: mount -t tmpfs -o mode=1777 tmpfs /dev/shm',
  };
}

function terminal(): Check {
  const check = { group: 'Isolation', name: 'terminal' } as const;
  return isatty(0)
    ? { ...check, status: 'ok', detail: 'stdin is one, so -it works' }
    : { ...check, status: 'info', detail: 'stdin is none here, so -it is refused' };
}

const LIMITS: readonly (readonly [controller: keyof typeof Controller, good: string])[] = [
  ['memory', '--memory, --memory-swap'],
  ['cpu', '--cpus, --cpu-shares'],
  ['cpuset', '--cpuset-cpus'],
  ['pids', '--pids-limit'],
];

function limits(): Check[] {
  const version = cgroupVersion();
  const check: Check = {
    group: 'Limits',
    name: 'cgroups',
    status: version ? 'info' : 'off',
    detail: version ?? 'not mounted',
  };
  try {
    const groups = scope.groups();
    return [check, ...LIMITS.map(([controller, good]) => limit(groups, controller, good))];
  } catch (error) {
    return [{ ...check, status: 'off', ...wrong(error) }];
  }
}

function cgroupVersion(): string | undefined {
  const types = (readIfThere('/proc/self/mountinfo') ?? '')
    .split('\n')
    .map((line) => line.split(' - ')[1]?.split(' ')[0])
    .filter((type) => type === 'cgroup' || type === 'cgroup2');
  const [has1, has2] = [types.includes('cgroup'), types.includes('cgroup2')];
  if (has1) return has2 ? 'hybrid: version 1 with a version 2 tree' : 'version 1';
  return has2 ? 'version 2' : undefined;
}

function limit(groups: CgroupParent, controller: keyof typeof Controller, good: string): Check {
  const check = { group: 'Limits', name: controller } as const;
  if (groups.entries().some(({ controllers }) => (controllers & Controller[controller]) !== 0))
    return { ...check, status: 'ok', detail: good };
  const why = groups.missing().find((one) => one.controller === controller);
  const detail = why === undefined ? 'this kernel has no such controller' : (CAUSES[why.cause] ?? why.text);
  return { ...check, status: 'off', detail, remedy: limitRemedy(controller, why?.cause) };
}

const CAUSES: Readonly<Record<string, string>> = {
  'not-mounted': 'no mounted hierarchy has it',
  'not-writable': 'this user may make no groups',
  'not-delegated': 'it is not passed on to this group',
  'read-only': 'its hierarchy is mounted read-only',
  'has-processes': 'this group has processes of its own',
  'not-visible': 'the hierarchy does not show the group of this process',
};

function limitRemedy(controller: string, cause: string | undefined): string {
  const isUnified = !(readIfThere('/proc/self/mountinfo') ?? '').includes(' - cgroup ');
  if (cause === 'not-mounted' || cause === undefined)
    return isUnified || controller === 'memory'
      ? `boot the kernel with cgroup_enable=${controller}`
      : `as root: mount -t cgroup -o ${controller} cgroup /sys/fs/cgroup/${controller}`;
  if (!isUnified) return 'run as root; or boot with systemd.unified_cgroup_hierarchy=1';
  return isRootless()
    ? 'systemd-run --user --scope -p Delegate=yes nsbox run ...'
    : 'systemd-run --scope -p Delegate=yes nsbox run ...';
}

// Who is not root is one user inside, and has others only from ranges of /etc/subuid.
function users(): Check[] {
  if (!isRootless())
    return [{ group: 'Users', name: 'other users', status: 'ok', detail: 'root may be any user inside' }];
  const { username } = userInfo();
  const ranges = `as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`;
  return [
    helper('newuidmap'),
    helper('newgidmap'),
    range('/etc/subuid', ranges),
    range('/etc/subgid', ranges),
  ];
}

function helper(program: string): Check {
  const check = { group: 'Users', name: program } as const;
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(existsSync);
  if (path === undefined)
    return {
      ...check,
      status: 'off',
      detail: 'not there: --user works for root alone',
      remedy: 'as root: apt-get install uidmap',
    };
  return { ...check, status: 'ok', detail: path };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function range(file: string, remedy: string): Check {
  const check = { group: 'Users', name: file } as const;
  const { username, uid } = userInfo();
  for (const line of (readIfThere(file) ?? '').split('\n')) {
    const [owner, first, count] = line.split(':');
    if (owner === username || owner === String(uid))
      return { ...check, status: 'ok', detail: `${count} ids from ${first}` };
  }
  return { ...check, status: 'off', detail: `no range for ${username}`, remedy };
}

async function tryOne(): Promise<Check> {
  const check = { group: 'Machine', name: 'a sandbox' } as const;
  try {
    const { durationMs } = await Sandbox.run(['true'], { workspace: false });
    return { ...check, status: 'ok', detail: `ran in ${durationMs.toFixed(1)} ms` };
  } catch (error) {
    // A machine without `true` is one on which the sandbox has come far enough to look for it.
    if (error instanceof NsboxError && error.code === 'ERR_PROGRAM_NOT_FOUND')
      return { ...check, status: 'ok', detail: 'starts' };
    return { ...check, status: 'missing', ...wrong(error) };
  }
}
