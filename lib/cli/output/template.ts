import { NsboxError } from '../../errors.js';
import { printable } from './printable.js';

export type Fields = Readonly<Record<string, string>>;

/** What a list has for `--format`: a line's fields by name, and the whole as JSON has it. */
export interface Line {
  readonly fields: Fields;
  readonly json: unknown;
}

/** A list's columns, in their order: the field's name and its heading. */
export type Columns = readonly (readonly [field: string, heading: string])[];

/**
 * A list as docker users ask for it: by default a table of the columns; `json`, a line each; `table {{.A}}\t{{.B}}`, and any
 * text with `{{.Field}}` or `{{json .}}` in it, a line each.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT` for what the template asks and nobody has
 */
export function formatList(lines: readonly Line[], columns: Columns, format = 'table'): string {
  if (format === 'json') return lines.map(({ json }) => `${JSON.stringify(json)}\n`).join('');
  if (format === 'table')
    return aligned(
      columns.map(([, heading]) => heading),
      lines.map(cellsOf(columns)),
    );
  const template = unescaped(format.replace(/^table\s+/, ''));
  if (!format.startsWith('table')) return lines.map((line) => `${fill(template, line)}\n`).join('');
  const wanted = template.split('\t');
  const headings = wanted.map((cell) =>
    cell.replaceAll(FIELD, (_, path: string) => headingOf(path, columns)),
  );
  return aligned(
    headings,
    lines.map((line) => wanted.map((cell) => fill(cell, line))),
  );
}

/** One thing, as `inspect --format` shows it: `{{.Config.Cmd}}`, `{{json .Config}}`. */
export function formatOne(value: unknown, format: string): string {
  return `${unescaped(format).replaceAll(FIELD, (_, path: string) => textOf(path, value))}\n`;
}

const FIELD = /\{\{\s*(.*?)\s*\}\}/g;

function fill(template: string, { fields, json }: Line): string {
  return template.replaceAll(FIELD, (_, path: string) => {
    if (path === 'json .') return JSON.stringify(json);
    const found = fields[path.replace(/^\./, '')];
    if (found === undefined) throw unknownField(path, Object.keys(fields));
    return printable(found);
  });
}

function textOf(path: string, value: unknown): string {
  const asJson = /^json\s+(.*)$/.exec(path)?.[1];
  const found = lookUp(asJson ?? path, value);
  if (asJson !== undefined) return JSON.stringify(found ?? null);
  return typeof found === 'object' && found !== null ? JSON.stringify(found) : printable(String(found ?? ''));
}

function lookUp(path: string, value: unknown): unknown {
  if (path === '.') return value;
  if (!/^(\.[A-Za-z0-9_]+)+$/.test(path)) throw unknownField(path, Object.keys(Object(value)));
  let found = value;
  for (const name of path.slice(1).split('.')) {
    const inside = Object(found) as Record<string, unknown>;
    if (!Object.hasOwn(inside, name)) throw unknownField(path, Object.keys(inside));
    found = inside[name];
  }
  return found;
}

function unknownField(path: string, known: readonly string[]): NsboxError {
  return new NsboxError('ERR_INVALID_ARGUMENT', `--format: there is no {{${path}}}`, {
    hint: `there are ${known.map((name) => `{{.${name}}}`).join(' ')}, and {{json .}}`,
  });
}

// As docker does for words that a shell has kept in quotes.
function unescaped(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

function headingOf(path: string, columns: Columns): string {
  const name = path.replace(/^\./, '');
  return columns.find(([field]) => field === name)?.[1] ?? name.toUpperCase();
}

function cellsOf(columns: Columns): (line: Line) => string[] {
  return ({ fields }) => columns.map(([field]) => printable(fields[field] ?? ''));
}

function aligned(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}
