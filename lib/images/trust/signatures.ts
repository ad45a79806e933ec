import { createHash } from 'node:crypto';
import { NsboxError } from '../../errors.js';
import { type Digest, parseDigest } from '../../spec/digest.js';
import type { Descriptor } from '../../spec/image/descriptor.js';
import { type ImageManifest, parseManifest } from '../../spec/image/manifest.js';
import type { Reference } from '../../spec/reference.js';
import type { RegistryClient } from '../registry/client.js';
import { isBundleOf } from './bundle.js';
import { hasSigned, type TrustedKey } from './key.js';
import { type Claim, readClaim } from './payload.js';

/** Where signatures of a repository's images are looked for. */
export interface Signatures {
  readonly client: RegistryClient;
  readonly reference: Reference;
  readonly signal?: AbortSignal | undefined;
}

const SIMPLE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.[1-9])?\+json/;
const LARGEST = 1024 * 1024;
/** Of one image. */
const MOST = 50;

/** What a key has signed of an image, of the signatures under cosign's tag `sha256-….sig`. */
export async function claimsOf(
  place: Signatures,
  digest: Digest,
  key: TrustedKey,
): Promise<readonly Claim[]> {
  const { domain, path } = place.reference;
  const manifest = await manifestOf(place, { domain, path, tag: `${digest.replace(':', '-')}.sig` });
  const found: Claim[] = [];
  for (const layer of (manifest?.layers ?? [])
    .filter(({ mediaType }) => mediaType === SIMPLE)
    .slice(0, MOST)) {
    const payload = await readSmall(place, layer);
    if (!hasSigned(key, payload, layer.annotations?.[SIGNATURE] ?? '')) continue;
    const claim = readClaim(payload.toString('utf8'));
    if (claim?.digest === digest) found.push(claim);
  }
  return found;
}

/** Whether a key has signed an image, by a sigstore bundle that refers to it. */
export async function hasBundle(place: Signatures, digest: Digest, key: TrustedKey): Promise<boolean> {
  const { domain, path } = place.reference;
  const { client, signal } = place;
  const referrers = await client.referrers({ domain, path }, digest, { signal });
  const bundles = referrers.filter(({ artifactType }) => BUNDLE.test(artifactType ?? '')).slice(0, MOST);
  for (const bundle of bundles) {
    const manifest = await manifestOf(place, { domain, path, digest: bundle.digest });
    for (const layer of manifest?.layers.filter(({ mediaType }) => BUNDLE.test(mediaType)) ?? [])
      if (isBundleOf((await readSmall(place, layer)).toString('utf8'), digest, key)) return true;
  }
  return false;
}

async function manifestOf(
  { client, signal }: Signatures,
  reference: Reference,
): Promise<ImageManifest | undefined> {
  try {
    const { bytes } = await client.manifest(reference, { signal });
    return parseManifest(bytes.toString('utf8'), 'the signatures');
  } catch (error) {
    if (error instanceof NsboxError && error.code === 'ERR_NOT_FOUND') return undefined;
    throw error;
  }
}

async function readSmall({ client, reference, signal }: Signatures, blob: Descriptor): Promise<Buffer> {
  const { digest, size } = blob;
  if (size > LARGEST) throw new NsboxError('ERR_INVALID_CONFIG', `a signature has ${size} bytes`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of client.blob(reference, blob, { signal })) {
    length += chunk.length;
    if (length > size) break;
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const { algorithm, hex } = parseDigest(digest);
  if (length === size && createHash(algorithm).update(bytes).digest('hex') === hex) return bytes;
  throw new NsboxError('ERR_WRONG_CONTENT', `the signature ${digest} has another content`);
}
