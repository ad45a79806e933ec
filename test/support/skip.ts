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

/** The same for what belongs to another kind of machine, as cgroup v1 to one that has v2 alone: a skip everywhere. */
export function skipOnThisMachineUnless(context: TestContext, condition: unknown, reason: string): void {
  if (condition) return;
  process.stderr.write(`skipped: ${context.task.name}: ${reason}\n`);
  context.skip(reason);
}

/** And for what only the virtual machine is sure to have: a failure there, a skip elsewhere. */
export function skipUnlessInMachine(context: TestContext, condition: unknown, reason: string): void {
  if (process.env.NSBOX_VM === '1') skipUnless(context, condition, reason);
  else skipOnThisMachineUnless(context, condition, reason);
}
