import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { Mount } from '../spec/mount.js';

// The host's own files as a sandbox's root: what is hidden of them, and what stays to be seen.

/** Directories that a sandbox sees empty: homes, and where programs of the host keep sockets and temporary files. */
export function hiddenMounts(): Mount[] {
  const hidden = [
    ...places('/tmp', '1777'),
    ...places('/run', '755'),
    ...places('/var/tmp', '1777'),
    ...places('/home', '755'),
    ...places('/root', '700'),
  ];
  for (const home of places(homedir(), '700'))
    if (
      home.destination !== '/' &&
      !hidden.some(({ destination }) => isWithin(home.destination, destination))
    )
      hidden.push(home);
  return hidden;
}

// A directory where it really is; none where there is nothing.
function places(path: string, mode: string): Mount[] {
  const real = realPath(path);
  return real === undefined ? [] : [tmpfs(real, mode)];
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function tmpfs(destination: string, mode: string): Mount {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', `mode=${mode}`] };
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/**
 * The directory that stays visible, if it may: a home directory itself, or one that holds homes, stays hidden, so that a
 * sandbox started there does not show what it is there to hide.
 */
export function visibleWorkspace(folder: string): string | undefined {
  const path = realPath(folder);
  if (path === undefined) return undefined;
  const hidden = ['/root', '/home', homedir(), '/tmp', '/run', '/var/tmp'].flatMap((one) => [
    one,
    realPath(one) ?? one,
  ]);
  if (hidden.some((one) => isWithin(one, path))) return undefined;
  // Somebody's home, whoever asks.
  if (dirname(path) === (realPath('/home') ?? '/home')) return undefined;
  if (['/proc', '/sys', '/dev'].some((pseudo) => isWithin(path, pseudo))) return undefined;
  return path;
}

/** Copy-on-write, like the root: its writes stay in the sandbox. */
export function workspaceMount(path: string): Mount {
  return overlayMount(path);
}

function overlayMount(path: string): Mount {
  return { destination: path, type: 'overlay', source: path, options: ['nosuid', 'nodev', 'nsbox.scratch'] };
}

// An overlay of "/" shows the root's file system alone; others that belong to the machine want one each. Network and
// FUSE file systems stay out: they can hang, and what they hold is rarely the machine's own.
const REAL_FILESYSTEMS: ReadonlySet<string> = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'f2fs',
  'zfs',
  'erofs',
  'squashfs',
]);

/** An overlay for each further file system of the machine's that is not hidden. */
export function submountOverlays(hidden: readonly Mount[]): Mount[] {
  const covered = ['/proc', '/sys', '/dev', ...hidden.map(({ destination }) => destination)];
  const found = new Set<string>();
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const mount = parseMountinfoLine(line);
    if (!mount || mount.path === '/' || !REAL_FILESYSTEMS.has(mount.type)) continue;
    if (covered.some((folder) => isWithin(mount.path, folder)) || !isDirectory(mount.path)) continue;
    found.add(mount.path);
  }
  // One below another comes after it.
  return [...found].sort((a, b) => a.length - b.length).map(overlayMount);
}

// proc_pid_mountinfo(5): id parent device root mount-point options … - type source super-options
function parseMountinfoLine(line: string): { readonly path: string; readonly type: string } | undefined {
  const [before, after] = line.split(' - ');
  const path = before?.split(' ')[4];
  const type = after?.split(' ')[0];
  if (path === undefined || type === undefined) return undefined;
  return {
    path: path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    type,
  };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Node itself, where it is installed in a home directory: read-only. */
export function nodeMounts(hidden: readonly Mount[]): Mount[] {
  const installation = dirname(dirname(process.execPath));
  const isHidden = hidden.some(({ destination }) => isWithin(installation, destination));
  if (!isHidden || hidden.some(({ destination }) => destination === installation)) return [];
  return [
    {
      destination: installation,
      type: 'bind',
      source: installation,
      options: ['rbind', 'rro', 'nosuid', 'nodev'],
    },
  ];
}

/** The folder of Node's own program, to be found after the usual ones. */
export function nodePath(): string {
  return dirname(process.execPath);
}

/** With the host's network come its names: where resolv.conf leads to a hidden file, that file. */
export function resolverMounts(hidden: readonly Mount[]): Mount[] {
  const mounts: Mount[] = [];
  for (const file of ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf']) {
    if (!existsSync(file)) continue;
    const real = realpathSync(file);
    if (!hidden.some(({ destination }) => isWithin(real, destination))) continue;
    mounts.push({
      destination: real,
      type: 'bind',
      source: real,
      options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
    });
  }
  return mounts;
}
