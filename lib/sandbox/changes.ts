import { isAbsolute, posix } from 'node:path';
import type { NativeChange } from '../native/contract.js';
import { fromNative } from '../native/errors.js';
import { addon } from '../native/load.js';
import type { Box, BoxFiles } from '../runtime/box.js';
import type { SnapshotLayer } from '../runtime/plan.js';
import type { RuntimeConfig } from '../spec/runtime/config.js';
import { isWithin } from './host.js';
import { invalid } from './options.js';

/** One thing that a sandbox did to the files it was shown. */
export interface Change {
  readonly kind: 'added' | 'modified' | 'deleted';
  /** Absolute, in the sandbox. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  /** Bytes of a file; 0 for what is gone or no file. */
  readonly size: number;
  /** Type and permission bits, as in stat(2); 0 for what is gone. */
  readonly mode: number;
}

export interface ChangeSelection {
  /** Paths in the sandbox; each stands for all that is below it. */
  readonly paths: readonly string[];
}

/** Reads and applies what the overlays of one container have gathered. */
export class Changes {
  readonly #container: Box;
  readonly #config: RuntimeConfig;
  readonly #layers: readonly SnapshotLayer[];
  readonly #isImage: boolean;

  constructor(
    container: Box,
    config: RuntimeConfig,
    layers: readonly SnapshotLayer[],
    root: { readonly isImage: boolean },
  ) {
    this.#container = container;
    this.#config = config;
    this.#layers = layers;
    this.#isImage = root.isImage;
  }

  async *list(): AsyncGenerator<Change> {
    const lists = await this.#container.withFiles(async (files) => {
      const overlays = shownOverlays(files);
      return await Promise.all(
        overlays.map(async (one) => ({ target: one.target, changes: await this.#read(one) })),
      );
    });
    const mountPoints = (this.#config.mounts ?? []).map(({ destination }) => posix.normalize(destination));
    for (const { target, changes } of lists)
      yield* withoutMountPoints(
        changes.map((change) => toChange(target, change)),
        mountPoints,
      );
  }

  async #read({ target, upper }: BoxFiles['overlays'][number]): Promise<readonly NativeChange[]> {
    const lowers = this.#lowersOf(target).map((path) => addon().openDirectory(path));
    try {
      return await addon().listChanges(upper, lowers);
    } catch (error) {
      throw fromNative(error, `changes in ${target}`);
    } finally {
      for (const fd of lowers) addon().closeFd(fd);
    }
  }

  /** The directories of this machine that an overlay shows, topmost first. */
  #lowersOf(target: string): string[] {
    const frozen = this.#layers.find((layer) => layer.target === target)?.lowers ?? [];
    return [...frozen, this.#sourceOf(target)];
  }

  #sourceOf(target: string): string {
    const mount = this.#config.mounts?.find(
      ({ type, destination }) => type === 'overlay' && destination === target,
    );
    if (mount?.source !== undefined) return mount.source;
    return posix.join(this.#config.root.path, target);
  }

  async apply({ paths }: ChangeSelection): Promise<number> {
    for (const path of paths)
      if (typeof path !== 'string' || !isAbsolute(path))
        throw invalid(`apply: expected absolute paths, got ${JSON.stringify(path)}`);
    // Below it lie layers that other sandboxes stand on, too.
    if (this.#isImage)
      throw invalid(
        'apply: an image never changes, so there is nothing to apply changes to',
        'mount a directory of this machine and write to it, or read the files with fs',
      );
    return await this.#container.withFiles(async (files) => {
      const overlays = shownOverlays(files);
      const wanted = paths.map((path) => ({
        path: posix.normalize(path).replace(/(.)\/$/, '$1'),
        found: false,
      }));
      const mountPoints = [...overlays.map(({ target }) => target), ...this.#otherMounts()];
      let count = 0;
      for (const { target, upper } of overlays) {
        const relative: string[] = [];
        for (const one of wanted) {
          const inside = belowTarget(one.path, target, mountPoints);
          if (inside === undefined) continue;
          one.found = true;
          relative.push(inside);
        }
        if (relative.length > 0) count += await this.#applyTo(target, upper, relative);
      }
      const missed = wanted.find(({ found }) => !found);
      if (missed)
        throw invalid(
          `apply: ${missed.path} is not copy-on-write in this sandbox`,
          'changes() lists what can be applied',
        );
      return count;
    });
  }

  #otherMounts(): string[] {
    const mounts = this.#config.mounts ?? [];
    return mounts.filter(({ type }) => type !== 'overlay').map(({ destination }) => destination);
  }

  async #applyTo(target: string, upper: number, paths: readonly string[]): Promise<number> {
    try {
      return await addon().applyChanges(upper, this.#sourceOf(target), paths);
    } catch (error) {
      throw fromNative(error, `apply changes to ${this.#sourceOf(target)}`);
    }
  }
}

// Two overlays on one place: the later one hides the earlier.
function shownOverlays({ overlays }: BoxFiles): BoxFiles['overlays'] {
  return overlays.filter(({ target }, i) => !overlays.slice(i + 1).some((later) => later.target === target));
}

/** What of `path` the overlay at `target` holds: the path relative to it, '' for all of it. */
function belowTarget(path: string, target: string, mountPoints: readonly string[]): string | undefined {
  if (isWithin(target, path)) return '';
  if (!isWithin(path, target)) return undefined;
  // Something nearer holds it, or hides it: another overlay, a tmpfs, a bind mount.
  const nearer = mountPoints.some((one) => one.length > target.length && isWithin(path, one));
  return nearer ? undefined : path.slice(target === '/' ? 1 : target.length + 1);
}

const S_IFMT = 0o170000;
const TYPES: Readonly<Record<number, Change['type']>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
};

function toChange(target: string, { kind, path, mode, size }: NativeChange): Change {
  const type = kind === 'deleted' ? 'other' : (TYPES[mode & S_IFMT] ?? 'other');
  return { kind, path: posix.join(target, path), type, size: type === 'file' ? size : 0, mode };
}

// What was made to mount on, and the way to it, is no doing of the sandbox's; unless something of its own lies there too.
// Every directory comes before what is in it.
function withoutMountPoints(changes: readonly Change[], mountPoints: readonly string[]): Change[] {
  const kept: Change[] = [];
  for (const change of changes.toReversed()) {
    const isOnTheWay = change.kind === 'added' && mountPoints.some((point) => isWithin(point, change.path));
    const last = kept.at(-1);
    if (!isOnTheWay || (last && isWithin(last.path, change.path))) kept.push(change);
  }
  return kept.reverse();
}
