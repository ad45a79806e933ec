import type { FileHandle } from 'node:fs/promises';
import { NsboxError } from '../errors.js';
import type { Digest } from '../spec/digest.js';
import type { Descriptor } from '../spec/image/descriptor.js';
import { formatPlatform, type Platform, parsePlatform, selectPlatform } from '../spec/platform.js';
import { formatReference, parseReference } from '../spec/reference.js';
import { LongTask } from '../util/long-task.js';
import { type ImportOptions, importImage } from './archive/import.js';
import { type LoadOptions, loadImages } from './archive/load.js';
import { type SaveOptions, saveImages } from './archive/save.js';
import type { Lease } from './content/lease.js';
import { ContentStore } from './content/store.js';
import { findImage, listImages, noImage } from './find.js';
import { type HistoryStep, historyOf } from './history.js';
import { blobsOf, type Image, isWhole } from './image.js';
import type { BlobProgress, OnProgress } from './progress.js';
import { type PruneOptions, pruneImages } from './prune.js';
import { pull } from './pull.js';
import { push } from './push.js';
import { RegistryClient, type RegistryOptions } from './registry/client.js';
import { type Removed, type RemoveOptions, removeImage } from './remove.js';
import { type Repaired, verifyAndRepair } from './repair.js';
import { readPolicy } from './trust/policy.js';

export interface ImagesOptions {
  /** The store's directory. Default: `images` in `$NSBOX_DATA`, `/var/lib/nsbox` or `~/.local/share/nsbox`. */
  readonly path?: string;
  /** How registries are reached and asked. */
  readonly registries?: RegistryOptions;
}

/** Whether the registry is asked: always, only for what the store has not, or never. */
export type PullPolicy = 'always' | 'missing' | 'never';

export interface ImagePullOptions {
  /** Default: `always`. What a name with a digest names never changes: then the store's own is taken. */
  readonly policy?: PullPolicy;
  /** Default: this machine's, on Linux. Another system's image is only taken when it is named here. */
  readonly platform?: Platform | string;
  /**
   * Refuse the image unless one of these public keys, in PEM, has signed it. What the store has already is then asked for
   * again, because it may have come without.
   */
  readonly keys?: readonly string[];
  /** Keeps the registry's index with the images of all platforms, not only the one that is chosen. */
  readonly allPlatforms?: boolean;
  readonly signal?: AbortSignal;
  /** Blobs at a time. Default: 4. */
  readonly concurrency?: number;
}

export interface ImagePushOptions {
  /** The image in the store. Default: that of the name under which it is pushed. */
  readonly source?: string;
  readonly signal?: AbortSignal;
  /** Blobs at a time. Default: 4. */
  readonly concurrency?: number;
}

export interface VerifyOptions {
  readonly repair?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The images on this machine, and the way to registries. Any number of processes may have one open at a time.
 *
 * @example
 * await using images = await Images.open();
 * const image = await images.pull('debian:12');
 * console.log(image.id, image.config.config?.Cmd);
 */
export class Images implements AsyncDisposable {
  #client: RegistryClient | undefined;

  private constructor(
    /** What lies below: blobs by digest. */
    readonly store: ContentStore,
    private readonly registries: RegistryOptions,
  ) {}

  /** Opens the store, which is made where it is absent. */
  static async open({ path, registries = {} }: ImagesOptions = {}): Promise<Images> {
    return new Images(await ContentStore.open(path), registries);
  }

  /** The store's directory: an OCI image layout. */
  get path(): string {
    return this.store.path;
  }

  /** Asks registries directly: for tags, repositories, manifests, referrers. */
  get registry(): RegistryClient {
    this.#client ??= new RegistryClient(this.registries);
    return this.#client;
  }

  /**
   * Brings an image into the store, and gives it its name. Whenever this stops, nothing half-made can be seen, and the next
   * pull goes on there. Progress is told of each blob.
   *
   * @throws {@link NsboxError} `ERR_NOT_FOUND`, `ERR_PERMISSION`, `ERR_TIMEOUT`, `ERR_WRONG_CONTENT`, `ERR_NO_SPACE`,
   * `ERR_IO`, `ERR_INVALID_CONFIG`, `ERR_INVALID_ARGUMENT`, `ERR_ABORTED`
   */
  pull(name: string, options: ImagePullOptions = {}): LongTask<Image, BlobProgress> {
    return longTask(async (onProgress) => {
      const { policy = 'always', platform: wanted, ...rest } = options;
      const platform = typeof wanted === 'string' ? parsePlatform(wanted) : wanted;
      const isSigned = (rest.keys ?? []).length > 0;
      const stored = isSigned ? undefined : await this.#stored(name, policy, platform);
      if (stored !== undefined) return stored;
      if (policy === 'never') throw neverPulled(name, platform, this.store);
      const trust = { policy: await readPolicy(this.registries.env ?? process.env) };
      const task = { store: this.store, client: this.registry, onProgress, ...rest, ...trust };
      return await pull(name, { ...task, ...(platform && { platform }) });
    });
  }

  /** Sends an image to a registry. Progress is told of each blob. */
  push(name: string, options: ImagePushOptions = {}): LongTask<Descriptor, BlobProgress> {
    return longTask(async (onProgress) => {
      const { source, ...rest } = options;
      const task = { store: this.store, client: this.registry, onProgress, ...rest };
      return await push(name, { ...task, ...(source !== undefined && { source }) });
    });
  }

  /**
   * Takes in the images of an archive, as a stream, compressed or not: of `docker save`, `podman save`, `skopeo`, or ours.
   *
   * @throws {@link NsboxError} `ERR_INVALID_CONFIG`, `ERR_WRONG_CONTENT`, `ERR_NO_SPACE`, `ERR_IO`, `ERR_ABORTED`
   */
  async load(source: AsyncIterable<Uint8Array>, options: LoadOptions = {}): Promise<Image[]> {
    const policy = await readPolicy(this.registries.env ?? process.env);
    return await loadImages(this.store, source, { ...options, ...(policy && { policy }) });
  }

  /** Images as one archive, piece by piece. The same images make the same bytes. */
  save(wanted: readonly string[], options: SaveOptions = {}): AsyncGenerator<Uint8Array, void> {
    return saveImages(this.store, wanted, options);
  }

  /** Makes an image of one layer of the tar archive of a root, as a stream, compressed or not. */
  async import(source: AsyncIterable<Uint8Array>, options: ImportOptions = {}): Promise<Image> {
    return await importImage(this.store, source, options);
  }

  /** Every image, with its names. What is damaged is left out, and {@link Images.verify} tells of it. */
  async list(): Promise<Image[]> {
    return await listImages(this.store);
  }

  /**
   * Finds an image by its name, its ID or the beginning of it, or by a digest of its own or of its manifest.
   *
   * @param platform - of an image that is kept for several. Default: this machine's
   */
  async find(wanted: string, platform?: Platform): Promise<Image | undefined> {
    return await findImage(this.store, wanted, platform);
  }

  /** @throws {@link NsboxError} `ERR_NOT_FOUND` where {@link Images.find} finds nothing */
  async get(wanted: string, platform?: Platform): Promise<Image> {
    const found = await this.find(wanted, platform);
    if (found === undefined) throw noImage(wanted, this.store);
    return found;
  }

  /** How an image was made, the last step first. */
  async history(wanted: string): Promise<HistoryStep[]> {
    return historyOf(await this.get(wanted));
  }

  /** Gives an image one more name. What had it keeps its others, or is listed without one. */
  async tag(wanted: string, name: string): Promise<void> {
    const { digest, ...reference } = parseReference(name);
    if (digest !== undefined)
      throw new NsboxError('ERR_INVALID_ARGUMENT', `a new name has no digest: ${name}`, {
        hint: 'leave out what follows the @',
      });
    const { target } = await this.get(wanted);
    await this.store.tag(formatReference(reference), target);
  }

  /** Takes a name away, and the image with its last one. */
  async untag(name: string, options: RemoveOptions = {}): Promise<Removed> {
    const full = formatReference(parseReference(name));
    if ((await this.store.resolve(full)) === undefined) throw noImage(name, this.store);
    return await this.remove(full, options);
  }

  /**
   * Removes an image: of a name, that name alone, and the image with its last one; of an ID or a digest, the image with all
   * its names.
   *
   * @throws {@link NsboxError} `ERR_NOT_FOUND`; `ERR_IN_USE` for one with several names or that a container uses, unless
   * forced
   */
  async remove(wanted: string, options: RemoveOptions = {}): Promise<Removed> {
    return await removeImage(this.store, wanted, options);
  }

  /** Removes images without a name, or all that no container uses, and what no image needs. */
  async prune(options: PruneOptions = {}): Promise<Removed> {
    return await pruneImages(this.store, options);
  }

  /** Hashes everything and removes what is damaged; with `repair` fetches it anew from the registries of the images' names. */
  async verify({ repair = false, signal }: VerifyOptions = {}): Promise<Repaired> {
    const options = { store: this.store, client: () => this.registry, ...(signal && { signal }) };
    if (repair) return await verifyAndRepair(options);
    return { ...(await this.store.verify(options)), repaired: [] };
  }

  /**
   * Keeps an image's blobs for as long as it is used, whatever becomes of its names.
   *
   * @param owner - as a container's ID: then the lease outlives this process, until {@link Images.release}
   */
  async hold(image: Image, owner?: string): Promise<Lease> {
    const lease = this.store.lease(owner);
    await lease.hold(blobsOf(image).map(({ digest }) => digest));
    // A removal may have come before.
    if (await isWhole(this.store, image)) return lease;
    await lease.release();
    throw noImage(image.names[0] ?? image.id, this.store);
  }

  /** Ends what {@link Images.hold} began for an owner, in whichever process. */
  async release(owner: string): Promise<void> {
    await this.store.lease(owner).release();
  }

  /** A layer or another blob as an open file, which the caller closes. */
  async openBlob(digest: Digest): Promise<FileHandle> {
    return await this.store.open(digest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
  }

  async #stored(
    name: string,
    policy: PullPolicy,
    platform: Platform | undefined,
  ): Promise<Image | undefined> {
    if (policy === 'always' && parseReference(name).digest === undefined) return undefined;
    const image = await this.#findReadable(name, platform);
    const wanted = platform ?? parsePlatform(process.arch);
    const isWanted = image !== undefined && selectPlatform([image], wanted) !== undefined;
    return isWanted && (await isWhole(this.store, image)) ? image : undefined;
  }

  // What is damaged or of another platform is to be pulled.
  async #findReadable(name: string, platform: Platform | undefined): Promise<Image | undefined> {
    try {
      return await this.find(name, platform);
    } catch (error) {
      if (error instanceof NsboxError && error.code !== 'ERR_INVALID_ARGUMENT') return undefined;
      throw error;
    }
  }
}

function longTask<T>(work: (onProgress: OnProgress) => Promise<T>): LongTask<T, BlobProgress> {
  return new LongTask(work, ({ digest }) => digest);
}

function neverPulled(name: string, platform: Platform | undefined, store: ContentStore): NsboxError {
  const which = platform === undefined ? '' : ` for ${formatPlatform(platform)}`;
  return new NsboxError(
    'ERR_NOT_FOUND',
    `no image ${name}${which} in ${store.path}, and it may not be pulled`,
    {
      hint: 'pull it before, load it from an archive, or allow the pull',
    },
  );
}
