import { expect, test } from 'vitest';
import { readMount, readTmpfs, readVolume } from '../../../../lib/cli/run/mounts.js';

test.each([
  ['/cache', { type: 'tmpfs', target: '/cache' }],
  ['/cache:size=1m,mode=700', { type: 'tmpfs', target: '/cache', size: 1048576, mode: 0o700 }],
  ['/cache:rw,noexec', { type: 'tmpfs', target: '/cache', options: ['noexec'] }],
  ['/cache:ro', { type: 'tmpfs', target: '/cache', readOnly: true }],
])('--tmpfs %s', (value, mount) => {
  expect(readTmpfs(value)).toEqual(mount);
});

test.each(['cache', '', '/cache:mode=9', '/cache:size=x'])('--tmpfs %j is refused', (value) => {
  expect(() => readTmpfs(value)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
});

test('--volume and --mount show files of this machine', () => {
  expect(readVolume('/a:/b:ro')).toMatchObject({ type: 'bind', source: '/a', target: '/b', readOnly: true });
  expect(readMount('type=bind,source=/a,target=/b')).toMatchObject({
    type: 'bind',
    source: '/a',
    target: '/b',
  });
});

test('volumes and images are refused, with what can be written', () => {
  const error = { hint: 'name a directory of this machine: -v ./data:/data' };
  expect(() => readVolume('data:/b')).toThrow(expect.objectContaining(error));
  expect(() => readMount('type=image,source=alpine,target=/b')).toThrow(expect.objectContaining(error));
});
