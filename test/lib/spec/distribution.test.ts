import { expect, test } from 'vitest';
import { checkRegistryErrors, checkTagList, checkTokenResponse } from '../../../lib/spec/distribution.js';
import { check } from '../../../lib/spec/validate.js';

test("a registry's errors pass, its own codes included, details left out", () => {
  const body = {
    errors: [{ code: 'MANIFEST_UNKNOWN', message: 'no', detail: { Tag: 'x' } }, { code: 'OWN' }],
  };
  expect(check(checkRegistryErrors, body)).toEqual({
    ok: true,
    value: { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'no' }, { code: 'OWN' }] },
  });
  expect(check(checkRegistryErrors, { errors: [{ code: 404 }] }).ok).toBe(false);
});

test('a repository without tags may say null', () => {
  expect(check(checkTagList, { name: 'a', tags: null })).toEqual({ ok: true, value: { name: 'a' } });
  expect(check(checkTagList, { name: 'a', tags: [1] }).ok).toBe(false);
});

test('a token response passes', () => {
  const body = { token: 'abc', expires_in: 300, issued_at: '2026-01-01T00:00:00Z' };
  expect(check(checkTokenResponse, body)).toEqual({ ok: true, value: body });
  expect(check(checkTokenResponse, { token: '' }).ok).toBe(false);
});
