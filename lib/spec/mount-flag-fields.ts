import type { Refuse } from './mount-names.js';
import { quote } from './validate.js';

/** The fields of a `--mount`, each taken once; what nobody took is an error. */
export class Fields {
  readonly #values = new Map<string, string[]>();
  readonly #refuse: Refuse;

  constructor(text: string, refuse: Refuse) {
    this.#refuse = refuse;
    for (const field of splitCsv(text, refuse)) {
      const equals = field.indexOf('=');
      const key = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase();
      const value = equals < 0 ? '' : field.slice(equals + 1);
      if (equals < 0 && !BARE.has(key)) throw refuse(`${quote(field)} is not key=value`);
      this.#values.set(key, [...(this.#values.get(key) ?? []), value]);
    }
  }

  /** The value of a key, which may go by several names. */
  take(...names: readonly string[]): string | undefined {
    const values = names.flatMap((name) => this.#takeAll(name));
    if (values.length > 1) throw this.#refuse(`${names[0]} is there twice`);
    if (values[0] === '') throw this.#refuse(`${names[0]} is empty`);
    return values[0];
  }

  /** The value of a key that has to be there. */
  need(...names: readonly string[]): string {
    const value = this.take(...names);
    if (typeof value === 'string') return value;
    throw this.#refuse(`it has no ${names[0]}`);
  }

  /** A key that is true when it stands alone. */
  flag(...names: readonly string[]): boolean | undefined {
    const values = names.flatMap((name) => this.#takeAll(name));
    if (values.length > 1) throw this.#refuse(`${names[0]} is there twice`);
    const [value] = values;
    if (value === undefined) return undefined;
    if (['', 'true', '1'].includes(value)) return true;
    if (['false', '0'].includes(value)) return false;
    throw this.#refuse(`${names[0]} is ${quote(value)}, neither true nor false`);
  }

  oneOf<const T extends string>(name: string, members: readonly T[]): T | undefined {
    const value = this.take(name);
    const member = members.find((candidate) => candidate === value);
    if (value !== undefined && member === undefined)
      throw this.#refuse(`${name} is ${quote(value)}, not one of ${members.join(', ')}`);
    return member;
  }

  /** A path that stays inside what it is joined to. */
  subpath(name: string): string | undefined {
    const value = this.take(name);
    if (value?.startsWith('/') === true || value?.split('/').includes('..') === true)
      throw this.#refuse(`${name} has to be a relative path without ..`);
    return value;
  }

  /** The values of a key that may come often, each `name=value`. */
  pairs(name: string): Readonly<Record<string, string>> | undefined {
    const values = this.#takeAll(name);
    if (values.length === 0) return undefined;
    const pairs: Record<string, string> = Object.create(null);
    for (const pair of values) {
      const equals = pair.indexOf('=');
      const key = equals < 0 ? pair : pair.slice(0, equals);
      if (key === '' || key === '__proto__') throw this.#refuse(`${name} has no name in ${quote(pair)}`);
      pairs[key] = equals < 0 ? '' : pair.slice(equals + 1);
    }
    return pairs;
  }

  refuseRest(type: string): void {
    const [key] = this.#values.keys();
    if (key !== undefined) throw this.#refuse(`${quote(key)} is not for mounts of type ${type}`);
  }

  #takeAll(name: string): readonly string[] {
    const values = this.#values.get(name) ?? [];
    this.#values.delete(name);
    return values;
  }
}

const BARE = new Set(['readonly', 'ro', 'bind-nonrecursive', 'bind-create-src', 'volume-nocopy']);

// RFC 4180's quoting, for one line.
function splitCsv(text: string, refuse: Refuse): readonly string[] {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  let separator: string | undefined = ',';
  while (separator === ',') {
    const [, quoted, plain = '', next]: (string | undefined)[] = field.exec(text) ?? [];
    if (next === undefined) throw refuse('a quotation mark is missing or in the wrong place');
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
    separator = next;
  }
  return fields;
}
