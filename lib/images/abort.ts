import { NsboxError } from '../errors.js';

/** Runs work, and gives its failure as ours where the caller has called it off. */
export async function abortable<T>(
  what: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    if (!signal?.aborted) return await work();
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  throw new NsboxError('ERR_ABORTED', `${what}: aborted`, { cause: signal.reason });
}
