import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NsboxError } from '../../../lib/errors.js';
import { parseVolumeFlag } from '../../../lib/spec/volume-flag.js';

test.each([
  ['/src:/dst', { type: 'bind', source: '/src', target: '/dst', createSource: true }],
  ['/src:/dst:ro', { type: 'bind', source: '/src', target: '/dst', createSource: true, readOnly: true }],
  ['/src:/dst:rw', { type: 'bind', source: '/src', target: '/dst', createSource: true, readOnly: false }],
  ['./src:/dst', { type: 'bind', source: './src', target: '/dst', createSource: true }],
  ['.:/dst', { type: 'bind', source: '.', target: '/dst', createSource: true }],
  ['~/src:/dst', { type: 'bind', source: '~/src', target: '/dst', createSource: true }],
  [
    '/src:/dst:ro,z,rslave,cached',
    {
      type: 'bind',
      source: '/src',
      target: '/dst',
      createSource: true,
      readOnly: true,
      relabel: 'shared',
      propagation: 'rslave',
    },
  ],
  ['/src:/dst:Z', { type: 'bind', source: '/src', target: '/dst', createSource: true, relabel: 'private' }],
  ['data:/dst', { type: 'volume', source: 'data', target: '/dst' }],
  ['data:/dst:nocopy,ro', { type: 'volume', source: 'data', target: '/dst', noCopy: true, readOnly: true }],
  ['/dst', { type: 'volume', target: '/dst' }],
])('%s', (text, mount) => {
  expect(parseVolumeFlag(text)).toEqual(mount);
});

test.each([
  ['', 'a part of it is empty'],
  [':/dst', 'a part of it is empty'],
  ['/src:', 'a part of it is empty'],
  ['/a:/b:ro:x', 'too many colons'],
  ['/src:dst', 'its target "dst" is not an absolute path'],
  ['/src:/', 'its target is the root directory'],
  ['/src:/..', 'its target is the root directory'],
  ['data', 'its target "data" is not an absolute path'],
  ['da/ta:/dst', '"da/ta" is neither an absolute path nor the name of a volume'],
  ['/src:/dst:readonly', 'unknown option "readonly"'],
  ['/src:/dst:ro,rw', 'option "rw" says something a second time'],
  ['/src:/dst:nocopy', 'nocopy is for named volumes'],
  ['data:/dst:rshared', 'rshared is for paths of the host'],
  ['/src:/dst:', 'a part of it is empty'],
  ['/src:/dst:ro,', 'unknown option ""'],
])('%j is refused: %s', (text, reason) => {
  expect(() => parseVolumeFlag(text)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining(reason) }),
  );
});

test('whatever comes, a target is absolute, or there is one clear error', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^[a-z/.~]{0,6}(:[a-z/.]{0,6}(:[a-z,]{0,8})?)?$/)),
      (text) => {
        try {
          expect(parseVolumeFlag(text).target).toMatch(/^\//);
        } catch (error) {
          if (!(error instanceof NsboxError)) throw error;
        }
      },
    ),
  );
});
