/** Waits for a state of the machine that nobody tells of; the last look's answer, or an error that says what it was. */
export async function eventually<T>(
  look: () => T,
  isRight: (value: T) => boolean = Boolean,
  patienceMs: number = 2000,
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const value = look();
    if (isRight(value)) return value;
    if (performance.now() > end) throw new Error(`still after ${patienceMs} ms: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
