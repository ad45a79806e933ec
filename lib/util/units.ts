import { NsboxError } from '../errors.js';

const SIZE = /^(\d+(?:\.\d+)?|\.\d+) ?(?:([kmgtp])i?)?b?$/i;
const SIZE_EXPONENT: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Reads a size in bytes as Docker does: units are powers of 1024, their case does not matter.
 *
 * @example parseSize('256m') // 268435456
 * @example parseSize('1.5g') // 1610612736
 * @example parseSize(1024) // 1024
 * @param what - names the value in the error: `limits.memory`
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function parseSize(size: string | number, what = 'size'): number {
  const bytes = typeof size === 'number' ? size : sizeOf(size);
  if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw invalid(what, size, 'a size in bytes', '256m, 1.5g, 64k or a whole number of bytes');
}

function sizeOf(text: string): number {
  const match = SIZE.exec(text);
  if (match === null) return Number.NaN;
  const [, digits = '', unit = ''] = match;
  return Math.trunc(Number(digits) * 1024 ** (SIZE_EXPONENT[unit.toLowerCase()] ?? 0));
}

const DURATION = /^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h|d))+$/;
const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d)/g;
const MILLISECONDS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a duration, in milliseconds. A number is milliseconds already, and `'0'` needs no unit.
 *
 * @example parseDuration('1m30s') // 90000
 * @example parseDuration('500ms') // 500
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function parseDuration(duration: string | number, what = 'duration'): number {
  const milliseconds = typeof duration === 'number' ? duration : durationOf(duration);
  if (Number.isFinite(milliseconds) && milliseconds >= 0 && milliseconds <= Number.MAX_SAFE_INTEGER)
    return milliseconds;
  throw invalid(what, duration, 'a duration', '30s, 1m30s, 500ms or a number of milliseconds');
}

function durationOf(text: string): number {
  if (text === '0') return 0;
  // A bound on the length keeps the two patterns linear in practice as well as in theory.
  if (text.length > 100 || !DURATION.test(text)) return Number.NaN;
  let total = 0;
  for (const [, digits = '', unit = ''] of text.matchAll(DURATION_PART))
    total += Number(digits) * (MILLISECONDS[unit] ?? Number.NaN);
  return total;
}

const CPUS = /^(?:\d+(?:\.\d+)?|\.\d+)$/;

/**
 * Reads a number of CPUs, fractions allowed, as `docker run --cpus` does.
 *
 * @example parseCpus('0.5') // 0.5
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function parseCpus(cpus: string | number, what = 'cpus'): number {
  const count = typeof cpus === 'number' ? cpus : CPUS.test(cpus) ? Number(cpus) : Number.NaN;
  // The kernel's smallest quota is 1 ms in a period of at most 1 s.
  if (count >= 0.001 && count <= 2 ** 20) return count;
  throw invalid(what, cpus, 'a number of CPUs', '0.5, 2 or "1.5"');
}

function invalid(what: string, given: unknown, expected: string, examples: string): NsboxError {
  const shown = typeof given === 'string' ? JSON.stringify(given.slice(0, 80)) : String(given);
  return new NsboxError('ERR_INVALID_ARGUMENT', `${what}: expected ${expected}, got ${shown}`, {
    hint: `write it as ${examples}`,
  });
}
