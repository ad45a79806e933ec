import type { Descriptor } from '../../spec/image/descriptor.js';
import { parseIndex } from '../../spec/image/index.js';
import { isIndexType } from '../../spec/image/media-types.js';
import type { Platform } from '../../spec/platform.js';
import { formatReference, parseReference } from '../../spec/reference.js';
import { choose } from '../choose.js';
import { withSource } from '../content/source.js';
import type { ContentStore } from '../content/store.js';
import type { ArchivedImage } from './docker.js';

/** The annotation by which containerd and Docker name an image in full; theirs of OCI's name has the tag alone. */
export const FULL_NAME = 'io.containerd.image.name';
export const REF_NAME = 'org.opencontainers.image.ref.name';

/** The images of an `index.json`; undefined where the archive has not all of one. */
export async function readLayout(
  store: ContentStore,
  json: string,
  platform: Platform,
): Promise<ArchivedImage[] | undefined> {
  const found: ArchivedImage[] = [];
  for (const listed of parseIndex(json, 'index.json').manifests) {
    const descriptor = await whatIsThere(store, listed, platform);
    if (descriptor === undefined) return undefined;
    found.push({ names: nameOf(listed), descriptor });
  }
  return found;
}

// Of an index, Docker saves the image of one platform alone.
async function whatIsThere(
  store: ContentStore,
  { mediaType, digest, size }: Descriptor,
  platform: Platform,
): Promise<Descriptor | undefined> {
  const descriptor = { mediaType, digest, size };
  if (await store.isWhole(descriptor)) return descriptor;
  if (!isIndexType(mediaType) || !(await store.has(descriptor))) return undefined;
  const chosen = choose('the archive', await store.readText(digest), platform);
  const image = { mediaType: chosen.mediaType, digest: chosen.digest, size: chosen.size };
  return (await store.isWhole(image)) ? withSource(image, digest) : undefined;
}

function nameOf({ annotations = {} }: Descriptor): string[] {
  const name = annotations[FULL_NAME] ?? annotations[REF_NAME] ?? '';
  // A tag alone names nothing.
  return /[/:]/.test(name) ? [formatReference(parseReference(name))] : [];
}
