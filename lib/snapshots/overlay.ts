import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { NsboxError } from '../errors.js';
import { codeOf, fromNative } from '../native/errors.js';
import { addon } from '../native/load.js';
import { ioError } from '../util/files.js';
import { withLock } from '../util/lock.js';
import { inParallel } from '../util/parallel.js';
import { chainIds } from './chain.js';
import { fileName, type LayerForm, ownForm, snapshotDirectory } from './place.js';
import type { LayerSource, PrepareOptions, Pruned, Root, RootRequest, Snapshotter } from './snapshotter.js';
import { putInPlace, SnapshotStore } from './store.js';

/** A layer with its place in the store. */
interface Layer extends LayerSource {
  /** The folder's name, made of the chain ID. */
  readonly name: string;
  /** The names of those below it, topmost first. */
  readonly below: readonly string[];
}

/** Unpacks each layer into a directory of its own: overlay shows them as one. */
export class OverlaySnapshotter implements Snapshotter {
  readonly kind = 'overlay';
  readonly #store: SnapshotStore;
  readonly #form: LayerForm;

  constructor(options: { readonly path?: string; readonly form?: LayerForm } = {}) {
    this.#form = options.form ?? ownForm();
    this.#store = new SnapshotStore(options.path ?? snapshotDirectory(this.#form));
  }

  find(name: string): Root | undefined {
    return this.#store.find(name);
  }

  async prepare(name: string, { layers, note }: RootRequest, options: PrepareOptions = {}): Promise<Root> {
    if (layers.length === 0) throw new NsboxError('ERR_INVALID_CONFIG', `${name}: an image without layers`);
    await this.#store.open();
    const chain = named(layers);
    const names = chain.map((layer) => layer.name);
    const release = await this.#store.hold(names);
    try {
      await this.#makeAbsent(chain, options);
      return await this.#store.publish(name, { layers: names.toReversed(), note }, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  async prune(keep: ReadonlySet<string>): Promise<Pruned> {
    return await this.#store.prune(keep);
  }

  // Whoever wants any of the absent layers wants the lowest of them: its lock is that of all.
  async #makeAbsent(chain: readonly Layer[], options: PrepareOptions): Promise<void> {
    for (const { digest } of await this.#present(chain)) options.onProgress?.({ digest, status: 'exists' });
    for (;;) {
      const lowest = (await this.#absent(chain))[0]?.name;
      if (lowest === undefined) return;
      const locked = { name: lowest, patienceMs: Number.POSITIVE_INFINITY, signal: options.signal };
      await withLock(
        this.#store.folder('locks'),
        async () => {
          const absent = await this.#absent(chain);
          if (absent[0]?.name === lowest) await this.#make(absent, options);
        },
        locked,
      );
    }
  }

  async #present(chain: readonly Layer[]): Promise<Layer[]> {
    const known = await this.#store.layers();
    return chain.filter(({ name }) => known.has(name));
  }

  async #absent(chain: readonly Layer[]): Promise<Layer[]> {
    const known = await this.#store.layers();
    return chain.filter(({ name }) => !known.has(name));
  }

  // All beside each other, and then one after the other from below into sight: a layer that can be seen has all below it.
  async #make(absent: readonly Layer[], options: PrepareOptions): Promise<void> {
    await this.#store.sweep();
    const aside = this.#store.asidePath();
    const made = new Map<string, Unpacked>();
    try {
      await mkdir(aside, { mode: 0o700 });
      await inParallel(absent, availableParallelism(), options.signal, async (layer) => {
        options.onProgress?.({ digest: layer.digest, status: 'unpacking' });
        made.set(layer.name, await this.#unpack(layer, join(aside, layer.name)));
        options.onProgress?.({ digest: layer.digest, status: 'unpacked' });
      });
      options.signal?.throwIfAborted();
      for (const layer of absent) await this.#adopt(layer, made);
      await addon().syncFileSystem(aside);
      for (const { name } of absent) await putInPlace(join(aside, name), this.#store.layerPath(name));
    } catch (error) {
      throw ioError(`unpack into ${aside}`, error);
    } finally {
      await addon().removeTree(aside);
    }
  }

  async #unpack(layer: Layer, path: string): Promise<Unpacked> {
    await mkdir(path, { mode: 0o755 });
    const source = await layer.open();
    const target = addon().openDirectory(path);
    try {
      const done = await addon().unpackLayer(source.fd, target, { rootless: this.#form === 'user' });
      check(layer, done);
      return { path, implied: done.implied };
    } catch (error) {
      throw unpackError(layer, error);
    } finally {
      addon().closeFd(target);
      await source.close();
    }
  }

  // A directory that a layer needs and does not mention is the one below it, with its owner, mode and times.
  async #adopt({ name, below }: Layer, made: ReadonlyMap<string, Unpacked>): Promise<void> {
    const own = made.get(name);
    if (own === undefined || own.implied.length === 0 || below.length === 0) return;
    const paths = [own.path, ...below.map((one) => made.get(one)?.path ?? this.#store.layerPath(one))];
    const [target = -1, ...lowers] = paths.map((path) => addon().openDirectory(path));
    try {
      await addon().adoptDirectories(target, lowers, own.implied, this.#form === 'user');
    } catch (error) {
      throw fromNative(error, `layer ${name}`);
    } finally {
      for (const fd of [target, ...lowers]) addon().closeFd(fd);
    }
  }
}

interface Unpacked {
  readonly path: string;
  readonly implied: readonly string[];
}

function named(layers: readonly LayerSource[]): Layer[] {
  const names = chainIds(layers.map(({ diffId }) => diffId)).map(fileName);
  return layers.map((layer, i) => ({
    ...layer,
    open: () => layer.open(),
    name: names[i] ?? '',
    below: names.slice(0, i).reverse(),
  }));
}

function check({ digest, diffId }: Layer, found: { readonly digest: string; readonly diffId: string }): void {
  if (found.digest !== digest)
    throw new NsboxError('ERR_IO', `layer ${digest} is damaged: its content is ${found.digest}`, {
      hint: 'remove the image and pull it again',
    });
  if (found.diffId !== diffId)
    throw new NsboxError(
      'ERR_INVALID_CONFIG',
      `layer ${digest} is not what the image's configuration says: ${found.diffId} instead of ${diffId}`,
    );
}

function unpackError({ digest }: Layer, error: unknown): NsboxError {
  const known = fromNative(error, `unpack layer ${digest}`);
  // The kernel refuses nothing so: a name or a header makes no sense.
  if (codeOf(error) !== 'EINVAL') return known;
  return new NsboxError('ERR_INVALID_CONFIG', known.message, { cause: error });
}
