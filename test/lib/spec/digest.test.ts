import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isDigest, parseDigest } from '../../../lib/spec/digest.js';

const hex = 'a1'.repeat(32);

test('the registered algorithms are verifiable', () => {
  expect(parseDigest(`sha256:${hex}`)).toEqual({ algorithm: 'sha256', hex });
  expect(parseDigest(`sha512:${hex}${hex}`)).toEqual({ algorithm: 'sha512', hex: hex + hex });
});

test('an unregistered algorithm has the form of a digest, but cannot be verified', () => {
  expect(isDigest('multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8')).toBe(true);
  expect(() => parseDigest('multihash+base58:QmRZ')).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
  );
});

test.each([
  '',
  'sha256',
  'sha256:',
  `sha256:${hex}0`,
  `sha256:${hex.slice(1)}`,
  `sha256:${hex.toUpperCase()}`,
  `SHA256:${hex}`,
  `sha256:${hex}\n`,
  'sha256:../../etc/passwd',
  '../x:abc',
  'a/b:abc',
  'other:..',
  `other:${'a'.repeat(300)}`,
])('%j is no digest', (value) => {
  expect(isDigest(value)).toBe(false);
  expect(() => parseDigest(value)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
});

test('a digest is always one safe file name a part', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9+._-]{1,8}:[\w=./-]{1,8}$/)), (value) => {
      if (isDigest(value))
        expect(value.split(':').every((part) => /^[\w=+-][\w=+.-]*$/.test(part))).toBe(true);
    }),
  );
});
