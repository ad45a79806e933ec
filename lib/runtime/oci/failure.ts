import { type ErrorCode, NsboxError } from '../../errors.js';
import { fromNative } from '../../native/errors.js';

/** What the runtime says, in its own words or in the kernel's, and the code for it. The first that fits counts. */
const CODES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/container does not exist/, 'ERR_NOT_FOUND'],
  [/container with given ID already exists/, 'ERR_ALREADY_EXISTS'],
  [/container not (running|paused|created)|cannot start a|that is not stopped/, 'ERR_INVALID_STATE'],
  [/cannot exec in a|in the paused state/, 'ERR_INVALID_STATE'],
  [/invalid container ID format|container id cannot be empty/, 'ERR_INVALID_ARGUMENT'],
  [/executable file not found in \$PATH/, 'ERR_PROGRAM_NOT_FOUND'],
  [/\bexec\b.*no such file or directory|stat .*: no such file or directory/, 'ERR_PROGRAM_NOT_FOUND'],
  [/\bexec\b.*permission denied/, 'ERR_PROGRAM_NOT_EXECUTABLE'],
  [/another command is at work|\bEBUSY\b/, 'ERR_IN_USE'],
  [/\b(EPERM|EACCES)\b/, 'ERR_PERMISSION'],
  [/\b(ENOSPC|EDQUOT)\b/, 'ERR_NO_SPACE'],
  [/\bEOPNOTSUPP\b/, 'ERR_LIMIT_UNAVAILABLE'],
];

/** The error for what the runtime has said. */
export function runtimeError(text: string, otherwise: ErrorCode, cause?: unknown): NsboxError {
  const message = text.replace(/^nsbox-runtime \S+ failed: /, '');
  const code = CODES.find(([pattern]) => pattern.test(message))?.[1] ?? otherwise;
  return new NsboxError(code, message, { cause, hint: hintFor(code, message) });
}

/** An error of the addon's as ours: by the words first, which say more than a number. */
export function fromRuntime(error: unknown): NsboxError {
  const native = fromNative(error);
  return runtimeError(native.message, native.code, error);
}

export function aborted(what: string, signal: AbortSignal | undefined): NsboxError {
  return new NsboxError('ERR_ABORTED', `${what} was aborted`, { cause: signal?.reason });
}

function hintFor(code: ErrorCode, message: string): string | undefined {
  if (code === 'ERR_PERMISSION') return 'see `nsbox doctor` for what this machine allows';
  return /delete --force/.test(message) ? 'delete({ force: true }) removes it' : undefined;
}
