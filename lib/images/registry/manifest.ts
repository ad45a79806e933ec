import { createHash } from 'node:crypto';
import { type Digest, isDigest, parseDigest } from '../../spec/digest.js';
import type { Descriptor } from '../../spec/image/descriptor.js';
import { isIndexType, isManifestType, MEDIA_TYPES } from '../../spec/image/media-types.js';
import { isObject, quote } from '../../spec/validate.js';
import type { Answer } from './answer.js';
import { RegistryFailure } from './failure.js';

/** As much as registries take themselves: distribution-spec, "Pushing Manifests". */
const LARGEST = 4 * 1024 * 1024;

/** What we can read, OCI's first. */
export const MANIFEST_TYPES: readonly string[] = [
  MEDIA_TYPES.index,
  MEDIA_TYPES.manifest,
  MEDIA_TYPES.dockerManifestList,
  MEDIA_TYPES.dockerManifest,
];

/** A manifest or an index, byte for byte, as its digest wants it. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/**
 * Reads a manifest from an answer and verifies what can be: the digest that was asked for, or the one that the registry
 * claims; the size that an index has told.
 */
export async function readManifest(
  what: string,
  answer: Answer,
  expected: Partial<Pick<Descriptor, 'digest' | 'size' | 'mediaType'>>,
): Promise<FetchedManifest> {
  if (answer.isHtml) throw broken(what, answer, 'a web page');
  const bytes = await answer.bytes(Math.min(LARGEST, expected.size ?? LARGEST));
  if (expected.size !== undefined && bytes.length !== expected.size)
    throw wrong(what, answer, `${bytes.length} bytes instead of ${expected.size}`);
  const digest = verifyDigest(what, answer, bytes, expected.digest);
  const mediaType = typeOf(what, answer, bytes);
  if (expected.mediaType !== undefined && expected.mediaType !== mediaType)
    throw wrong(what, answer, `${mediaType} instead of ${expected.mediaType}`);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

function verifyDigest(what: string, answer: Answer, bytes: Buffer, expected: Digest | undefined): Digest {
  const claimed = answer.header('docker-content-digest');
  const wanted = expected ?? (claimed !== undefined && isDigest(claimed) ? claimed : undefined);
  const algorithm = wanted === undefined ? 'sha256' : parseDigest(wanted).algorithm;
  const found: Digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (wanted === undefined || wanted === found) return found;
  throw wrong(what, answer, `what hashes to ${found}, not ${wanted}`);
}

// The document's own word counts: its digest vouches for it, but nothing for a header. Where they differ, other programs
// would take it for something else.
function typeOf(what: string, answer: Answer, bytes: Buffer): string {
  const document = parseJson(what, answer, bytes);
  const own = document.mediaType;
  const mediaType = typeof own === 'string' ? own : answer.mediaType;
  if (isDocument(answer.mediaType) && answer.mediaType !== mediaType)
    throw wrong(what, answer, `${quote(mediaType)} as ${answer.mediaType}`);
  if (isDocument(mediaType)) return mediaType;
  if (document.schemaVersion === 1)
    throw new RegistryFailure('ERR_INVALID_CONFIG', `${what}: a manifest of Docker's first schema`, {
      hint: 'push the image again with a program of after 2017',
    });
  throw broken(what, answer, `${quote(mediaType)}, which is no image`);
}

function isDocument(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}

function parseJson(what: string, answer: Answer, bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw broken(what, answer, 'no JSON object');
}

function wrong(what: string, answer: Answer, found: string): RegistryFailure {
  return broken(what, answer, found, 'ERR_WRONG_CONTENT');
}

function broken(
  what: string,
  answer: Answer,
  found: string,
  code: 'ERR_IO' | 'ERR_WRONG_CONTENT' = 'ERR_IO',
): RegistryFailure {
  answer.discard();
  return new RegistryFailure(code, `${what}: ${answer.url.host} sends ${found}`, {
    hint: 'check the name; else the registry, or a proxy before it, is broken or malicious',
  });
}
