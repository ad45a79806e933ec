import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NsboxError } from '../errors.js';
import type { Addon } from './contract.js';

const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];

let loaded: Addon | undefined;
let root: string | undefined;

/**
 * The addon: from the package's prebuilds, or from a checkout's own build.
 *
 * @throws {@link NsboxError} `EUNSUPPORTED` off Linux, `ERR_NATIVE_MISSING` when there is no build
 */
export function addon(): Addon {
  loaded ??= load();
  return loaded;
}

function load(): Addon {
  const file = addonPath();
  // The contract is the addon's own: what it exports is what contract.ts says, and the tests call each function.
  return createRequire(import.meta.url)(file) as Addon;
}

/** The path of the addon. */
export function addonPath(): string {
  return nativeFile('nsbox.node');
}

/**
 * Where a file of the native part is.
 *
 * @throws {@link NsboxError} as {@link addon}
 */
export function nativeFile(name: 'nsbox.node' | 'nsbox-runtime'): string {
  refuseUnsupported();
  const folder = packageRoot();
  const places = [
    join(folder, 'prebuilds', `linux-${process.arch}`, name),
    join(folder, 'build', 'Release', name),
  ];
  // A checkout's own build is newer than prebuilds that were made in it.
  const found = [...places].reverse().find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new NsboxError(
    'ERR_NATIVE_MISSING',
    `the native part of nsbox is missing: no ${name} in ${places.join(' or ')}`,
    {
      hint: 'in a checkout, run `npm install` (needs g++, make and python3)',
    },
  );
}

function refuseUnsupported(): void {
  if (process.platform === 'linux' && ARCHITECTURES.includes(process.arch)) return;
  throw new NsboxError(
    'EUNSUPPORTED',
    `nsbox runs on Linux (x64, arm64), this is ${process.platform} (${process.arch})`,
    { hint: 'use a Linux machine or virtual machine' },
  );
}

/** The folder that holds package.json: this file runs from `lib/native/`, and bundled from `dist/`. */
export function packageRoot(): string {
  root ??= findRoot();
  return root;
}

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new NsboxError('ERR_NATIVE_MISSING', 'the package of nsbox is not complete: no package.json');
    folder = parent;
  }
  return folder;
}
