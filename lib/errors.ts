/**
 * Every code an {@link NsboxError} can carry. Callers switch on the code, never on the message;
 * `docs/errors.md` tells the cause and the remedy of each.
 */
export type ErrorCode =
  | 'EUNSUPPORTED'
  | 'ERR_INVALID_ARGUMENT'
  | 'ERR_INVALID_CONFIG'
  | 'ERR_NOT_FOUND'
  | 'ERR_ALREADY_EXISTS'
  | 'ERR_IN_USE'
  | 'ERR_INVALID_STATE'
  | 'ERR_DISPOSED'
  | 'ERR_ABORTED'
  | 'ERR_TIMEOUT'
  | 'ERR_START_FAILED'
  | 'ERR_PROGRAM_NOT_FOUND'
  | 'ERR_PROGRAM_NOT_EXECUTABLE'
  | 'ERR_COMMAND_FAILED'
  | 'ERR_MAX_BUFFER'
  | 'ERR_LIMIT_UNAVAILABLE'
  | 'ERR_PERMISSION'
  | 'ERR_NATIVE_MISSING'
  | 'ERR_NO_SPACE'
  | 'ERR_WRONG_CONTENT'
  | 'ERR_UNTRUSTED'
  | 'ERR_IO';

/** What an {@link NsboxError} may carry beside its code and its message. */
export interface NsboxErrorOptions extends ErrorOptions {
  /** How to get what was refused: a command, a package, a setting. */
  readonly hint?: string | undefined;
}

/** The one error class of this package: a stable `code`, a sentence for a person, the `cause`, and often a `hint`. */
export class NsboxError extends Error {
  override readonly name: string = 'NsboxError';
  /** How to get what was refused, where there is a way. */
  readonly hint: string | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: NsboxErrorOptions,
  ) {
    super(message, options);
    this.hint = options?.hint;
  }
}
