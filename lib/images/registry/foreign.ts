import type { Descriptor } from '../../spec/image/descriptor.js';

const FOREIGN = /(?:\.nondistributable\.|\.foreign\.)/;

/** Whether a layer may not be given away by registries, but has to be had where its maker offers it. */
export function isForeign({ mediaType, urls = [] }: Descriptor): boolean {
  return FOREIGN.test(mediaType) && urls.length > 0;
}

/** Where a foreign layer can be had, beside the registry. Whoever made the manifest has written this: only HTTPS is taken. */
export function foreignPlaces(layer: Descriptor): URL[] {
  const urls = isForeign(layer) ? (layer.urls ?? []) : [];
  return urls
    .flatMap((url) => (URL.canParse(url) ? [new URL(url)] : []))
    .filter(({ protocol }) => protocol === 'https:');
}
