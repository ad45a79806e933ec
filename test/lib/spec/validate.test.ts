import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  array,
  boolean,
  check,
  integer,
  nullable,
  object,
  oneOf,
  parse,
  record,
  refine,
  text,
  validate,
} from '../../../lib/spec/validate.js';

interface Sample {
  readonly name: string;
  readonly tags?: readonly string[];
  readonly limits?: Readonly<Record<string, number>>;
}

const sample = object<Sample>({ name: text }, { tags: array(text), limits: record(integer(0, 10)) });

function issuesOf(value: unknown): readonly string[] {
  const checked = check(sample, value);
  return checked.ok ? [] : checked.issues.map(({ path, message }) => `${path}: ${message}`);
}

test('a sound value comes back as an equal copy', () => {
  const value = { name: 'a', tags: ['b'], limits: { c: 1 } };
  const copy = validate(sample, value, 'sample');
  expect(copy).toEqual(value);
  expect(copy).not.toBe(value);
  expect(copy.tags).not.toBe(value.tags);
});

test.each<[unknown, string]>([
  [{ name: 1 }, 'name: expected a string, got a number'],
  [{}, 'name: required, but missing'],
  [{ name: undefined }, 'name: required, but missing'],
  [{ name: null }, 'name: expected a string, got null'],
  [{ name: 'a', tags: ['b', 2] }, 'tags[1]: expected a string, got a number'],
  [{ name: 'a', tags: {} }, 'tags: expected an array, got an object'],
  [{ name: 'a', limits: [] }, 'limits: expected an object, got an array'],
  [{ name: 'a', limits: { b: 0.5 } }, 'limits.b: expected a whole number, got 0.5'],
  [{ name: 'a', limits: { b: 11 } }, 'limits.b: expected a number from 0 to 10, got 11'],
  [{ name: 'a', limits: { 'b.c': '1' } }, 'limits["b.c"]: expected a number, got a string'],
  [{ name: 'a\0b' }, 'name: expected a string without NUL bytes'],
  [null, ': expected an object, got null'],
  [[], ': expected an object, got an array'],
])('%j is refused with its place', (value, message) => {
  expect(issuesOf(value)).toEqual([message]);
});

test('all issues are found, in the order of the fields', () => {
  expect(issuesOf({ tags: [1], limits: { a: -1 } })).toEqual([
    'name: required, but missing',
    'tags[0]: expected a string, got a number',
    'limits.a: expected a number from 0 to 10, got -1',
  ]);
});

test('an error lists the issues one a line', () => {
  expect(() => validate(sample, { tags: [1] }, 'sample.json')).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_CONFIG',
      message:
        'sample.json is not valid:\nname: required, but missing\ntags[0]: expected a string, got a number',
    }),
  );
});

test('an error stays short however much is wrong', () => {
  const value = { name: 'a', tags: Array.from({ length: 5000 }, (_, index) => index) };
  try {
    validate(sample, value, 'sample');
    expect.unreachable();
  } catch (error) {
    const lines = String(error).split('\n');
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)).toBe('… and 4980 more');
  }
});

test('long names and values are cut in messages', () => {
  const [message = ''] = issuesOf({ name: 'a', limits: { [`${'k'.repeat(10_000)}.`]: true } });
  expect(message.length).toBeLessThan(200);
});

describe('what the sender cannot smuggle in', () => {
  test('__proto__ is ignored as a field', () => {
    const copy = validate(sample, JSON.parse('{"name":"a","__proto__":{"tags":["evil"]}}'), 'sample');
    expect(copy.tags).toBeUndefined();
    expect(Object.getPrototypeOf(copy)).toBeNull();
  });

  test('__proto__ is refused as a name of a map', () => {
    expect(issuesOf(JSON.parse('{"name":"a","limits":{"__proto__":1}}'))).toEqual([
      'limits.__proto__: this name is not allowed',
    ]);
  });

  test('fields of a prototype do not count', () => {
    expect(issuesOf(Object.create({ name: 'inherited' }))).toEqual(['name: required, but missing']);
  });

  test('unknown fields are left out', () => {
    expect(Object.keys(validate(sample, { name: 'a', other: 1 }, 'sample'))).toEqual(['name']);
  });

  test('a getter is asked once', () => {
    let asked = 0;
    const value = {
      get name() {
        asked += 1;
        return asked === 1 ? 'first' : 2;
      },
    };
    expect(validate(sample, value, 'sample').name).toBe('first');
    expect(asked).toBe(1);
  });

  test('nothing in a copy has Object.prototype', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.nat(10)), (limits) => {
        const checked = check(sample, { name: 'a', limits });
        if (!checked.ok)
          expect(
            Object.hasOwn(limits, '__proto__') || Object.keys(limits).some((key) => key.includes('\0')),
          ).toBe(true);
        else expect(Object.getPrototypeOf(checked.value.limits)).toBeNull();
      }),
    );
  });
});

test('oneOf names what there is', () => {
  const checked = check(oneOf(['red', 'green']), 'blue');
  expect(checked).toEqual({
    ok: false,
    issues: [{ path: '', message: 'expected one of red, green, got "blue"' }],
  });
  expect(check(oneOf(['red']), 7).ok).toBe(false);
  expect(check(oneOf(['red']), 'constructor').ok).toBe(false);
});

test('refine sees only sound values', () => {
  const ordered = refine(array(integer(0, 9)), (list, at) => {
    if (list[0] !== 0) at.report('begins wrongly', 0);
  });
  expect(check(ordered, [0, 1]).ok).toBe(true);
  expect(check(ordered, [1])).toMatchObject({ issues: [{ path: '[0]', message: 'begins wrongly' }] });
  expect(check(ordered, ['x'])).toMatchObject({ issues: [{ message: 'expected a number, got a string' }] });
});

test('nullable takes null for absent', () => {
  const checker = object<{ readonly on?: boolean }>({}, { on: nullable(boolean) });
  expect(check(checker, { on: null })).toEqual({ ok: true, value: {} });
});

test('an array is bounded', () => {
  expect(check(array(text), new Array(200_000)).ok).toBe(false);
});

describe('parse', () => {
  test('reads JSON', () => {
    expect(parse(sample, '{"name":"a"}', 'sample.json')).toEqual({ name: 'a' });
  });

  test('says what is no JSON', () => {
    expect(() => parse(sample, '{', 'sample.json')).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_CONFIG',
        message: expect.stringMatching(/^sample\.json is not JSON: /),
      }),
    );
  });

  test('refuses what is too large before reading it', () => {
    expect(() => parse(sample, ' '.repeat(101), 'sample.json', 100)).toThrow(/too large/);
  });
});

test('whatever comes, a check neither throws nor changes it', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withSparseArray: true }), (value) => {
      const before = fc.stringify(value);
      check(sample, value);
      expect(fc.stringify(value)).toBe(before);
    }),
  );
});
