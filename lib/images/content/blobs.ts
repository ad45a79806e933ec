import { join } from 'node:path';
import { type Digest, isDigest } from '../../spec/digest.js';
import { LAYOUT_FILES } from '../../spec/image/layout.js';
import { namesIn } from './files.js';
import { sizeOf } from './layout.js';

/** A blob that is there; whether its content is right, only hashing can tell. */
export interface StoredBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** Every blob of a layout. Files whose names are no digests are passed over: they are not ours. */
export async function* blobsIn(root: string): AsyncGenerator<StoredBlob> {
  const folder = join(root, LAYOUT_FILES.blobs);
  for (const algorithm of await namesIn(folder))
    for (const hex of await namesIn(join(folder, algorithm))) {
      const digest = `${algorithm}:${hex}`;
      const size = isDigest(digest) ? await sizeOf(join(folder, algorithm, hex)) : undefined;
      if (isDigest(digest) && size !== undefined) yield { digest, size };
    }
}
