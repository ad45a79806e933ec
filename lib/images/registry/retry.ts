import { setTimeout as sleep } from 'node:timers/promises';
import { NsboxError } from '../../errors.js';
import { RegistryFailure } from './failure.js';

export interface RetryPolicy {
  /** In all, the first one included. */
  readonly attempts: number;
  /** Before the second attempt; doubled before each further one. */
  readonly firstPauseMs: number;
}

/** A registry that wants to be left alone for longer gets its wish: the work fails. */
const LONGEST_PAUSE_MS = 60_000;

/** Does the work again after failures that may pass. */
export async function withRetries<T>(
  work: () => Promise<T>,
  policy: RetryPolicy,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      await pauseAfter(error, attempt, policy, signal);
    }
  }
}

/** Waits as long as is proper after the failure of an attempt; throws it where no other may follow. */
export async function pauseAfter(
  error: unknown,
  attempt: number,
  { attempts, firstPauseMs }: RetryPolicy,
  signal?: AbortSignal,
): Promise<void> {
  if (!(error instanceof RegistryFailure) || !error.isRetryable || attempt >= attempts) throw error;
  // Not in step with the others that were refused at the same moment.
  const pause = firstPauseMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
  const wait = Math.max(pause, error.retryAfterMs ?? 0);
  if (wait > LONGEST_PAUSE_MS) throw error;
  await sleep(wait, undefined, { ...(signal && { signal }) }).catch((cause: unknown) => {
    throw new NsboxError('ERR_ABORTED', 'aborted while waiting for the next attempt', { cause });
  });
}
