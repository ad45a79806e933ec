import { annotations } from '../checks.js';
import { array, type Check, integer, isObject, object, oneOf } from '../validate.js';
import { checkDescriptor, type Descriptor, mediaType } from './descriptor.js';
import { parseDocument } from './document.js';
import { MEDIA_TYPES } from './media-types.js';

/**
 * One image for one platform: its configuration and its layers, lowest first.
 *
 * @see image-spec, manifest.md
 */
export interface ImageManifest {
  readonly schemaVersion: number;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** The manifest that this one says something about. */
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

const manifest = object<ImageManifest>(
  { schemaVersion: integer(2, 2), config: checkDescriptor, layers: array(checkDescriptor, 1) },
  {
    mediaType: oneOf([MEDIA_TYPES.manifest, MEDIA_TYPES.dockerManifest]),
    artifactType: mediaType,
    subject: checkDescriptor,
    annotations,
  },
);

/** Checks a manifest. What could be read as an index too is refused: the digest would name two things. */
export const checkManifest: Check<ImageManifest> = (value, at) => {
  if (isObject(value) && Object.hasOwn(value, 'manifests'))
    return at.report('an image manifest cannot have manifests', 'manifests');
  return manifest(value, at);
};

/**
 * Reads and checks the text of an image manifest.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function parseManifest(json: string, what = 'image manifest'): ImageManifest {
  return parseDocument(checkManifest, json, what);
}
