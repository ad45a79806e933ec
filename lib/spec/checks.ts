import { array, type Check, integer, matching, type Place, quote, record, text } from './validate.js';

export const uint16 = integer(0, 0xffff);
export const uint32 = integer(0, 0xffff_ffff);
export const int32 = integer(-(2 ** 31), 2 ** 31 - 1);
// The upper bounds are what JSON.parse makes of 2^63-1 and 2^64-1.
export const int64 = integer(-(2 ** 63), 2 ** 63);
export const uint64 = integer(0, 2 ** 64);

/** A user or group id. 2^32-1 is the kernel's -1, "leave it as it is", and no id. */
export const id = integer(0, 0xffff_fffe);

export const nonEmpty = matching(/./s, 'a string that is not empty');
export const absolutePath = matching(/^\//, 'an absolute path');
/** A name that stays within one line of a kernel file. */
export const singleLine = matching(/^[^\n]*$/, 'a single line');
export const strings = array(text);
export const absolutePaths = array(absolutePath);

/** @see runtime-spec, config.md, "Annotations"; image-spec, annotations.md */
export const annotations = record(text, nonEmpty);

/** The form of SemVer 2.0.0. */
export const SEMVER =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/;

/** The version of a specification in whose 1.x series we are. */
export const specVersion: Check<string> = (value, at) => {
  const version = text(value, at);
  if (version === undefined) return undefined;
  if (!SEMVER.test(version)) return at.report(`expected a version such as 1.3.0, got ${quote(version)}`);
  if (!version.startsWith('1.')) return at.report(`expected version 1.x, got ${quote(version)}`);
  return version;
};

const ENVIRONMENT = /^[^=]+=/;

/** `NAME=value`, the value possibly empty. */
export const environment = array(matching(ENVIRONMENT, 'NAME=value'));

const CPU_RANGE = /^(\d{1,9})(?: *- *(\d{1,9})(?::\d{1,9}\/\d{1,9})?)?$/;

/** The kernel's list format, `0-3,7`; empty for none. */
export const cpuList: Check<string> = (value, at) => {
  const list = text(value, at);
  if (list === undefined || list.trim() === '') return list;
  // Beside digits, only these; trim() below would forgive a newline.
  if (/[^\d ,:/-]/.test(list)) return at.report(`expected a list such as 0-3,7, got ${quote(list)}`);
  for (const part of list.split(',')) {
    const [range, first, last = first] = CPU_RANGE.exec(part.trim()) ?? [];
    if (range === undefined) return at.report(`expected a list such as 0-3,7, got ${quote(list)}`);
    if (Number(first) > Number(last)) return at.report(`the range ${range} runs backwards`);
  }
  return list;
};

/** Reports each entry whose name an earlier one had already. */
export function refuseDuplicates<T>(
  entries: readonly T[],
  key: string,
  name: (entry: T) => string,
  at: Place,
): void {
  const seen = new Set<string>();
  entries.forEach((entry, index) => {
    const value = name(entry);
    if (seen.has(value)) at.report(`${value} is there twice`, index, key);
    seen.add(value);
  });
}
