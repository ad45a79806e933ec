import type { Propagation } from './mount.js';

/** A property of a mount that an option turns on or off; the names are those of mount(2)'s flags. */
export type MountFlag =
  | 'rdonly'
  | 'nosuid'
  | 'nodev'
  | 'noexec'
  | 'nosymfollow'
  | 'noatime'
  | 'relatime'
  | 'strictatime'
  | 'nodiratime'
  | 'synchronous'
  | 'dirsync'
  | 'mandlock'
  | 'silent'
  | 'iversion'
  | 'lazytime';

/** What an option of runtime-spec's table means. */
export type MountOptionMeaning =
  | { readonly kind: 'flag'; readonly flag: MountFlag; readonly value: boolean }
  /** The same for all mounts below too: mount_setattr(2) with `AT_RECURSIVE`. */
  | { readonly kind: 'recursiveFlag'; readonly flag: MountFlag; readonly value: boolean }
  | { readonly kind: 'bind'; readonly recursive: boolean }
  | { readonly kind: 'propagation'; readonly propagation: Propagation }
  | { readonly kind: 'idmap'; readonly recursive: boolean }
  | { readonly kind: 'remount' }
  /** Fill a new tmpfs with what its place in the root had. */
  | { readonly kind: 'tmpcopyup' }
  | { readonly kind: 'nothing' };

const on = (flag: MountFlag) => ({ kind: 'flag', flag, value: true }) as const;
const off = (flag: MountFlag) => ({ kind: 'flag', flag, value: false }) as const;
const recursivelyOn = (flag: MountFlag) => ({ kind: 'recursiveFlag', flag, value: true }) as const;
const recursivelyOff = (flag: MountFlag) => ({ kind: 'recursiveFlag', flag, value: false }) as const;
const propagates = (propagation: Propagation) => ({ kind: 'propagation', propagation }) as const;

/**
 * Every option that runtimes have to understand themselves; all others go to the file system.
 *
 * @see runtime-spec, config.md, "Linux mount options"
 */
export const MOUNT_OPTIONS: ReadonlyMap<string, MountOptionMeaning> = new Map<string, MountOptionMeaning>([
  ['async', off('synchronous')],
  ['atime', off('noatime')],
  ['bind', { kind: 'bind', recursive: false }],
  ['defaults', { kind: 'nothing' }],
  ['dev', off('nodev')],
  ['diratime', off('nodiratime')],
  ['dirsync', on('dirsync')],
  ['exec', off('noexec')],
  ['idmap', { kind: 'idmap', recursive: false }],
  ['iversion', on('iversion')],
  ['lazytime', on('lazytime')],
  ['loud', off('silent')],
  ['mand', on('mandlock')],
  ['noatime', on('noatime')],
  ['nodev', on('nodev')],
  ['nodiratime', on('nodiratime')],
  ['noexec', on('noexec')],
  ['noiversion', off('iversion')],
  ['nolazytime', off('lazytime')],
  ['nomand', off('mandlock')],
  ['norelatime', off('relatime')],
  ['nostrictatime', off('strictatime')],
  ['nosuid', on('nosuid')],
  ['nosymfollow', on('nosymfollow')],
  ['private', propagates('private')],
  ['ratime', recursivelyOff('noatime')],
  ['rbind', { kind: 'bind', recursive: true }],
  ['rdev', recursivelyOff('nodev')],
  ['rdiratime', recursivelyOff('nodiratime')],
  ['relatime', on('relatime')],
  ['remount', { kind: 'remount' }],
  ['rexec', recursivelyOff('noexec')],
  ['ridmap', { kind: 'idmap', recursive: true }],
  ['rnoatime', recursivelyOn('noatime')],
  ['rnodev', recursivelyOn('nodev')],
  ['rnodiratime', recursivelyOn('nodiratime')],
  ['rnoexec', recursivelyOn('noexec')],
  ['rnorelatime', recursivelyOff('relatime')],
  ['rnostrictatime', recursivelyOff('strictatime')],
  ['rnosuid', recursivelyOn('nosuid')],
  ['rnosymfollow', recursivelyOn('nosymfollow')],
  ['ro', on('rdonly')],
  ['rprivate', propagates('rprivate')],
  ['rrelatime', recursivelyOn('relatime')],
  ['rro', recursivelyOn('rdonly')],
  ['rrw', recursivelyOff('rdonly')],
  ['rshared', propagates('rshared')],
  ['rslave', propagates('rslave')],
  ['rstrictatime', recursivelyOn('strictatime')],
  ['rsuid', recursivelyOff('nosuid')],
  ['rsymfollow', recursivelyOff('nosymfollow')],
  ['runbindable', propagates('runbindable')],
  ['rw', off('rdonly')],
  ['shared', propagates('shared')],
  ['silent', on('silent')],
  ['slave', propagates('slave')],
  ['strictatime', on('strictatime')],
  ['suid', off('nosuid')],
  ['symfollow', off('nosymfollow')],
  ['sync', on('synchronous')],
  ['tmpcopyup', { kind: 'tmpcopyup' }],
  ['unbindable', propagates('unbindable')],
]);

/** What a list of options comes to; a later option overrules an earlier one. */
export interface MountOptions {
  readonly bind?: 'bind' | 'rbind';
  readonly flags: ReadonlyMap<MountFlag, boolean>;
  readonly recursiveFlags: ReadonlyMap<MountFlag, boolean>;
  readonly propagation?: Propagation;
  readonly idmap?: 'idmap' | 'ridmap';
  readonly remount: boolean;
  readonly tmpcopyup: boolean;
  /** For the file system, in their order. */
  readonly data: readonly string[];
}

/** Reads the options of a mount. */
export function parseMountOptions(options: readonly string[]): MountOptions {
  const flags = new Map<MountFlag, boolean>();
  const recursiveFlags = new Map<MountFlag, boolean>();
  const data: string[] = [];
  let whole: Omit<MountOptions, 'flags' | 'recursiveFlags' | 'data'> = { remount: false, tmpcopyup: false };
  for (const option of options) {
    const meaning = MOUNT_OPTIONS.get(option);
    if (meaning === undefined) data.push(option);
    else if (meaning.kind === 'flag') flags.set(meaning.flag, meaning.value);
    else if (meaning.kind === 'recursiveFlag') recursiveFlags.set(meaning.flag, meaning.value);
    else whole = { ...whole, ...effect(meaning) };
  }
  return { ...whole, flags, recursiveFlags, data };
}

type WholeMeaning = Exclude<MountOptionMeaning, { readonly kind: 'flag' | 'recursiveFlag' }>;

function effect(meaning: WholeMeaning): Partial<MountOptions> {
  switch (meaning.kind) {
    case 'bind':
      return { bind: meaning.recursive ? 'rbind' : 'bind' };
    case 'propagation':
      return { propagation: meaning.propagation };
    case 'idmap':
      return { idmap: meaning.recursive ? 'ridmap' : 'idmap' };
    case 'remount':
      return { remount: true };
    case 'tmpcopyup':
      return { tmpcopyup: true };
    case 'nothing':
      return {};
    default:
      return meaning satisfies never;
  }
}
