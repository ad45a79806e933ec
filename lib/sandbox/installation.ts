import { readFileSync } from 'node:fs';
import { arch, release } from 'node:os';
import { join } from 'node:path';
import { addon, addonPath, packageRoot } from '../native/load.js';
import { runtimePath } from '../native/runtime-binary.js';
import { capabilityMask, DEFAULT_CAPABILITIES } from '../runtime/capabilities.js';
import { MASKED_PATHS } from '../runtime/generate.js';
import { hiddenMounts } from './host.js';

/** What is installed, and what a sandbox is like when nothing is said. */
export interface Installation {
  readonly version: string;
  readonly node: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly package: string;
  readonly addon: string;
  readonly runtime: string;
  readonly defaults: {
    readonly network: 'none';
    readonly capabilities: readonly string[];
    readonly noNewPrivileges: true;
    /** How many system calls the default profile allows, some only with certain arguments. */
    readonly seccompAllowed: number;
    readonly maskedPaths: readonly string[];
    /** Directories of this machine that a sandbox sees empty. */
    readonly hidden: readonly string[];
  };
}

/** @throws NsboxError `ERR_NATIVE_MISSING`, `EUNSUPPORTED` */
export function installation(): Installation {
  return {
    version: version(),
    node: process.version,
    kernel: release(),
    architecture: arch(),
    package: packageRoot(),
    addon: addonPath(),
    runtime: runtimePath(),
    defaults: {
      network: 'none',
      capabilities: DEFAULT_CAPABILITIES,
      noNewPrivileges: true,
      seccompAllowed: allowedCalls(),
      maskedPaths: MASKED_PATHS,
      hidden: hiddenMounts().map(({ destination }) => destination),
    },
  };
}

/** This package's version. */
export function version(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(packageRoot(), 'package.json'), 'utf8'),
  );
  return version;
}

/** Where the executable is. */
export function runtimeFile(): string {
  return runtimePath();
}

function allowedCalls(): number {
  const profile: { syscalls?: { action: string; names: string[] }[] } = JSON.parse(
    addon().defaultSeccompProfile(capabilityMask(DEFAULT_CAPABILITIES)),
  );
  const allowed = profile.syscalls
    ?.filter(({ action }) => action === 'SCMP_ACT_ALLOW')
    .flatMap(({ names }) => names);
  return new Set(allowed).size;
}
