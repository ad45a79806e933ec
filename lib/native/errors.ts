import { type ErrorCode, NsboxError } from '../errors.js';

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'ERR_NOT_FOUND',
  ESRCH: 'ERR_NOT_FOUND',
  EEXIST: 'ERR_ALREADY_EXISTS',
  EPERM: 'ERR_PERMISSION',
  EACCES: 'ERR_PERMISSION',
  ENOSPC: 'ERR_NO_SPACE',
  EDQUOT: 'ERR_NO_SPACE',
  EBUSY: 'ERR_IN_USE',
  EOPNOTSUPP: 'ERR_LIMIT_UNAVAILABLE',
  EINVAL: 'ERR_INVALID_ARGUMENT',
};

/** An error of the addon as ours, with what we were doing before its own text. */
export function fromNative(error: unknown, doing?: string, otherwise: ErrorCode = 'ERR_IO'): NsboxError {
  if (error instanceof NsboxError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  return new NsboxError(
    (code && CODES[code]) || otherwise,
    doing === undefined ? text : `${doing}: ${text}`,
    {
      cause: error,
    },
  );
}

/** The errno's name, `ENOENT`, of an error from the addon or from Node. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
