import { readFileSync, readlinkSync } from 'node:fs';

/**
 * A process, told apart from later ones of the same number: lock files, leases and half-written blobs are named after
 * theirs, so that others can tell what was left behind.
 */
export interface Owner {
  readonly pid: number;
  /** In clock ticks since the machine's start: proc_pid_stat(5), field 22. */
  readonly start: string;
  /** Of the machine's start; an owner from before it is gone. */
  readonly boot: string;
  /** The pid namespace's inode: a pid means nothing in another. */
  readonly space: string;
}

const FORM = /^(\d{1,10})-(\d{1,20})-([0-9a-f]{8})-(\d{1,20})(?:-|$)/;

/** A name that no other owner nor a second call has, which {@link ownerOf} can read. */
export function ownName(): string {
  const { pid, start, boot, space } = self();
  return `${pid}-${start}-${boot}-${space}-${randomHex()}`;
}

// Two of one process must differ, and nobody is to be kept from guessing. The module for better ones takes its time to load.
function randomHex(): string {
  return Math.floor(Math.random() * 2 ** 48).toString(16);
}

/** Reads what {@link ownName} made. */
export function ownerOf(name: string): Owner | undefined {
  const [, pid, start, boot, space] = FORM.exec(name) ?? [];
  if (pid === undefined || start === undefined || boot === undefined || space === undefined) return undefined;
  return { pid: Number(pid), start, boot, space };
}

/** Whether the process still runs. Where that cannot be known, it does: what is its is left alone. */
export function isAlive(owner: Owner): boolean {
  const here = self();
  if (owner.boot !== here.boot) return false;
  if (owner.space !== here.space) return true;
  if (!hasProcess(owner.pid)) return false;
  const now = statOf(owner.pid);
  // Another user's may be hidden: proc(5), hidepid.
  return now === undefined || (now.start === owner.start && !now.isZombie);
}

let known: Owner | undefined;

function self(): Owner {
  known ??= {
    pid: process.pid,
    start: statOf(process.pid)?.start ?? '0',
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8),
    space: /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0',
  };
  return known;
}

function hasProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function statOf(pid: number): { readonly start: string; readonly isZombie: boolean } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the name in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { start: fields[19] ?? '0', isZombie: fields[0] === 'Z' || fields[0] === 'X' };
  } catch {
    return undefined;
  }
}
