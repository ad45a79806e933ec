/**
 * Does the work of every item, of `limit` at most at a time. The first failure tells the others to stop, waits until they
 * have, and is thrown: nothing goes on behind the caller's back.
 */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const both = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const queue = items.values();
  let first: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    // One iterator for all lanes: each takes the next item.
    for (const item of queue) {
      if (both.aborted) return;
      await work(item, both).catch((error: unknown) => {
        first ??= { error };
        failure.abort();
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (first !== undefined) throw first.error;
}
