import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCpus, parseDuration, parseSize } from '../../../lib/util/units.js';

describe('sizes', () => {
  test.each([
    ['256m', 268_435_456],
    ['1.5g', 1_610_612_736],
    ['64k', 65_536],
    ['64K', 65_536],
    ['10kb', 10_240],
    ['10KiB', 10_240],
    ['2T', 2 * 1024 ** 4],
    ['512', 512],
    ['512b', 512],
    ['0', 0],
    ['1 g', 1024 ** 3],
    [1024, 1024],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    '',
    'm',
    '-1',
    '1x',
    '1mm',
    '1.m',
    '1e3',
    '0x10',
    ' 1m',
    '1m\n',
    '9999999p',
    -1,
    1.5,
    Number.NaN,
  ])('%j is refused', (text) => {
    expect(() => parseSize(text, 'limits.memory')).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARGUMENT',
        message: expect.stringMatching(/^limits\.memory: expected a size in bytes, got /),
      }),
    );
  });

  test('whole numbers of a unit come out exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1023 }), fc.constantFrom('k', 'm', 'g', 't'), (count, unit) => {
        expect(parseSize(`${count}${unit}`)).toBe(count * 1024 ** ('kmgt'.indexOf(unit) + 1));
      }),
    );
  });
});

describe('durations', () => {
  test.each([
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['100us', 0.1],
    ['0', 0],
    [250, 250],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each(['', '30', 's', '-1s', '1s ', '1m 30s', '1.s.s', 'forever', -5, Number.POSITIVE_INFINITY])(
    '%j is refused',
    (text) => {
      expect(() => parseDuration(text, 'timeout')).toThrow(/^timeout: expected a duration, got /);
    },
  );

  test('a long string is refused at once', () => {
    expect(() => parseDuration('1s'.repeat(1_000_000))).toThrow(/expected a duration/);
  });
});

describe('CPUs', () => {
  test.each([
    ['0.5', 0.5],
    ['2', 2],
    ['.25', 0.25],
    [1.5, 1.5],
  ])('%s is %d', (text, cpus) => {
    expect(parseCpus(text)).toBe(cpus);
  });

  test.each(['', '0', '-1', '1e3', 'two', '1,5', 0, Number.NaN])('%j is refused', (text) => {
    expect(() => parseCpus(text, 'limits.cpus')).toThrow(/^limits\.cpus: expected a number of CPUs/);
  });
});
