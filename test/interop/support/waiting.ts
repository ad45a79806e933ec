/** Waits for what an engine tells only when asked. */
export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  patienceMs: number = 15_000,
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not so after ${patienceMs} ms: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
