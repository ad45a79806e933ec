import { NsboxError } from '../../errors.js';

/** An archive that is none, or a malicious one. */
export function refuse(reason: string): NsboxError {
  return new NsboxError('ERR_INVALID_CONFIG', `the archive is refused: ${reason}`, {
    hint: 'it must be one of docker save, podman save, skopeo or nsbox save',
  });
}

export function truncated(): NsboxError {
  return new NsboxError('ERR_WRONG_CONTENT', 'the archive ends too soon', {
    hint: 'it has been cut: get it anew',
  });
}
