import { type Digest, isDigest } from '../../spec/digest.js';
import type { Descriptor } from '../../spec/image/descriptor.js';

/** The annotation of a tag that tells the digest of the index from which the image was chosen. */
const SOURCE = 'dev.nsbox.source.digest';

/** A tag names the manifest, which other tools can unpack at once; what the registry's tag named is kept beside it. */
export function withSource(descriptor: Descriptor, source: Digest): Descriptor {
  return descriptor.digest === source ? descriptor : { ...descriptor, annotations: { [SOURCE]: source } };
}

/** What {@link withSource} has kept. */
export function sourceOf({ digest, annotations }: Descriptor): Digest {
  const source = annotations?.[SOURCE];
  return source !== undefined && isDigest(source) ? source : digest;
}
