import { NsboxError } from '../errors.js';

/** One thing that is wrong with a document, and where: `process.args[0]`. The document itself is ''. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/**
 * Checks a value from outside and gives back a copy of what it knows of it, or reports issues to
 * `at` and gives back undefined. Copies are null-prototype objects without unknown fields, so nothing
 * of the sender's comes along: no `__proto__`, no getter that answers otherwise the second time.
 */
export type Check<T> = (value: unknown, at: Place) => T | undefined;

/** What {@link check} found. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Checks a value without throwing. */
export function check<T>(checker: Check<T>, value: unknown): Checked<T> {
  const at = new Place();
  const copy = checker(value, at);
  if (copy !== undefined && at.count === 0) return { ok: true, value: copy };
  return { ok: false, issues: at.issues };
}

/**
 * Checks a value and gives back the copy.
 *
 * @param what - names the document in the error: `config.json`
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`, with the issues one a line
 */
export function validate<T>(checker: Check<T>, value: unknown, what: string): T {
  const at = new Place();
  const copy = checker(value, at);
  if (copy !== undefined && at.count === 0) return copy;
  throw new NsboxError('ERR_INVALID_CONFIG', explain(what, at));
}

/**
 * Reads and checks a JSON document.
 *
 * @param limit - most characters read; manifests and configurations are small
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function parse<T>(checker: Check<T>, text: string, what: string, limit = 4 * 1024 * 1024): T {
  if (text.length > limit)
    throw new NsboxError(
      'ERR_INVALID_CONFIG',
      `${what} is too large: ${text.length} characters, at most ${limit}`,
    );
  return validate(checker, fromJson(text, what), what);
}

function fromJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NsboxError('ERR_INVALID_CONFIG', `${what} is not JSON: ${reason}`, { cause });
  }
}

const SHOWN = 20;

function explain(what: string, at: Place): string {
  const lines = at.issues
    .slice(0, SHOWN)
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  if (at.count > lines.length) lines.push(`… and ${at.count - lines.length} more`);
  return `${what} is not valid:\n${lines.join('\n')}`;
}

const KEPT = 100;

/** Where in the document a check is, and the issues found so far. */
export class Place {
  /** How many issues were reported; more than are kept. */
  count = 0;
  readonly issues: Issue[] = [];
  readonly #keys: (string | number)[] = [];

  /** Runs a check on what lies at `key`. */
  within<T>(key: string | number, checker: Check<T>, value: unknown): T | undefined {
    this.#keys.push(key);
    const copy = checker(value, this);
    this.#keys.pop();
    return copy;
  }

  /** Reports an issue here, or at `keys` below here. */
  report(message: string, ...keys: readonly (string | number)[]): undefined {
    this.count += 1;
    if (this.issues.length < KEPT) this.issues.push({ path: pathOf([...this.#keys, ...keys]), message });
    return undefined;
  }
}

const PLAIN_KEY = /^[A-Za-z_$][\w$]*$/;

function pathOf(keys: readonly (string | number)[]): string {
  let path = '';
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else if (PLAIN_KEY.test(key) && key.length <= 64) path += path === '' ? key : `.${key}`;
    else path += `[${quote(key)}]`;
  }
  return path;
}

/** A value's kind for a message: "a string". */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  switch (typeof value) {
    case 'undefined':
      return 'nothing';
    case 'object':
      return 'an object';
    default:
      return `a ${typeof value}`;
  }
}

/** A string for a message: quoted, control characters escaped, cut where it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 61)}…` : text);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? quote(value) : kindOf(value);
}

/** Any string but one with a NUL, at which the kernel would cut it. */
export const text: Check<string> = (value, at) => {
  if (typeof value !== 'string') return at.report(`expected a string, got ${kindOf(value)}`);
  if (value.includes('\0')) return at.report('expected a string without NUL bytes');
  return value;
};

export const boolean: Check<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : at.report(`expected true or false, got ${kindOf(value)}`);

/** A string that matches; `what` completes "expected …". */
export function matching(pattern: RegExp, what: string): Check<string> {
  return (value, at) => {
    const string = text(value, at);
    if (string === undefined || pattern.test(string)) return string;
    return at.report(`expected ${what}, got ${quote(string)}`);
  };
}

/** A whole number. Those beyond 2^53 are taken as JSON.parse rounded them. */
export function integer(min: number, max: number): Check<number> {
  return (value, at) => {
    if (typeof value !== 'number') return at.report(`expected a number, got ${kindOf(value)}`);
    if (!Number.isInteger(value)) return at.report(`expected a whole number, got ${value}`);
    if (value < min || value > max) return at.report(`expected a number from ${min} to ${max}, got ${value}`);
    return value;
  };
}

/** One of a few strings. */
export function oneOf<const T extends string>(members: readonly T[]): Check<T> {
  const byName = new Map<unknown, T>(members.map((member) => [member, member]));
  const expected = members.length <= 12 ? members.join(', ') : `${members.slice(0, 10).join(', ')}, …`;
  return (value, at) => byName.get(value) ?? at.report(`expected one of ${expected}, got ${shown(value)}`);
}

const MOST_ITEMS = 100_000;

/** A list; `min` is 1 where an empty one makes no sense. */
export function array<T>(item: Check<T>, min = 0): Check<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return at.report(`expected an array, got ${kindOf(value)}`);
    if (value.length < min) return at.report('expected at least one item, got none');
    if (value.length > MOST_ITEMS)
      return at.report(`expected at most ${MOST_ITEMS} items, got ${value.length}`);
    const before = at.count;
    const copy: T[] = [];
    for (let index = 0; index < value.length; index++) {
      const checked = at.within(index, item, value[index]);
      if (checked !== undefined) copy.push(checked);
    }
    return at.count === before ? copy : undefined;
  };
}

/** An object that maps names to values. The name `__proto__` is refused: it is only ever an attack. */
export function record<T>(item: Check<T>, name: Check<string> = text): Check<Readonly<Record<string, T>>> {
  return (value, at) => {
    if (!isObject(value)) return at.report(`expected an object, got ${kindOf(value)}`);
    const before = at.count;
    const copy: Record<string, T> = Object.create(null);
    for (const key of Object.keys(value)) {
      if (key === '__proto__') at.report('this name is not allowed', key);
      else if (at.within(key, name, key) !== undefined) {
        const checked = at.within(key, item, value[key]);
        if (checked !== undefined) copy[key] = checked;
      }
    }
    return at.count === before ? copy : undefined;
  };
}

type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
type RequiredChecks<T> = { readonly [K in Exclude<keyof T, OptionalKeys<T>>]: Check<T[K]> };
type OptionalChecks<T> = { readonly [K in OptionalKeys<T>]-?: Check<Exclude<T[K], undefined>> };

/**
 * An object with the fields of `T`: the compiler sees to it that each has its check. Fields that `T`
 * does not know are ignored, as the specifications ask; only the value's own fields count.
 */
export function object<T extends object>(required: RequiredChecks<T>, optional: OptionalChecks<T>): Check<T> {
  const fields = [...fieldsOf(required, 'required'), ...fieldsOf(optional, 'optional')];
  return (value, at) => {
    if (!isObject(value)) return at.report(`expected an object, got ${kindOf(value)}`);
    const before = at.count;
    const { copy, result } = blank<T>();
    for (const { key, checker, presence } of fields) {
      const field = Object.hasOwn(value, key) ? value[key] : undefined;
      if (field !== undefined) {
        const checked = at.within(key, checker, field);
        if (checked !== undefined) copy[key] = checked;
      } else if (presence === 'required') at.report('required, but missing', key);
    }
    return at.count === before ? result : undefined;
  };
}

interface Field {
  readonly key: string;
  readonly checker: Check<unknown>;
  readonly presence: 'required' | 'optional';
}

function fieldsOf(checks: object, presence: Field['presence']): readonly Field[] {
  return Object.entries(checks).map(([key, checker]) => ({ key, checker, presence }));
}

// One object under two types: fields are put in by name, and once all are, it is a T.
function blank<T>(): { readonly copy: Record<string, unknown>; readonly result: T } {
  const made = Object.create(null);
  return { copy: made, result: made };
}

/** Adds a look at the whole to a check of the parts; it runs only when these are sound. */
export function refine<T>(checker: Check<T>, look: (value: T, at: Place) => void): Check<T> {
  return (value, at) => {
    const before = at.count;
    const copy = checker(value, at);
    if (copy !== undefined && at.count === before) look(copy, at);
    return at.count === before ? copy : undefined;
  };
}

/** Takes null for absent, as Go programs write empty lists. Only for optional fields. */
export function nullable<T>(checker: Check<T>): Check<T> {
  return (value, at) => (value === null ? undefined : checker(value, at));
}

/** Whether a value is an object, and no array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
