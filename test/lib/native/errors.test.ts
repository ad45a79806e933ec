import { describe, expect, test } from 'vitest';
import { NsboxError } from '../../../lib/errors.js';
import { codeOf, fromNative } from '../../../lib/native/errors.js';

const failure = (code: string): Error => Object.assign(new Error(`open x: ${code}`), { code });

describe('an error of the addon', () => {
  test.each([
    ['ENOENT', 'ERR_NOT_FOUND'],
    ['EACCES', 'ERR_PERMISSION'],
    ['ENOSPC', 'ERR_NO_SPACE'],
    ['EEXIST', 'ERR_ALREADY_EXISTS'],
    ['EXYZ', 'ERR_IO'],
  ])('%s becomes %s', (errno, code) => {
    const cause = failure(errno);
    expect(fromNative(cause, 'read')).toMatchObject({ code, message: `read: open x: ${errno}`, cause });
  });

  test('that is one of ours already stays as it is', () => {
    const ours = new NsboxError('ERR_DISPOSED', 'gone');
    expect(fromNative(ours, 'read')).toBe(ours);
  });

  test('may be anything', () => {
    expect(fromNative('text')).toMatchObject({ code: 'ERR_IO', message: 'text' });
    expect([codeOf(undefined), codeOf('x'), codeOf({ code: 3 }), codeOf(failure('EPERM'))]).toEqual([
      undefined,
      undefined,
      undefined,
      'EPERM',
    ]);
  });
});
