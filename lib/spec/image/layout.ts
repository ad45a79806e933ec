import { type Check, object, oneOf, parse } from '../validate.js';

/**
 * The file `oci-layout` at the top of an image layout.
 *
 * @see image-spec, image-layout.md
 */
export interface ImageLayout {
  readonly imageLayoutVersion: '1.0.0';
}

/** Names at the top of an image layout. */
export const LAYOUT_FILES = { marker: 'oci-layout', index: 'index.json', blobs: 'blobs' } as const;

export const checkLayout: Check<ImageLayout> = object<ImageLayout>(
  { imageLayoutVersion: oneOf(['1.0.0']) },
  {},
);

/**
 * Reads and checks the text of the file `oci-layout`.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function parseLayout(json: string, what = 'oci-layout'): ImageLayout {
  return parse(checkLayout, json, what);
}
