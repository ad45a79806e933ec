import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { NsboxError } from '../../errors.js';

/** A public key by which signatures are verified: on an elliptic curve, as cosign makes them. */
export interface TrustedKey {
  readonly key: KeyObject;
  /** For errors. */
  readonly name: string;
}

/**
 * Reads a public key in PEM.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT` for what is none, or one of another kind
 */
export function readKey(pem: string, name: string): TrustedKey {
  if (/PRIVATE KEY/.test(pem)) throw notAKey(name, 'it is a private key: keep it, and give the public one');
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ec') return { key, name };
  } catch (cause) {
    throw notAKey(name, 'it is no public key in PEM', cause);
  }
  throw notAKey(name, 'it is not on an elliptic curve, as those of cosign are');
}

function notAKey(name: string, reason: string, cause?: unknown): NsboxError {
  return new NsboxError('ERR_INVALID_ARGUMENT', `${name}: ${reason}`, {
    cause,
    hint: 'cosign generate-key-pair makes cosign.pub',
  });
}

/** Whether a key has signed these bytes; a signature that is none is one of nobody. */
export function hasSigned({ key }: TrustedKey, bytes: Uint8Array, signature: string): boolean {
  if (!/^[A-Za-z0-9+/]{1,1024}={0,2}$/.test(signature)) return false;
  try {
    return verify('sha256', bytes, key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}
