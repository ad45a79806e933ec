import { test as plain } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { hasVerb, isOurs } from './under-test.js';

const runs = hasVerb('run');

type Test = ReturnType<typeof plain.skipIf>;

/** For root and for an ordinary user. */
export const test: Test = plain.skipIf(!runs);
/** For what the kernel gives to root alone. */
export const testRoot: Test = plain.skipIf(!runs || !isRoot);
/** For what the older runc and crun of distributions do not know, or do not refuse. */
export const testOurs: Test = plain.skipIf(!runs || !isOurs);
export const testOursRoot: Test = plain.skipIf(!runs || !isOurs || !isRoot);
