import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NsboxError } from '../../../lib/errors.js';
import { formatReference, parseReference, shortReference } from '../../../lib/spec/reference.js';

const digest = `sha256:${'0f'.repeat(32)}`;

test.each([
  ['node', 'docker.io/library/node:latest', 'node:latest'],
  ['node:24-alpine', 'docker.io/library/node:24-alpine', 'node:24-alpine'],
  ['user/app', 'docker.io/user/app:latest', 'user/app:latest'],
  ['docker.io/node', 'docker.io/library/node:latest', 'node:latest'],
  ['index.docker.io/user/app:1', 'docker.io/user/app:1', 'user/app:1'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/a/b/c:1', 'localhost:5000/a/b/c:1', 'localhost:5000/a/b/c:1'],
  ['ghcr.io/a/b', 'ghcr.io/a/b:latest', 'ghcr.io/a/b:latest'],
  ['[::1]:5000/a', '[::1]:5000/a:latest', '[::1]:5000/a:latest'],
  ['Registry/app', 'Registry/app:latest', 'Registry/app:latest'],
  [`node@${digest}`, `docker.io/library/node@${digest}`, `node@${digest}`],
  [`node:24@${digest}`, `docker.io/library/node:24@${digest}`, `node:24@${digest}`],
  ['a__b/c--d.e_f', 'docker.io/a__b/c--d.e_f:latest', 'a__b/c--d.e_f:latest'],
])('%s is %s', (name, full, short) => {
  const reference = parseReference(name);
  expect(formatReference(reference)).toBe(full);
  expect(shortReference(reference)).toBe(short);
  expect(parseReference(full)).toEqual(reference);
  expect(parseReference(short)).toEqual(reference);
});

test.each([
  ['', 'it is empty'],
  ['Node', 'the repository has upper-case letters'],
  ['user/App', 'the repository has upper-case letters'],
  ['a//b', '"a//b" is not a repository'],
  ['../a', '".." is not a registry'],
  ['a/../b', '"a/../b" is not a repository'],
  ['a/', '"a/" is not a repository'],
  ['a:', '"" is not a tag'],
  ['a:-b', '"-b" is not a tag'],
  [`a:${'t'.repeat(129)}`, 'is not a tag'],
  ['a@sha256:12', '"sha256:12" is not a digest'],
  ['a:1:2', '"1:2" is not a tag'],
  ['-a.b/c', '"-a.b" is not a registry'],
  ['a.b:port/c', '"a.b:port" is not a registry'],
  ['https://a.b/c', 'is not a registry'],
  ['a b', '"library/a b" is not a repository'],
  ['a\n', 'is not a repository'],
  ['0f'.repeat(32), 'it is an image ID'],
  ['a/'.repeat(128), 'is not a repository'],
  [`${'a/'.repeat(127)}aa`, 'the name is longer than 255'],
  ['a'.repeat(2000), 'it is longer than 1024 characters'],
])('%j is refused: %s', (name, reason) => {
  expect(() => parseReference(name)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining(reason) }),
  );
});

test('whatever comes is a reference that reads back equal, or one clear error', () => {
  const likely = fc.stringMatching(/^[a-zA-Z0-9.:/@_-]{1,40}$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), likely), (name) => {
      try {
        const reference = parseReference(name);
        expect(parseReference(formatReference(reference))).toEqual(reference);
        expect(parseReference(shortReference(reference))).toEqual(reference);
        expect(reference.path).not.toContain('..');
      } catch (error) {
        if (!(error instanceof NsboxError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
