import { type Check, matching } from '../validate.js';

/**
 * A sysctl's name in either of sysctl(8)'s forms, `net.ipv4.ip_forward` or `net/ipv4/ip_forward`. It
 * becomes a path below /proc/sys, so no part of it may be empty or lead elsewhere.
 */
export const sysctlName: Check<string> = matching(
  /^(?!.*[./]{2})[A-Za-z0-9_][\w./:@-]*(?<![./])$/,
  'the name of a sysctl',
);

/** The files below /proc/sys that belong to an ipc namespace: ipc_namespaces(7). */
const IPC = new Set([
  'kernel/auto_msgmni',
  'kernel/msg_next_id',
  'kernel/msgmax',
  'kernel/msgmnb',
  'kernel/msgmni',
  'kernel/sem',
  'kernel/sem_next_id',
  'kernel/shm_next_id',
  'kernel/shm_rmid_forced',
  'kernel/shmall',
  'kernel/shmmax',
  'kernel/shmmni',
]);

/** The types of namespaces that have sysctls of their own. */
export type SysctlNamespace = 'network' | 'ipc' | 'uts' | 'user';

/** The namespace that a sysctl belongs to; undefined for one of the whole machine. */
export function sysctlNamespace(name: string): SysctlNamespace | undefined {
  const path = sysctlPath(name);
  if (path.startsWith('net/')) return 'network';
  if (path.startsWith('fs/mqueue/') || IPC.has(path)) return 'ipc';
  if (path === 'kernel/domainname' || path === 'kernel/hostname') return 'uts';
  if (path.startsWith('user/max_')) return 'user';
  return undefined;
}

/**
 * The path of a sysctl below /proc/sys. Whichever of `.` and `/` comes first in the name parts it, and
 * the other one stands for it inside a part: `net.ipv4.conf.eth0/1.forwarding` is about `eth0.1`.
 */
export function sysctlPath(name: string): string {
  if (name.search(/[./]/) === name.indexOf('/')) return name;
  return name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}
