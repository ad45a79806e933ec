import { NsboxError } from '../errors.js';
import type { Descriptor } from '../spec/image/descriptor.js';
import { parseIndex } from '../spec/image/index.js';
import { isIndexType, isManifestType } from '../spec/image/media-types.js';
import { formatPlatform, type Platform, selectPlatform } from '../spec/platform.js';

/** Picks a platform's image from an index; the only one there is, where it tells no platform. */
export function choose(name: string, json: string, wanted: Platform): Descriptor {
  const images = parseIndex(json, `index of ${name}`).manifests.filter(isImage);
  const found = selectPlatform(images, wanted) ?? onlyOne(images);
  if (found !== undefined) return found;
  const platforms = images.flatMap(({ platform }) =>
    platform === undefined ? [] : [formatPlatform(platform)],
  );
  throw new NsboxError('ERR_NOT_FOUND', `${name} has no image for ${formatPlatform(wanted)}`, {
    hint:
      platforms.length === 0
        ? 'its index lists none at all'
        : `ask for one of these platforms: ${[...new Set(platforms)].slice(0, 20).join(', ')}`,
  });
}

// Attestations are listed as images for `unknown/unknown`.
function isImage({ mediaType, artifactType, platform }: Descriptor): boolean {
  const isKnown = isManifestType(mediaType) || isIndexType(mediaType);
  return isKnown && artifactType === undefined && platform?.os !== 'unknown';
}

function onlyOne(images: readonly Descriptor[]): Descriptor | undefined {
  return images.length === 1 && images[0]?.platform === undefined ? images[0] : undefined;
}
