import type { TestContext } from 'vitest';

/**
 * Skips the running test, with the reason printed, unless the condition holds; where everything must work, as in CI, it
 * fails instead.
 */
export function skipUnless(context: TestContext, condition: unknown, reason: string): void {
  if (condition) return;
  if (process.env.NSBOX_MUST_WORK === '1')
    throw new Error(`would be skipped, but NSBOX_MUST_WORK is set: ${reason}`);
  process.stderr.write(`skipped: ${context.task.name}: ${reason}\n`);
  context.skip(reason);
}
