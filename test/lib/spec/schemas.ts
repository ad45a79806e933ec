import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv-draft-04';
import { type Check, check } from '../../../lib/spec/validate.js';

/** Whether a document is valid by a published schema. */
export type Verdict = (document: unknown) => boolean;

const DIRECTORY = fileURLToPath(new URL('../../../build/oci-schemas/', import.meta.url));

/** Compiles the schemas of a specification; undefined where `scripts/oci-schemas.mjs` has not run. */
export function loadSchemas(spec: 'runtime-spec' | 'image-spec'): ((file: string) => Verdict) | undefined {
  const directory = join(DIRECTORY, spec);
  if (!existsSync(directory)) return undefined;
  const ajv = new Ajv.default({ strict: false, logger: false, validateFormats: false });
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.json')))
    ajv.addSchema(withoutIds(JSON.parse(readFileSync(join(directory, file), 'utf8'))), file);
  return (file) => {
    const validate = ajv.getSchema(file);
    if (validate === undefined) throw new Error(`${directory} has no ${file}`);
    return (document) => validate(document) === true;
  };
}

// The references are to file names, but would resolve against these ids.
function withoutIds(schema: unknown): object {
  return JSON.parse(JSON.stringify(schema), (key: string, value: unknown) =>
    key === 'id' && typeof value === 'string' && value.startsWith('https://') ? undefined : value,
  );
}

const WRONG: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 33,
  2 ** 65,
  '',
  'x',
  [],
  [null],
  [1],
  ['x'],
  {},
  { x: 1 },
  { x: 'y' },
  { x: {} },
];

/** A change to a document: at `path` the value `value`; undefined takes away what was there. */
export interface Mutation {
  readonly path: string;
  readonly keys: readonly (string | number)[];
  readonly value: unknown;
}

/** Every place of a document with every kind of value that might be wrong there. */
export function* mutationsOf(
  document: unknown,
  keys: readonly (string | number)[] = [],
): Generator<Mutation> {
  if (keys.length > 0) for (const value of WRONG) yield { path: formatPath(keys), keys, value };
  if (Array.isArray(document)) {
    for (const [index, item] of document.entries()) yield* mutationsOf(item, [...keys, index]);
  } else if (typeof document === 'object' && document !== null) {
    for (const [key, value] of Object.entries(document)) yield* mutationsOf(value, [...keys, key]);
  }
}

// All items of an array share a path, and so an exception: `mounts[].options`.
function formatPath(keys: readonly (string | number)[]): string {
  return keys
    .map((key) => (typeof key === 'number' ? '[]' : `.${key}`))
    .join('')
    .slice(1);
}

/** Where our checks refuse what the schema lets through, and why. */
export interface Exception {
  readonly path: RegExp;
  readonly reason: string;
}

/** How our checks and the schema disagree about one mutated document. */
export interface Disagreement {
  readonly kind: 'stricter' | 'looser' | 'elsewhere';
  readonly path: string;
  readonly value: unknown;
}

/** Asks both about every mutation of a document that both accept. */
export function disagreements<T>(
  document: object,
  checker: Check<T>,
  verdict: Verdict,
): readonly Disagreement[] {
  const found: Disagreement[] = [];
  for (const { path, keys, value } of mutationsOf(document)) {
    const mutant = withValue(document, keys, value);
    const theirs = verdict(mutant);
    const ours = check(checker, mutant);
    if (ours.ok && !theirs) found.push({ kind: 'looser', path, value });
    else if (!ours.ok && theirs) found.push({ kind: 'stricter', path, value });
    else if (!ours.ok && !ours.issues.some((issue) => touches(issue.path, path)))
      found.push({ kind: 'elsewhere', path, value });
  }
  return found;
}

// An issue belongs to a mutation if it lies at it, below it, or reports what it took away.
function touches(issue: string, mutated: string): boolean {
  const place = issue
    .replace(/\[\d+\]/g, '[]')
    .replace(/\["([^"]*)"\]/g, '.$1')
    .replace(/^\./, '');
  return place.startsWith(mutated) || mutated.startsWith(place);
}

/** A copy with the value at a place replaced; undefined takes it away. */
export function withValue<T extends object>(
  document: T,
  keys: readonly (string | number)[],
  value: unknown,
): T {
  const copy = structuredClone(document);
  let at: unknown = copy;
  for (const key of keys.slice(0, -1)) at = Reflect.get(Object(at), key);
  const last = keys.at(-1) ?? '';
  if (value === undefined) Reflect.deleteProperty(Object(at), last);
  else Reflect.set(Object(at), last, value);
  return copy;
}
