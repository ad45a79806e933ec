import { expect, test } from 'vitest';
import { parseImageConfig } from '../../../../lib/spec/image/config.js';

const image = {
  architecture: 'amd64',
  os: 'linux',
  created: '2026-01-02T03:04:05.678901234Z',
  config: {
    User: '1000:1000',
    ExposedPorts: { '80/tcp': {} },
    Env: ['PATH=/usr/bin'],
    Entrypoint: ['/entry'],
    Cmd: ['run'],
    Volumes: { '/data': {} },
    WorkingDir: '/app',
    Labels: { a: 'b' },
    StopSignal: 'SIGTERM',
    Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9 },
  },
  rootfs: { type: 'layers', diff_ids: [`sha256:${'0f'.repeat(32)}`] },
  history: [{ created: '2026-01-02T03:04:05+01:00', created_by: 'COPY', empty_layer: false }],
};

test('an image configuration passes', () => {
  expect(parseImageConfig(JSON.stringify(image))).toEqual(image);
});

test("Docker's nulls count as absent", () => {
  const config = {
    Cmd: null,
    Entrypoint: null,
    Env: null,
    Volumes: null,
    Labels: null,
    OnBuild: null,
    ExposedPorts: null,
  };
  expect(parseImageConfig(JSON.stringify({ ...image, config, history: null })).config).toEqual({});
});

test.each<[object, string]>([
  [{ rootfs: { type: 'layers', diff_ids: ['sha256:1'] } }, 'rootfs.diff_ids[0]: expected a digest'],
  [{ rootfs: { type: 'other', diff_ids: [] } }, 'rootfs.type: expected one of layers, got "other"'],
  [{ os: undefined }, 'os: required, but missing'],
  [{ created: 'yesterday' }, 'created: expected a date and time'],
  [{ config: { Env: ['A\0'] } }, 'config.Env[0]: expected a string without NUL bytes'],
  [{ config: { Cmd: 'sh' } }, 'config.Cmd: expected an array, got a string'],
  [{ config: { Volumes: { '/a': 1 } } }, 'config.Volumes["/a"]: expected an object, got a number'],
])('%j is refused', (fields, message) => {
  expect(() => parseImageConfig(JSON.stringify({ ...image, ...fields }))).toThrow(message);
});
