import type { Digest } from '../spec/digest.js';

/** What became of one blob of a pull or a push. */
export interface BlobProgress {
  readonly digest: Digest;
  /** Bytes that are there, of `size`. */
  readonly done: number;
  readonly size: number;
  readonly status: 'moving' | 'done' | 'exists' | 'mounted';
}

export type OnProgress = (progress: BlobProgress) => void;
