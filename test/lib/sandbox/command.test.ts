import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTemplate } from '../../../lib/sandbox/command.js';

function parse(
  template: TemplateStringsArray,
  ...values: readonly (string | number | readonly (string | number)[])[]
): string[] {
  return parseTemplate(template, values);
}

const argument = fc.string().filter((text) => !text.includes('\0'));

test('no value, whatever it holds, becomes more or less than one argument', () => {
  fc.assert(
    fc.property(argument, argument, (one, two) => {
      expect(parse`run ${one} --x=${two} end`).toEqual(['run', one, `--x=${two}`, 'end']);
    }),
  );
});

test('a list becomes as many as it has members', () => {
  fc.assert(
    fc.property(fc.array(argument), (list) => {
      expect(parse`run ${list} end`).toEqual(['run', ...list, 'end']);
    }),
  );
});

test('a NUL character and an empty program are refused', () => {
  expect(() => parse`run ${'a\0b'}`).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
  expect(() => parse``).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
  expect(() => parse`${''}`).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
});
