import { type Digest, isDigest } from '../../spec/digest.js';
import { type Check, check, object, oneOf, text } from '../../spec/validate.js';

/** What a signature in the simple form says: which content, and what it was called. */
export interface Claim {
  readonly digest: Digest;
  /** The image's name when it was signed. */
  readonly reference: string;
}

interface Payload {
  readonly critical: {
    readonly type: string;
    readonly image: { readonly 'docker-manifest-digest': string };
    readonly identity: { readonly 'docker-reference': string };
  };
}

/** @see containers/image, docs/containers-signature.5.md; cosign, specs/SIGNATURE_SPEC.md */
const checkPayload: Check<Payload> = object<Payload>(
  {
    critical: object<Payload['critical']>(
      {
        // A signature of another kind by the same key says something else.
        type: oneOf(['cosign container image signature']),
        image: object<Payload['critical']['image']>({ 'docker-manifest-digest': text }, {}),
        identity: object<Payload['critical']['identity']>({ 'docker-reference': text }, {}),
      },
      {},
    ),
  },
  {},
);

/** Reads a payload whose signature has been verified; undefined for what is none. */
export function readClaim(json: string): Claim | undefined {
  const found = check(checkPayload, parsed(json));
  if (!found.ok) return undefined;
  const { image, identity } = found.value.critical;
  const digest = image['docker-manifest-digest'];
  return isDigest(digest) ? { digest, reference: identity['docker-reference'] } : undefined;
}

/** JSON, or undefined. */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
