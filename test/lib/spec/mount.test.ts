import { expect, test } from 'vitest';
import { checkMount } from '../../../lib/spec/mount.js';
import { check } from '../../../lib/spec/validate.js';

test('a mount passes', () => {
  const mount = { destination: '/a', type: 'tmpfs', source: 'tmpfs', options: ['size=64k'] };
  expect(check(checkMount, mount)).toEqual({ ok: true, value: mount });
});

test.each([
  [{}, 'destination: required, but missing'],
  [{ destination: '/a\0' }, 'destination: expected a string without NUL bytes'],
  [{ destination: '/a', options: 'ro' }, 'options: expected an array, got a string'],
])('%j is refused', (mount, message) => {
  const checked = check(checkMount, mount);
  expect(checked.ok ? [] : checked.issues.map((issue) => `${issue.path}: ${issue.message}`)).toEqual([
    message,
  ]);
});
