import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NsboxError } from '../../../lib/errors.js';
import { parseMountFlag } from '../../../lib/spec/mount-flag.js';

test.each([
  ['type=bind,source=/src,target=/dst', { type: 'bind', source: '/src', target: '/dst' }],
  ['type=bind,src=/src,dst=/dst,readonly', { type: 'bind', source: '/src', target: '/dst', readOnly: true }],
  [
    'type=bind,src=/src,destination=/dst,ro=false',
    { type: 'bind', source: '/src', target: '/dst', readOnly: false },
  ],
  [
    'type=bind,src=/src,dst=/dst,bind-propagation=rshared,bind-recursive=writable',
    { type: 'bind', source: '/src', target: '/dst', propagation: 'rshared', recursive: 'writable' },
  ],
  [
    'type=bind,src=/src,dst=/dst,bind-nonrecursive',
    { type: 'bind', source: '/src', target: '/dst', recursive: 'disabled' },
  ],
  ['"type=bind","src=/a,b:c","dst=/d ""e"""', { type: 'bind', source: '/a,b:c', target: '/d "e"' }],
  ['target=/dst', { type: 'volume', target: '/dst' }],
  [
    'src=data,dst=/dst,volume-nocopy,volume-subpath=a/b,volume-driver=local,volume-opt=type=nfs,"volume-opt=o=addr=x,rw",volume-label=a=b',
    {
      type: 'volume',
      source: 'data',
      target: '/dst',
      noCopy: true,
      subpath: 'a/b',
      driver: 'local',
      driverOptions: { type: 'nfs', o: 'addr=x,rw' },
      labels: { a: 'b' },
    },
  ],
  [
    'type=tmpfs,dst=/tmp,tmpfs-size=64m,tmpfs-mode=1770',
    { type: 'tmpfs', target: '/tmp', size: 67_108_864, mode: 0o1770 },
  ],
  [
    'type=image,src=node:24,dst=/img,image-subpath=usr',
    { type: 'image', source: 'node:24', target: '/img', subpath: 'usr' },
  ],
  ['type=bind,src=/a,dst=/b,consistency=cached', { type: 'bind', source: '/a', target: '/b' }],
])('%s', (text, mount) => {
  expect(parseMountFlag(text)).toEqual(mount);
});

test.each([
  ['', '"" is not key=value'],
  ['type=bind,source=/src', 'it has no target'],
  ['type=bind,target=/dst', 'it has no source'],
  ['type=bind,source=src,target=/dst', 'its source "src" is not an absolute path'],
  ['type=bind,source=/src,target=dst', 'its target "dst" is not an absolute path'],
  ['type=bind,source=/src,target=/', 'its target is the root directory'],
  ['type=npipe,target=/dst', 'unknown type "npipe"'],
  ['type=bind,source=/a,src=/b,target=/dst', 'source is there twice'],
  ['type=bind,source=/a,target=/dst,readonly=maybe', 'readonly is "maybe", neither true nor false'],
  ['type=bind,source=/a,target=/dst,volume-nocopy', '"volume-nocopy" is not for mounts of type bind'],
  ['type=bind,source=/a,target=/dst,colour=red', '"colour" is not for mounts of type bind'],
  ['type=bind,source=/a,target=/dst,bind-propagation=x', 'bind-propagation is "x", not one of private,'],
  ['type=bind,source=/a,target=/dst,bind-recursive=readonly', 'bind-recursive=readonly needs readonly'],
  ['type=volume,source=/a,target=/dst', 'for a path use type=bind'],
  ['type=volume,target=/dst,volume-subpath=../x', 'volume-subpath has to be a relative path without ..'],
  ['type=volume,target=/dst,volume-label=__proto__=x', 'volume-label has no name'],
  ['type=tmpfs,source=/a,target=/dst', 'a tmpfs has no source'],
  ['type=tmpfs,target=/dst,tmpfs-mode=9', 'tmpfs-mode "9" is not octal'],
  ['type=tmpfs,target=/dst,tmpfs-size=big', 'tmpfs-size: expected a size in bytes'],
  ['type=bind,"source=/a', 'a quotation mark is missing'],
  ['type=bind,source="/a",target=/dst', 'a quotation mark is missing or in the wrong place'],
  ['type', '"type" is not key=value'],
  ['type=bind,source=,target=/dst', 'source is empty'],
])('%j is refused: %s', (text, reason) => {
  expect(() => parseMountFlag(text)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining(reason) }),
  );
});

test('any path goes through when it is quoted', () => {
  const path = fc.string({ minLength: 1 }).filter((text) => !text.includes('\0') && !/^[./]*$/.test(text));
  fc.assert(
    fc.property(path, path, (source, target) => {
      const quoted = [`source=/${source}`, `target=/${target}`].map(
        (field) => `"${field.replaceAll('"', '""')}"`,
      );
      expect(parseMountFlag(['type=bind', ...quoted].join(','))).toEqual({
        type: 'bind',
        source: `/${source}`,
        target: `/${target}`,
      });
    }),
  );
});

test('whatever comes gives a mount or one clear error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(type|src|dst|ro|=|,|"|\/|a){0,12}$/)), (text) => {
      try {
        expect(parseMountFlag(text).target).toMatch(/^\//);
      } catch (error) {
        if (!(error instanceof NsboxError)) throw error;
      }
    }),
  );
});
