import { annotations } from '../checks.js';
import { array, type Check, integer, isObject, object, oneOf } from '../validate.js';
import { checkDescriptor, type Descriptor, mediaType } from './descriptor.js';
import { parseDocument } from './document.js';
import { MEDIA_TYPES } from './media-types.js';

/**
 * A list of manifests, one a platform, or the images of a layout.
 *
 * @see image-spec, image-index.md
 */
export interface ImageIndex {
  readonly schemaVersion: number;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

const index = object<ImageIndex>(
  { schemaVersion: integer(2, 2), manifests: array(checkDescriptor) },
  {
    mediaType: oneOf([MEDIA_TYPES.index, MEDIA_TYPES.dockerManifestList]),
    artifactType: mediaType,
    subject: checkDescriptor,
    annotations,
  },
);

/** Checks an index. What could be read as a manifest too is refused: the digest would name two things. */
export const checkIndex: Check<ImageIndex> = (value, at) => {
  for (const key of ['config', 'layers'])
    if (isObject(value) && Object.hasOwn(value, key))
      return at.report(`an image index cannot have ${key}`, key);
  return index(value, at);
};

/**
 * Reads and checks the text of an image index.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function parseIndex(json: string, what = 'image index'): ImageIndex {
  return parseDocument(checkIndex, json, what);
}
