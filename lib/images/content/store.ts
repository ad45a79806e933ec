import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { NsboxError } from '../../errors.js';
import type { Digest } from '../../spec/digest.js';
import type { Descriptor } from '../../spec/image/descriptor.js';
import { blobsIn, type StoredBlob } from './blobs.js';
import { type Collected, type CollectOptions, collect } from './collect.js';
import { ioError, isErrno } from './files.js';
import { type Expected, type IngestOptions, ingest, type Source } from './ingest.js';
import { blobPath, prepareLayout, sizeOf } from './layout.js';
import { Lease, lastingOwners } from './lease.js';
import { imageDirectory } from './place.js';
import { type Spooled, type SpoolOptions, spool } from './spool.js';
import { type Entry, listEntries, listTags, removeEntries, removeTag, setTag, type Tag } from './tags.js';
import { missingOf, type Verified, verify } from './verify.js';
import { reachable, readDocument } from './walk.js';

/**
 * Images on disk, addressed by content: an OCI image layout, which skopeo and umoci read as it is. Any number of processes
 * may use one at a time.
 */
export class ContentStore {
  private constructor(
    /** The layout's directory. */
    readonly path: string,
  ) {}

  /** Opens the store of a directory, which is made where it is absent. */
  static async open(path: string = imageDirectory()): Promise<ContentStore> {
    await prepareLayout(path);
    return new ContentStore(path);
  }

  /** Whether a blob is there. What lost bytes, by whatever accident, is not. */
  async has({ digest, size }: { readonly digest: Digest; readonly size?: number }): Promise<boolean> {
    const found = await sizeOf(blobPath(this.path, digest));
    return found !== undefined && (size === undefined || size === found);
  }

  /**
   * Stores a blob, unless it is there. Hold it by a {@link lease} first: what no tag names may be collected at any time.
   *
   * @throws {@link NsboxError} `ERR_WRONG_CONTENT`, `ERR_NO_SPACE`, `ERR_IO`
   */
  async put(expected: Expected, source: Source, options: IngestOptions = {}): Promise<void> {
    if (await this.has(expected)) options.onBytes?.(expected.size);
    else await ingest(this.path, expected, source, options);
  }

  /** Stores bytes of which nobody has said what they are, and holds them. */
  async spool(lease: Lease, source: AsyncIterable<Uint8Array>, options: SpoolOptions = {}): Promise<Spooled> {
    return await spool(this.path, lease, source, options);
  }

  /** Whether all that a manifest or an index names is there. */
  async isWhole(descriptor: Descriptor): Promise<boolean> {
    return (await missingOf(this.path, descriptor)).length === 0;
  }

  /** All that a manifest or an index names, itself included, whether it is there or not. */
  async reachable(descriptor: Descriptor): Promise<readonly Descriptor[]> {
    return [...(await reachable(this.path, [descriptor])).values()];
  }

  /** Stores what is in memory already. */
  async putBytes(expected: Expected, bytes: Uint8Array): Promise<void> {
    await this.put(expected, async function* (offset) {
      yield bytes.subarray(offset);
    });
  }

  /**
   * A blob's bytes.
   *
   * @throws {@link NsboxError} `ERR_NOT_FOUND`
   */
  async read(
    digest: Digest,
    range: { readonly start?: number; readonly end?: number } = {},
  ): Promise<AsyncIterable<Buffer>> {
    return createReadStream('', { ...range, fd: await this.open(digest), highWaterMark: 1 << 18 });
  }

  /**
   * A blob as an open file, which the caller closes; once open, its bytes stay even if it is collected.
   *
   * @throws {@link NsboxError} `ERR_NOT_FOUND`
   */
  async open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(blobPath(this.path, digest), 'r');
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw noBlob(this.path, digest, error);
      throw ioError(`read blob ${digest}`, error);
    }
  }

  /**
   * A small blob as text: a manifest, a configuration.
   *
   * @throws {@link NsboxError} `ERR_NOT_FOUND`, and `ERR_INVALID_CONFIG` for more than 4 MiB
   */
  async readText(digest: Digest): Promise<string> {
    const found = await readDocument(this.path, digest);
    if (found === undefined) throw noBlob(this.path, digest);
    return found;
  }

  /** Removes a blob, whoever needs it; {@link collect} is what asks first. */
  async delete(digest: Digest): Promise<void> {
    await rm(blobPath(this.path, digest), { force: true });
  }

  list(): AsyncIterable<StoredBlob> {
    return blobsIn(this.path);
  }

  async tags(): Promise<readonly Tag[]> {
    return await listTags(this.path);
  }

  /** What a name, a reference in full, names. */
  async resolve(name: string): Promise<Descriptor | undefined> {
    return (await this.tags()).find((tag) => tag.name === name)?.descriptor;
  }

  /** Lists an image under a name, or without one. */
  async tag(name: string | undefined, descriptor: Descriptor): Promise<void> {
    await setTag(this.path, name, descriptor);
  }

  /** Takes a name away; gives whether there was one. */
  async untag(name: string): Promise<boolean> {
    return await removeTag(this.path, name);
  }

  /** All that the layout lists: tags, and what has lost its own to another. */
  async entries(): Promise<readonly Entry[]> {
    return await listEntries(this.path);
  }

  /** Removes entries as {@link removeEntries} does. */
  async removeEntries(isChosen: (entry: Entry, all: readonly Entry[]) => boolean): Promise<readonly Entry[]> {
    return await removeEntries(this.path, isChosen);
  }

  /** Holds blobs, whether or not a tag names them; with an owner also after this process. */
  lease(owner?: string): Lease {
    return new Lease(this.path, owner);
  }

  /** The owners of leases that outlive their processes, each with what it holds. */
  async owners(): Promise<ReadonlyMap<string, ReadonlySet<Digest>>> {
    return await lastingOwners(this.path);
  }

  /** Removes what no tag names and no lease holds. */
  async collect(options: CollectOptions = {}): Promise<Collected> {
    return await collect(this.path, options);
  }

  /** Hashes everything and removes what is damaged. */
  async verify(options: { readonly signal?: AbortSignal } = {}): Promise<Verified> {
    return await verify(this.path, options.signal);
  }
}

function noBlob(path: string, digest: Digest, cause?: unknown): NsboxError {
  return new NsboxError('ERR_NOT_FOUND', `no blob ${digest} in ${path}`, {
    cause,
    hint: 'pull the image again',
  });
}
