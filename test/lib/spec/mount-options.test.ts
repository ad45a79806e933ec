import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MOUNT_OPTIONS, parseMountOptions } from '../../../lib/spec/mount-options.js';

test("the table has all 62 options of runtime-spec's, in its order", () => {
  const names = [...MOUNT_OPTIONS.keys()];
  expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
  expect(names).toHaveLength(62);
});

test('options come to flags, propagation and data', () => {
  const options = parseMountOptions([
    'rbind',
    'ro',
    'nosuid',
    'rslave',
    'rro',
    'mode=755',
    'size=64k',
    'ridmap',
  ]);
  expect(options).toEqual({
    bind: 'rbind',
    flags: new Map([
      ['rdonly', true],
      ['nosuid', true],
    ]),
    recursiveFlags: new Map([['rdonly', true]]),
    propagation: 'rslave',
    idmap: 'ridmap',
    remount: false,
    tmpcopyup: false,
    data: ['mode=755', 'size=64k'],
  });
});

test('the later option wins', () => {
  expect(parseMountOptions(['ro', 'rw']).flags.get('rdonly')).toBe(false);
  expect(parseMountOptions(['rbind', 'bind']).bind).toBe('bind');
  expect(parseMountOptions(['shared', 'private']).propagation).toBe('private');
});

test('each option with no- in front of its opposite says the contrary', () => {
  for (const [name, meaning] of MOUNT_OPTIONS) {
    const positive = name.replace(/^(r?)no/, '$1');
    if (positive === name || meaning.kind !== 'flag') continue;
    const opposite = MOUNT_OPTIONS.get(positive);
    if (opposite !== undefined) expect(opposite).toEqual({ ...meaning, value: !meaning.value });
  }
});

test('each recursive option says what the plain one says', () => {
  for (const [name, meaning] of MOUNT_OPTIONS)
    if (meaning.kind === 'recursiveFlag')
      expect(MOUNT_OPTIONS.get(name.slice(1))).toEqual({ ...meaning, kind: 'flag' });
});

test('what is not in the table is kept in order', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (options) => {
      expect(parseMountOptions(options).data).toEqual(options.filter((option) => !MOUNT_OPTIONS.has(option)));
    }),
  );
});
