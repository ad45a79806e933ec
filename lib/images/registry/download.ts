import type { Descriptor } from '../../spec/image/descriptor.js';
import type { Answer } from './answer.js';
import { RegistryFailure } from './failure.js';
import { pauseAfter, type RetryPolicy } from './retry.js';
import type { Session } from './session.js';

export interface Download {
  readonly session: Session;
  readonly retry: RetryPolicy;
  /** Where it is: below the registry, or elsewhere. */
  readonly target: string | URL;
  readonly scope: string;
  readonly blob: Descriptor;
  readonly signal?: AbortSignal | undefined;
  readonly what: string;
}

/**
 * A blob's bytes from an offset on. A cut is followed by a request for the rest, and only attempts that brought nothing
 * count as failed. Whether the bytes are the right ones is for who stores them to see; more than asked for are refused.
 */
export async function* download(task: Download, offset: number): AsyncGenerator<Uint8Array> {
  let position = offset;
  for (let failed = 0; position < task.blob.size; ) {
    try {
      for await (const chunk of attempt(task, position)) {
        position += chunk.length;
        failed = 0;
        yield chunk;
      }
      if (position < task.blob.size) throw cut(task, position);
    } catch (error) {
      failed += 1;
      await pauseAfter(error, failed, task.retry, task.signal);
    }
  }
}

async function* attempt(task: Download, position: number): AsyncGenerator<Uint8Array> {
  const { session, target, scope, signal, what } = task;
  const answer = await session.sendOnce({
    method: 'GET',
    target,
    scope,
    accept: position === 0 ? [200] : [200, 206],
    headers: position === 0 ? {} : { range: `bytes=${position}-` },
    signal,
    what,
  });
  checkHead(task, answer, position);
  // Not every server knows ranges: then the beginning comes once more.
  let skip = answer.status === 200 ? position : 0;
  for await (const chunk of answer.read()) {
    const wanted = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - wanted.length;
    if (wanted.length > 0) yield wanted;
  }
}

// What the head gives away is not read for long.
function checkHead({ what, blob }: Download, answer: Answer, position: number): void {
  const range = answer.status === 206 ? answer.header('content-range') : undefined;
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range ?? '') ?? [];
  const length = answer.status === 200 ? answer.header('content-length') : undefined;
  const isOtherPart = answer.status === 206 && Number(start) !== position;
  const isOtherSize = [length, total].some((size) => /^\d+$/.test(size ?? '') && Number(size) !== blob.size);
  if (!isOtherPart && !isOtherSize && !answer.isHtml) return;
  answer.discard();
  const found = answer.isHtml
    ? 'a web page'
    : isOtherPart
      ? 'another part than was asked for'
      : `${length ?? total} bytes instead of ${blob.size}`;
  throw new RegistryFailure(
    isOtherSize ? 'ERR_WRONG_CONTENT' : 'ERR_IO',
    `${what}: ${answer.url.host} sends ${found}`,
    {
      hint: 'the registry, or a proxy before it, is broken or malicious',
    },
  );
}

function cut({ what, blob }: Download, position: number): RegistryFailure {
  const message = `${what}: it ended after ${position} of ${blob.size} bytes`;
  return new RegistryFailure('ERR_IO', message, {
    isRetryable: true,
    hint: 'pull again: it goes on from there',
  });
}
