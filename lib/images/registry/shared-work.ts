import { NsboxError } from '../../errors.js';

/** Work that several callers wait for, done once. It is called off when all of them have gone. */
export class SharedWork<T> {
  /** What came of it, as soon as that is known. */
  value: T | undefined;
  /** Whether nothing will come of it: it has failed, or everybody has gone. Who comes now begins anew. */
  isOver = false;
  readonly #stop = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#result = work(this.#stop.signal);
    this.#result.then(
      (value) => {
        this.value = value;
      },
      () => {
        this.isOver = true;
      },
    );
  }

  /** @throws {@link NsboxError} `ERR_ABORTED` for this caller alone, and what the work throws for all */
  async wait(signal?: AbortSignal): Promise<T> {
    this.#waiting += 1;
    try {
      return await (signal === undefined ? this.#result : unlessAborted(this.#result, signal));
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0 && this.value === undefined) this.#callOff();
    }
  }

  #callOff(): void {
    this.isOver = true;
    this.#stop.abort();
  }
}

async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new NsboxError('ERR_ABORTED', 'aborted', { cause: signal.reason }));
  });
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
