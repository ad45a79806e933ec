import { NsboxError } from 'nsbox';

/** The code that a call is refused with; a success is `undefined`. */
export async function codeOf(work: PromiseLike<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof NsboxError ? error.code : String(error);
  }
}
