import { nonEmpty, strings } from './checks.js';
import { type IdMapping, idMappings } from './id-mapping.js';
import { type Check, object, text } from './validate.js';

/**
 * One mount as `config.json` lists it. Snapshotters and volumes make these, the runtime mounts them
 * in their order.
 *
 * @see runtime-spec, config.md, "Mounts"
 */
export interface Mount {
  /** Where in the container. Absolute; a validated value always is. */
  readonly destination: string;
  /** File system type; a placeholder such as `bind` or `none` when `options` hold `bind` or `rbind`. */
  readonly type?: string;
  /** Device, directory or file. A relative path of a bind mount is relative to the bundle. */
  readonly source?: string;
  /** Options in fstab's manner; see `mount-options.ts`. What is not in that table goes to the file system. */
  readonly options?: readonly string[];
  /** Makes this an idmapped mount. Comes together with `gidMappings`. */
  readonly uidMappings?: readonly IdMapping[];
  /** Makes this an idmapped mount. Comes together with `uidMappings`. */
  readonly gidMappings?: readonly IdMapping[];
}

/** How mounts made on one side of a bind mount show on the other: mount_namespaces(7). */
export type Propagation =
  | 'private'
  | 'rprivate'
  | 'shared'
  | 'rshared'
  | 'slave'
  | 'rslave'
  | 'unbindable'
  | 'runbindable';

/** What every mount a user asks for has. */
interface MountRequestBase {
  /** Absolute path in the container. */
  readonly target: string;
  /** Refuse writes through this mount. Default: writable. */
  readonly readOnly?: boolean;
}

/** A file or directory of the host. */
export interface BindMountRequest extends MountRequestBase {
  readonly type: 'bind';
  /** Path on the host: absolute, or `.`- or `~`-relative as the user wrote it. */
  readonly source: string;
  /** Default: `rprivate`. */
  readonly propagation?: Propagation;
  /**
   * What happens to mounts below `source`: `enabled` brings them along, read-only too where the kernel
   * can; `disabled` leaves them out; `writable` brings them along as they are; `readonly` fails where
   * they cannot be made read-only. Default: `enabled`.
   */
  readonly recursive?: 'enabled' | 'disabled' | 'writable' | 'readonly';
  /** Make a missing `source` as a directory, as `docker -v` does. Default: a missing one is an error. */
  readonly createSource?: boolean;
  /** Relabel for SELinux: `shared` (`z`) among containers, or `private` (`Z`) to this one. */
  readonly relabel?: 'shared' | 'private';
}

/** A volume, named or anonymous. */
export interface VolumeMountRequest extends MountRequestBase {
  readonly type: 'volume';
  /** The volume's name; an anonymous volume has none. */
  readonly source?: string;
  /** Do not fill an empty volume with what the image has at `target`. */
  readonly noCopy?: boolean;
  /** A path inside the volume to mount in place of its root. */
  readonly subpath?: string;
  readonly driver?: string;
  readonly driverOptions?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly relabel?: 'shared' | 'private';
}

/** A file system in memory, gone with the container. */
export interface TmpfsMountRequest extends MountRequestBase {
  readonly type: 'tmpfs';
  /** Limit in bytes. Default: the kernel's, half of the memory. */
  readonly size?: number;
  /** Permission bits of its root. Default: 0o1777. */
  readonly mode?: number;
  /** Further mount options, such as `noexec`. */
  readonly options?: readonly string[];
}

/** Files of an image, read-only. */
export interface ImageMountRequest extends MountRequestBase {
  readonly type: 'image';
  /** Reference of the image. */
  readonly source: string;
  readonly subpath?: string;
}

/** A mount as a user asks for it; the engine turns it into a {@link Mount}. */
export type MountRequest = BindMountRequest | VolumeMountRequest | TmpfsMountRequest | ImageMountRequest;

// A relative destination is deprecated but allowed, and counts from the root.
const destination: Check<string> = (value, at) => {
  const path = nonEmpty(value, at);
  return path === undefined || path.startsWith('/') ? path : `/${path}`;
};

export const checkMount: Check<Mount> = object<Mount>(
  { destination },
  { type: text, source: text, options: strings, uidMappings: idMappings, gidMappings: idMappings },
);
