/** A promise with its two ends in hand. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
  readonly isSettled: boolean;
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  let settled = false;
  const promise = new Promise<T>((yes, no) => {
    resolve = (value) => {
      settled = true;
      yes(value);
    };
    reject = (reason) => {
      settled = true;
      no(reason);
    };
  });
  return {
    promise,
    resolve,
    reject,
    get isSettled() {
      return settled;
    },
  };
}
