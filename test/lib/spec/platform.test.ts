import { expect, test } from 'vitest';
import { formatPlatform, parsePlatform, selectPlatform } from '../../../lib/spec/platform.js';

test.each([
  ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
  ['linux/arm/v6', { os: 'linux', architecture: 'arm', variant: 'v6' }],
  ['linux/arm', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['linux/arm64/v8', { os: 'linux', architecture: 'arm64' }],
  ['aarch64', { os: 'linux', architecture: 'arm64' }],
  ['x64', { os: 'linux', architecture: 'amd64' }],
  ['Linux/x86_64', { os: 'linux', architecture: 'amd64' }],
  ['linux/amd64/v3', { os: 'linux', architecture: 'amd64', variant: 'v3' }],
])('%s', (text, platform) => {
  expect(parsePlatform(text)).toEqual(platform);
  expect(parsePlatform(formatPlatform(platform))).toEqual(platform);
});

test.each(['', '/', 'linux/', 'a/b/c/d', 'linux/../amd64', 'linux/amd64/', 'li nux/amd64'])(
  '%j is refused',
  (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
  },
);

const entry = (name: string) => ({ name, platform: parsePlatform(name) });

test.each([
  ['linux/arm/v7', ['linux/amd64', 'linux/arm/v6', 'linux/arm/v7'], 'linux/arm/v7'],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v6'],
  ['linux/arm/v6', ['linux/arm/v7'], undefined],
  ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2'], 'linux/amd64/v2'],
  ['linux/arm64', ['linux/arm/v7'], undefined],
  ['linux/amd64', ['windows/amd64'], undefined],
])('%s of %j takes %s', (wanted, offered, chosen) => {
  expect(selectPlatform(offered.map(entry), parsePlatform(wanted))?.name).toBe(chosen);
});

test('entries without a platform, such as attestations, are passed over', () => {
  expect(selectPlatform([{}, {}], parsePlatform('linux/amd64'))).toBeUndefined();
});
