import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../lib/native/load.js';
import { runtimePath } from '../lib/native/runtime-binary.js';
import { capabilityMask, DEFAULT_CAPABILITIES } from '../lib/runtime/capabilities.js';
import type { RuntimeConfig } from '../lib/spec/runtime/config.js';
import type { Fixtures } from './fixtures.js';
import { PEER_GROUP } from './peers.js';

export interface BundleOptions {
  readonly args: readonly string[];
  readonly hasSeccomp?: boolean;
  /** In bytes. */
  readonly memory?: number;
}

/** A bundle of the configuration that `spec` writes, for all contestants; its root is the fixtures' one. */
export function makeRuntimeBundle({ folder }: Fixtures, name: string, options: BundleOptions): void {
  const bundle = join(folder, name);
  mkdirSync(bundle);
  execFileSync(runtimePath(), ['spec', '--bundle', bundle]);
  const file = join(bundle, 'config.json');
  writeFileSync(file, JSON.stringify(changed(JSON.parse(readFileSync(file, 'utf8')), options)));
}

function changed(config: RuntimeConfig, { args, hasSeccomp = false, memory }: BundleOptions): RuntimeConfig {
  const { process, linux } = config;
  if (process === undefined) throw new Error('spec: no process');
  return {
    ...config,
    // Peers of some years refuse a version that they do not know.
    ociVersion: '1.0.2',
    process: { ...process, args, terminal: false },
    root: { path: '../rootfs', readonly: true },
    linux: {
      ...linux,
      cgroupsPath: PEER_GROUP,
      ...(hasSeccomp && { seccomp: JSON.parse(defaultProfile()) }),
      ...(memory !== undefined && { resources: { ...linux?.resources, memory: { limit: memory } } }),
    },
  };
}

function defaultProfile(): string {
  return addon().defaultSeccompProfile(capabilityMask(DEFAULT_CAPABILITIES));
}
