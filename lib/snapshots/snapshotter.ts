import type { Digest } from '../spec/digest.js';

/** A layer of an image, which is only opened where it is not unpacked yet. */
export interface LayerSource {
  /** Of the uncompressed tar archive: what must come out. */
  readonly diffId: Digest;
  /** Of the blob as it lies in the store. */
  readonly digest: Digest;
  /** The blob; the snapshotter closes it. */
  open(): Promise<LayerFile>;
}

/** Node's `FileHandle`, as far as it is needed. */
export interface LayerFile {
  readonly fd: number;
  close(): Promise<void>;
}

export interface RootRequest {
  /** The layers, lowest first. */
  readonly layers: readonly LayerSource[];
  /** Anything that JSON can hold, to be found with the root again. */
  readonly note: unknown;
}

export interface PrepareOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: UnpackProgress) => void) | undefined;
}

/** What became of one layer. */
export interface UnpackProgress {
  readonly digest: Digest;
  readonly status: 'unpacking' | 'unpacked' | 'exists';
}

/** Directories to mount a copy-on-write root on. They stay until it is released, or its process is gone. */
export interface Root {
  /** Of this machine, topmost first: never to be written to. */
  readonly lowers: readonly string[];
  readonly note: unknown;
  /** May be called twice. */
  release(): void;
}

/** What a removal has freed. */
export interface Pruned {
  readonly roots: readonly string[];
  readonly layers: number;
}

/**
 * Keeps unpacked layers for roots to stand on: each once, whichever images have it, for any number of processes.
 *
 * A root is there as a whole or not at all, whenever the process, or the machine, stops. What a root that is not released
 * stands on is never removed, and two that want the same layer at one time make it once.
 */
export interface Snapshotter {
  readonly kind: 'overlay' | 'copy';

  /** The root of that name, if it has been made: at once, by reading one small file. */
  find(name: string): Root | undefined;

  /**
   * Makes the root of that name, and what is absent of its layers.
   *
   * @throws {@link NsboxError} `ERR_INVALID_CONFIG` for a layer that is not what it should be, `ERR_NO_SPACE`, `ERR_IO`
   */
  prepare(name: string, request: RootRequest, options?: PrepareOptions): Promise<Root>;

  /**
   * Removes the roots that have none of these names, and the layers that only they stood on. What follows a `+` in a root's
   * name makes it a variant, which stays with the name before.
   */
  prune(keep: ReadonlySet<string>): Promise<Pruned>;
}
