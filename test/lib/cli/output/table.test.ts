import { expect, test } from 'vitest';
import { printable } from '../../../../lib/cli/output/printable.js';
import { table, wrap } from '../../../../lib/cli/output/table.js';

test('a table fits in 80 columns, whatever is in it', () => {
  const text = table('Title', [
    { mark: 'ok', name: 'short', text: 'fine' },
    { mark: 'missing', name: 'long', text: 'word '.repeat(40), remedy: 'sudo '.repeat(30) },
    { mark: 'off', name: 'path', text: `/${'directory/'.repeat(20)}` },
  ]);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('lines break at blanks', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
  expect(wrap('onetwothree', 4)).toEqual(['onet', 'woth', 'ree']);
  expect(wrap('', 8)).toEqual(['']);
});

test('what would drive a terminal is made visible', () => {
  expect(printable('a\x1b[31mb\nc\u202ed\ttab')).toBe('a\\x1b[31mb\\nc\\u202ed\ttab');
});
