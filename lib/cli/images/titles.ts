import type { Digest } from '../../spec/digest.js';
import { parseReference, shortReference } from '../../spec/reference.js';

/** A name as people write it: `debian:12`. */
export function familiar(name: string): string {
  return shortReference(parseReference(name));
}

/** Its two halves, as lists have them. */
export function repositoryAndTag(name: string): readonly [repository: string, tag: string] {
  const { tag, digest: _, ...rest } = parseReference(name);
  return [shortReference(rest).replace(/:latest$/, ''), tag ?? '<none>'];
}

/** A digest as lists show it. */
export function shortDigest(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}
