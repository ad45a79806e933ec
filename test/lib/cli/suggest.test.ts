import { expect, test } from 'vitest';
import { didYouMean } from '../../../lib/cli/suggest.js';

test.each([
  ['--memroy', "did you mean '--memory'?"],
  ['--memori', "did you mean '--memory'?"],
  ['--read-onyl', "did you mean '--read-only'?"],
  ['--nothing-like-it', undefined],
  ['--x', undefined],
])('%s', (word, answer) => {
  expect(didYouMean(word, ['--memory', '--read-only', '--network'])).toBe(answer);
});
