import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { addon } from '../native/load.js';
import { ioError, isErrno, namesIn, replaceFile } from '../util/files.js';
import { withLock } from '../util/lock.js';
import { isAlive, ownerOf, ownName } from '../util/owner.js';
import { type Held, readLeases, takeLease } from './leases.js';
import { FOLDERS, fileName } from './place.js';
import { type RootRecord, readRecord, recordText } from './records.js';
import type { Pruned, Root } from './snapshotter.js';

const ENDING = '.json';
const ASIDE = '.gone';

/**
 * The files of a snapshotter: unpacked layers, records of the roots that stand on them, and leases of who uses them.
 *
 * Who finds a root takes its lease first and looks for its record afterwards; who removes one takes the record away first
 * and looks at the leases afterwards. So one of the two always sees the other, and finding needs no lock.
 */
export class SnapshotStore {
  constructor(readonly path: string) {}

  find(name: string): Root | undefined {
    const file = this.#recordPath(fileName(name));
    // A lease cannot be written where there is no store, and nobody needs one.
    if (!existsSync(file)) return undefined;
    const release = takeLease(this.folder('leases'), { root: fileName(name) });
    try {
      const record = readRecord(file);
      if (record !== undefined) return this.#root(record, release);
    } catch (error) {
      release();
      throw ioError(`read ${file}`, error);
    }
    release();
    return undefined;
  }

  /** Makes the folders, where they are absent. */
  async open(): Promise<void> {
    try {
      // Programs with set-user-ID bits lie in there: nobody else may come near.
      await mkdir(this.path, { recursive: true, mode: 0o700 });
      for (const name of FOLDERS) await mkdir(this.folder(name), { recursive: true, mode: 0o700 });
    } catch (error) {
      throw ioError(`make the store of snapshots ${this.path}`, error);
    }
  }

  /** Holds layers, also those that are yet to come. Answers what releases them. */
  async hold(layers: readonly string[]): Promise<() => void> {
    // Not between a removal's look at the leases and its work.
    return await withLock(this.path, async () => takeLease(this.folder('leases'), { layers }));
  }

  /** Gives a root its name. Its layers are there, and held by `release`. */
  async publish(name: string, record: RootRecord, release: () => void): Promise<Root> {
    await replaceFile(this.#recordPath(fileName(name)), recordText(record), this.asidePath());
    return this.#root(record, release);
  }

  async layers(): Promise<Set<string>> {
    return new Set(await namesIn(this.folder('layers')));
  }

  /** A path for what is being made, named after this process. */
  asidePath(): string {
    return join(this.folder('unpack'), ownName());
  }

  folder(name: (typeof FOLDERS)[number]): string {
    return join(this.path, name);
  }

  layerPath(name: string): string {
    return join(this.folder('layers'), name);
  }

  /** Removes what dead processes have left half-made. */
  async sweep(): Promise<void> {
    for (const name of await namesIn(this.folder('unpack'))) {
      const owner = ownerOf(name);
      if (owner === undefined || !isAlive(owner)) await addon().removeTree(join(this.folder('unpack'), name));
    }
  }

  async prune(keep: ReadonlySet<string>): Promise<Pruned> {
    const kept = new Set([...keep].map(fileName));
    const taken = await withLock(this.path, () => this.#takeAway(kept));
    // Out of sight they are already; removing them takes its time.
    for (const path of taken.trees) await addon().removeTree(path);
    await this.sweep();
    return { roots: taken.roots, layers: taken.trees.length };
  }

  async #takeAway(
    keep: ReadonlySet<string>,
  ): Promise<{ readonly roots: string[]; readonly trees: string[] }> {
    const roots = await this.#takeRoots(keep, await readLeases(this.folder('leases')));
    const { layers: held } = await readLeases(this.folder('leases'));
    const used = new Set([...held, ...(await this.#layersOfRoots())]);
    const trees: string[] = [];
    for (const name of await this.layers()) {
      if (used.has(name)) continue;
      const aside = this.asidePath();
      await rename(this.layerPath(name), aside);
      trees.push(aside);
    }
    return { roots, trees };
  }

  async #takeRoots(keep: ReadonlySet<string>, held: Held): Promise<string[]> {
    const gone: string[] = [];
    for (const name of await this.#rootNames()) {
      if (keep.has(baseOf(name)) || held.roots.has(name)) continue;
      const path = this.#recordPath(name);
      await rename(path, `${path}${ASIDE}`);
      const { roots } = await readLeases(this.folder('leases'));
      if (roots.has(name)) await rename(`${path}${ASIDE}`, path);
      else gone.push(name);
    }
    for (const name of await namesIn(this.folder('roots')))
      if (name.endsWith(ASIDE)) await rm(join(this.folder('roots'), name), { force: true });
    return gone;
  }

  async #rootNames(): Promise<string[]> {
    const names = await namesIn(this.folder('roots'));
    return names.filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length));
  }

  async #layersOfRoots(): Promise<string[]> {
    const records = (await this.#rootNames()).map((name) => readRecord(this.#recordPath(name)));
    return records.flatMap((record) => record?.layers ?? []);
  }

  #recordPath(name: string): string {
    return join(this.folder('roots'), `${name}${ENDING}`);
  }

  #root({ layers, note }: RootRecord, release: () => void): Root {
    return { lowers: layers.map((name) => this.layerPath(name)), note, release };
  }
}

// What follows a "+" tells one variant of several.
function baseOf(name: string): string {
  return name.split(fileName('+'))[0] ?? name;
}

/** Renames a finished directory to its place; where another process was faster, its own stays. */
export async function putInPlace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isErrno(error, 'EEXIST', 'ENOTEMPTY')) throw ioError(`rename ${from}`, error);
  }
}
