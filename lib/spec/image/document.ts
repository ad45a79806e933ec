import { NsboxError } from '../../errors.js';
import { type Check, parse, quote } from '../validate.js';

/**
 * Reads and checks a document that a digest names. One with a key twice is refused: of the two values some programs take the
 * first and others the last, so that the digest would name two things.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function parseDocument<T>(checker: Check<T>, json: string, what: string): T {
  const document = parse(checker, json, what);
  const twice = duplicateKey(json);
  if (twice === undefined) return document;
  throw new NsboxError('ERR_INVALID_CONFIG', `${what} has ${quote(twice)} twice`);
}

/** The first key that an object has twice, in a text that is JSON. */
export function duplicateKey(json: string): string | undefined {
  // One for each open object or array; only objects have keys.
  const open: Set<string>[] = [];
  let text = '';
  for (let at = 0; at < json.length; at += 1) {
    const sign = json[at];
    if (sign === '{' || sign === '[') open.push(new Set());
    else if (sign === '}' || sign === ']') open.pop();
    else if (sign === '"') {
      const end = endOfString(json, at);
      text = json.slice(at, end + 1);
      at = end;
    } else if (sign === ':') {
      const key: unknown = JSON.parse(text);
      const keys = open.at(-1);
      if (typeof key !== 'string' || keys === undefined) continue;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}
