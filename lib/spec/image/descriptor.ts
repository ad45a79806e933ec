import { annotations, nonEmpty } from '../checks.js';
import { checkDigest, type Digest } from '../digest.js';
import { checkPlatform, type Platform } from '../platform.js';
import { array, type Check, integer, matching, object, refine } from '../validate.js';

/**
 * Names a blob and says how to verify it.
 *
 * @see image-spec, descriptor.md
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** Where else it may be had. */
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** The content itself in base64, for small ones. Its digest still has to be verified. */
  readonly data?: string;
  readonly artifactType?: string;
  /** Only in an index. */
  readonly platform?: Platform;
}

/** RFC 6838, section 4.2. */
export const mediaType = matching(
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/,
  'a media type',
);

const base64 = matching(/^(?=(?:.{4})*$)[A-Za-z0-9+/]*={0,2}$/, 'base64');

export const checkDescriptor: Check<Descriptor> = refine(
  object<Descriptor>(
    { mediaType, digest: checkDigest, size: integer(0, Number.MAX_SAFE_INTEGER) },
    {
      urls: array(nonEmpty),
      annotations,
      data: base64,
      artifactType: mediaType,
      platform: checkPlatform,
    },
  ),
  ({ data, size }, at) => {
    if (data !== undefined && decodedLength(data) !== size)
      at.report(`holds ${decodedLength(data)} bytes, but size is ${size}`, 'data');
  },
);

function decodedLength(data: string): number {
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  return (data.length / 4) * 3 - padding;
}
