import { parseConfig, type RuntimeConfig } from 'nsbox/spec';

export const config: RuntimeConfig = parseConfig('{}', 'config.json');

export const least: RuntimeConfig = { ociVersion: '1.3.0', root: { path: 'rootfs' } };

// @ts-expect-error: the version is required
export const noVersion: RuntimeConfig = { root: { path: 'rootfs' } };

export const wrongName: RuntimeConfig = {
  ociVersion: '1.3.0',
  root: { path: 'rootfs' },
  // @ts-expect-error: no such namespace
  linux: { namespaces: [{ type: 'pids' }] },
};
