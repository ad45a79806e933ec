import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { MEDIA_TYPES } from '../../../../lib/spec/image/media-types.js';
import { sendBlob, type Trick } from './image-server.js';
import { type Blob, blobOf, type MadeImage } from './images.js';

// Signatures as cosign makes them, of our own making.

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

export interface Pair {
  /** In PEM. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export function makePair(): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(), privateKey };
}

function signatureOf({ privateKey }: Pair, bytes: Buffer): string {
  return sign('sha256', bytes, privateKey).toString('base64');
}

export interface Claimed {
  readonly reference?: string;
  readonly digest?: string;
  readonly type?: string;
}

/** What a registry has beside an image that is signed by cosign's tag. */
export function taggedSignature(image: MadeImage, pair: Pair, claimed: Claimed = {}): Trick {
  const { digest } = image.manifest.descriptor;
  const critical = {
    identity: { 'docker-reference': claimed.reference ?? 'registry.example/some/app' },
    image: { 'docker-manifest-digest': claimed.digest ?? digest },
    type: claimed.type ?? 'cosign container image signature',
  };
  const payload = blobOf(
    'application/vnd.dev.cosign.simplesigning.v1+json',
    JSON.stringify({ critical, optional: null }),
  );
  const annotations = { 'dev.cosignproject.cosign/signature': signatureOf(pair, payload.bytes) };
  const manifest = manifestOf({ ...payload.descriptor, annotations });
  return serving({
    [`/manifests/${digest.replace(':', '-')}.sig`]: manifest,
    [`/blobs/${payload.descriptor.digest}`]: payload,
  });
}

export interface Stated {
  readonly digest?: string;
  readonly predicateType?: string;
}

/** What a registry has beside an image to which a sigstore bundle refers. */
export function referringBundle(image: MadeImage, pair: Pair, stated: Stated = {}): Trick {
  const { digest } = image.manifest.descriptor;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: (stated.digest ?? digest).replace(/.*:/, '') } }],
    predicateType: stated.predicateType ?? 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const payloadType = 'application/vnd.in-toto+json';
  const signed = Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} ${payload}`);
  const dsseEnvelope = {
    payload: payload.toString('base64'),
    payloadType,
    signatures: [{ sig: signatureOf(pair, signed) }],
  };
  const bundle = blobOf(BUNDLE, JSON.stringify({ mediaType: BUNDLE, dsseEnvelope }));
  const manifest = manifestOf(bundle.descriptor);
  const listed = { ...manifest.descriptor, artifactType: BUNDLE };
  const index = blobOf(
    MEDIA_TYPES.index,
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [listed] }),
  );
  return serving({
    [`/referrers/${digest}`]: index,
    [`/manifests/${manifest.descriptor.digest}`]: manifest,
    [`/blobs/${bundle.descriptor.digest}`]: bundle,
  });
}

function manifestOf(layer: object): Blob {
  const config = blobOf(MEDIA_TYPES.config, '{}').descriptor;
  const document = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers: [layer] };
  return blobOf(MEDIA_TYPES.manifest, JSON.stringify(document));
}

function serving(blobs: Readonly<Record<string, Blob>>): Trick {
  return (request, response) => {
    const found = Object.entries(blobs).find(([end]) => request.url?.endsWith(end))?.[1];
    if (found !== undefined) sendBlob(request, response, found);
    return found !== undefined;
  };
}
