import type { Digest } from '../../spec/digest.js';
import { array, type Check, check, object, oneOf, record, text } from '../../spec/validate.js';
import { hasSigned, type TrustedKey } from './key.js';
import { parsed } from './payload.js';

/** A sigstore bundle: protobuf-specs, sigstore_bundle.proto, as JSON. What we do not need of it is not read. */
interface Bundle {
  readonly dsseEnvelope?: Envelope;
}

/** @see DSSE, envelope.md */
interface Envelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly sig: string }[];
}

/** @see in-toto attestation framework, Statement */
interface Statement {
  readonly _type: string;
  readonly predicateType: string;
  readonly subject: readonly { readonly digest: Readonly<Record<string, string>> }[];
}

const IN_TOTO = 'application/vnd.in-toto+json';

const checkBundle: Check<Bundle> = object<Bundle>(
  {},
  {
    dsseEnvelope: object<Envelope>(
      {
        payload: text,
        payloadType: oneOf([IN_TOTO]),
        signatures: array(object<{ sig: string }>({ sig: text }, {}), 1),
      },
      {},
    ),
  },
);

const checkStatement: Check<Statement> = object<Statement>(
  {
    _type: oneOf(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']),
    // An attestation by the same key, of a bill of materials say, is no word for the image.
    predicateType: oneOf(['https://sigstore.dev/cosign/sign/v1']),
    subject: array(object<{ digest: Readonly<Record<string, string>> }>({ digest: record(text) }, {}), 1),
  },
  {},
);

/** Whether a bundle is a key's signature of an image. */
export function isBundleOf(json: string, digest: Digest, key: TrustedKey): boolean {
  const bundle = check(checkBundle, parsed(json));
  const envelope = bundle.ok ? bundle.value.dsseEnvelope : undefined;
  if (envelope === undefined) return false;
  const payload = Buffer.from(envelope.payload, 'base64');
  const signed = preAuthenticated(envelope.payloadType, payload);
  if (!envelope.signatures.some(({ sig }) => hasSigned(key, signed, sig))) return false;
  const statement = check(checkStatement, parsed(payload.toString('utf8')));
  const [algorithm = '', hex = ''] = digest.split(':');
  return statement.ok && statement.value.subject.some((one) => one.digest[algorithm] === hex);
}

// DSSE, protocol.md: what is signed names its own type and lengths.
function preAuthenticated(type: string, payload: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `),
    payload,
  ]);
}
