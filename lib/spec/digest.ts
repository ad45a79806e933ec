import { NsboxError } from '../errors.js';
import { type Check, quote, text } from './validate.js';

/**
 * `<algorithm>:<encoded>`. A checked one holds no slash and no dot-dot, so it may become a file name.
 *
 * @see image-spec, descriptor.md, "Digests"
 */
export type Digest = `${string}:${string}`;

/** The algorithms that we compute, with the length of their digests in hexadecimal. */
const HEX_LENGTH: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

const FORM = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/;
const HEX = /^[a-f0-9]+$/;
// The longest registered one, sha512, has 135.
const LONGEST = 256;

/** Whether a string has a digest's form; of a registered algorithm, also its length and alphabet. */
export function isDigest(value: string): value is Digest {
  if (value.length > LONGEST) return false;
  const [, algorithm, encoded] = FORM.exec(value) ?? [];
  if (algorithm === undefined || encoded === undefined) return false;
  const length = HEX_LENGTH.get(algorithm);
  return length === undefined || (encoded.length === length && HEX.test(encoded));
}

export const checkDigest: Check<Digest> = (value, at) => {
  const digest = text(value, at);
  if (digest === undefined || isDigest(digest)) return digest;
  return at.report(`expected a digest such as sha256:<64 hexadecimal digits>, got ${quote(digest)}`);
};

/**
 * Takes a digest apart, to compute it over content or to make a path of it.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT` for what is no digest, or one of an algorithm that
 * we cannot compute and so cannot verify
 */
export function parseDigest(value: string): { readonly algorithm: string; readonly hex: string } {
  const [algorithm = '', hex = ''] = value.split(':', 2);
  if (isDigest(value) && HEX_LENGTH.has(algorithm)) return { algorithm, hex };
  throw new NsboxError('ERR_INVALID_ARGUMENT', `not a digest that can be verified: ${quote(value)}`, {
    hint: `algorithms: ${[...HEX_LENGTH.keys()].join(', ')}`,
  });
}
