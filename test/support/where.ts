import { describe, test } from 'vitest';

// A test that has no meaning for who runs it, as one of root's for an ordinary user, is no skip: it is not there. What
// the machine lacks is one, with its reason: skip.ts.

const nothing = (): void => {};

export const testWhere = (condition: boolean): typeof test =>
  condition ? test : (nothing as unknown as typeof test);
export const describeWhere = (condition: boolean): typeof describe =>
  condition ? describe : (nothing as unknown as typeof describe);
