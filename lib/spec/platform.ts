import { NsboxError } from '../errors.js';
import { nonEmpty, strings } from './checks.js';
import { type Check, object, quote } from './validate.js';

/**
 * What an image's programs were built for, in Go's words.
 *
 * @see image-spec, image-index.md, "platform"
 */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
  /** Of the CPU, such as `v7`. */
  readonly variant?: string;
}

export const checkPlatform: Check<Platform> = object<Platform>(
  { architecture: nonEmpty, os: nonEmpty },
  { 'os.version': nonEmpty, 'os.features': strings, variant: nonEmpty },
);

/** Other names of architectures, by uname(2), Node.js and habit. */
const ALIASES: ReadonlyMap<string, { readonly architecture: string; readonly variant?: string }> = new Map([
  ['x64', { architecture: 'amd64' }],
  ['x86_64', { architecture: 'amd64' }],
  ['x86-64', { architecture: 'amd64' }],
  ['ia32', { architecture: '386' }],
  ['i386', { architecture: '386' }],
  ['i686', { architecture: '386' }],
  ['aarch64', { architecture: 'arm64' }],
  ['armhf', { architecture: 'arm', variant: 'v7' }],
  ['armel', { architecture: 'arm', variant: 'v6' }],
  ['ppc64el', { architecture: 'ppc64le' }],
]);

const PART = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

/**
 * Reads `os/architecture`, `os/architecture/variant`, or an architecture alone, which means Linux.
 *
 * @example parsePlatform('linux/arm64') // { os: 'linux', architecture: 'arm64' }
 * @example parsePlatform('x64') // { os: 'linux', architecture: 'amd64' }, from process.arch
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function parsePlatform(value: string): Platform {
  const parts = value.toLowerCase().split('/');
  const [os = '', architecture = '', variant] = parts.length === 1 ? ['linux', ...parts] : parts;
  if (parts.length > 3 || ![os, architecture, variant ?? 'v1'].every((part) => PART.test(part)))
    throw new NsboxError('ERR_INVALID_ARGUMENT', `not a platform: ${quote(value)}`, {
      hint: 'write it as linux/amd64 or linux/arm/v7',
    });
  return normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

/** The usual names, without a variant that every such CPU has: `aarch64` `v8` becomes `arm64`. */
export function normalizePlatform(platform: Platform): Platform {
  const { architecture: name, variant: given, ...rest } = platform;
  const { architecture, variant: implied } = ALIASES.get(name) ?? { architecture: name };
  const variant = implicit(architecture, given ?? implied);
  return { ...rest, architecture, ...(variant === undefined ? {} : { variant }) };
}

function implicit(architecture: string, variant: string | undefined): string | undefined {
  if (architecture === 'arm') return variant === undefined ? 'v7' : variant.replace(/^(?=\d)/, 'v');
  if (architecture === 'arm64' && (variant === 'v8' || variant === '8')) return undefined;
  if (architecture === 'amd64' && variant === 'v1') return undefined;
  return variant;
}

/** `linux/arm/v7`, as {@link parsePlatform} reads it. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/**
 * Picks what runs best on `wanted`: the same variant, else the newest older one; undefined where
 * nothing runs. Entries without a platform are no images to run.
 */
export function selectPlatform<T extends { readonly platform?: Platform }>(
  entries: readonly T[],
  wanted: Platform,
): T | undefined {
  let best: { readonly entry: T; readonly level: number } | undefined;
  for (const entry of entries) {
    const level = entry.platform === undefined ? -1 : runLevel(entry.platform, wanted);
    if (level >= 0 && level > (best?.level ?? -1)) best = { entry, level };
  }
  return best?.entry;
}

// Variants count upwards and later CPUs run what was built for earlier ones.
function runLevel(offered: Platform, wanted: Platform): number {
  const have = normalizePlatform(offered);
  const want = normalizePlatform(wanted);
  if (have.os !== want.os || have.architecture !== want.architecture) return -1;
  const level = variantLevel(have.variant);
  return level <= variantLevel(want.variant) ? level : -1;
}

function variantLevel(variant: string | undefined): number {
  if (variant === undefined) return 0;
  const digits = /^v(\d{1,3}(?:\.\d{1,3})?)$/.exec(variant)?.[1];
  return digits === undefined ? Number.POSITIVE_INFINITY : Number(digits);
}
