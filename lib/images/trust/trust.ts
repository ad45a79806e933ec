import { readFile } from 'node:fs/promises';
import { NsboxError } from '../../errors.js';
import type { Digest } from '../../spec/digest.js';
import { formatReference } from '../../spec/reference.js';
import { isIdentity, type SignedIdentity } from './identity.js';
import { readKey, type TrustedKey } from './key.js';
import {
  type Policy,
  type Requirement,
  requirementsFor,
  requirementsForArchive,
  type SigstoreSigned,
} from './policy.js';
import { claimsOf, hasBundle, type Signatures } from './signatures.js';

const DEFAULT_IDENTITY: SignedIdentity = { type: 'matchRepoDigestOrExact' };

/**
 * Refuses an image that none of the keys has signed.
 *
 * @param digests - of the index and of the manifest in it: a signature of either is one of the image
 * @throws {@link NsboxError} `ERR_UNTRUSTED`
 */
export async function checkSigned(
  place: Signatures,
  digests: readonly Digest[],
  keys: readonly TrustedKey[],
): Promise<void> {
  for (const digest of new Set(digests))
    for (const key of keys)
      if ((await claimsOf(place, digest, key)).length > 0 || (await hasBundle(place, digest, key))) return;
  throw untrusted(place, `it is not signed by ${keys.map(({ name }) => name).join(' or ')}`, digests);
}

/**
 * Refuses an image that the policy does not allow.
 *
 * @throws {@link NsboxError} `ERR_UNTRUSTED`, also for what the policy demands and cannot be verified here
 */
export async function checkPolicy(
  policy: Policy,
  place: Signatures,
  digests: readonly Digest[],
): Promise<void> {
  for (const requirement of requirementsFor(policy, place.reference)) {
    const refusal = await refusalOf(requirement, place, digests);
    if (refusal !== undefined) throw untrusted(place, refusal, digests);
  }
}

/** The same for an image of an archive, which has no signatures. */
export function checkArchivePolicy(policy: Policy, transport: string): void {
  if (requirementsForArchive(policy, transport).every(({ type }) => type === 'insecureAcceptAnything'))
    return;
  throw new NsboxError('ERR_UNTRUSTED', `images of archives are not allowed by the policy: ${transport}`, {
    hint: 'see the file policy.json, of which containers-policy.json(5) tells',
  });
}

async function refusalOf(
  requirement: Requirement,
  place: Signatures,
  digests: readonly Digest[],
): Promise<string | undefined> {
  switch (requirement.type) {
    case 'insecureAcceptAnything':
      return undefined;
    case 'reject':
      return 'the policy rejects it';
    case 'signedBy':
      return 'the policy demands a signature of GPG, which cannot be verified here';
    case 'sigstoreSigned':
      return await sigstoreRefusal(requirement, place, digests);
    default:
      return requirement satisfies never;
  }
}

async function sigstoreRefusal(
  requirement: SigstoreSigned,
  place: Signatures,
  digests: readonly Digest[],
): Promise<string | undefined> {
  const { unknown, signedIdentity = DEFAULT_IDENTITY } = requirement;
  if (unknown.length > 0) return `the policy demands what cannot be verified here: ${unknown.join(', ')}`;
  const keys = await keysOf(requirement);
  if (keys.length === 0) return 'the policy demands a signature, but names no key for it';
  for (const digest of new Set(digests))
    for (const key of keys)
      for (const { reference } of await claimsOf(place, digest, key))
        if (isIdentity(reference, place.reference, signedIdentity)) return undefined;
  return `it has no signature under its name by ${keys.map(({ name }) => name).join(' or ')}, as the policy demands`;
}

async function keysOf({
  keyPath,
  keyPaths = [],
  keyData,
  keyDatas = [],
}: SigstoreSigned): Promise<TrustedKey[]> {
  const paths = keyPath === undefined ? keyPaths : [keyPath, ...keyPaths];
  const datas = keyData === undefined ? keyDatas : [keyData, ...keyDatas];
  return [
    ...(await Promise.all(paths.map(readKeyFile))),
    ...datas.map((data, index) =>
      readKey(Buffer.from(data, 'base64').toString('utf8'), `key ${index + 1} of the policy`),
    ),
  ];
}

/** @throws {@link NsboxError} `ERR_IO`, `ERR_INVALID_ARGUMENT` */
export async function readKeyFile(path: string): Promise<TrustedKey> {
  try {
    return readKey(await readFile(path, 'utf8'), path);
  } catch (cause) {
    if (cause instanceof NsboxError) throw cause;
    throw new NsboxError('ERR_IO', `read the key ${path}: ${String(cause)}`, { cause });
  }
}

function untrusted({ reference }: Signatures, reason: string, digests: readonly Digest[]): NsboxError {
  return new NsboxError('ERR_UNTRUSTED', `${formatReference(reference)} (${digests[0]}): ${reason}`, {
    hint: 'nothing of it was kept; pull it from where it is signed, or see policy.json',
  });
}
