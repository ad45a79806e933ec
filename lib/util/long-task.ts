/**
 * Work that takes its time: a promise of its result, and an async iterable of its steps. Who reads steps slowly misses some
 * of those that later ones of the same thing have overtaken; nothing piles up.
 */
export class LongTask<T, S> implements PromiseLike<T>, AsyncIterable<S> {
  readonly #result: Promise<T>;
  readonly #steps = new Map<unknown, S>();
  #isOver = false;
  #wake = (): void => {};

  /** @param keyOf - what a step is about */
  constructor(work: (report: (step: S) => void) => Promise<T>, keyOf: (step: S) => unknown) {
    this.#result = work((step) => {
      const key = keyOf(step);
      // To the end: in the order in which they came.
      this.#steps.delete(key);
      this.#steps.set(key, step);
      this.#wake();
    }).finally(() => {
      this.#isOver = true;
      this.#wake();
    });
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise of its result
  then<A = T, B = never>(
    onResult?: ((value: T) => A | PromiseLike<A>) | null,
    onFailure?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(onResult, onFailure);
  }

  /** The steps so far and to come. Ends with the work, and throws what the work has thrown. */
  async *[Symbol.asyncIterator](): AsyncGenerator<S, void> {
    // The end throws; until then nobody listens.
    this.#result.catch(() => {});
    for (;;) {
      for (const [key, step] of this.#steps) {
        this.#steps.delete(key);
        yield step;
      }
      if (this.#isOver) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    await this.#result;
  }
}
