// compare.mjs OLD NEW: two files of results, side by side.
import { readFileSync } from 'node:fs';
import type { Results, Row } from './results.js';
import { alignColumns, short } from './table.js';

const [before, after] = process.argv.slice(2).map(read);
if (!before || !after) throw new Error('usage: npm run bench -- --compare OLD.json NEW.json');
const old = new Map(
  before.sections.flatMap(({ name, rows }) => rows.map((row) => [`${name}/${row.name}`, row])),
);
const lines = after.sections.flatMap(({ name, rows }) =>
  rows.map((row) => line(name, old.get(`${name}/${row.name}`), row)),
);
const header = ['', 'p50 old', 'new', '', 'new/old', 'ratio old', 'new'];
console.log(alignColumns([header, ...lines]));

function read(file: string): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results;
}

function line(section: string, was: Row | undefined, is: Row): string[] {
  const p50 = (row: Row | undefined): number => row?.figures?.p50 ?? Number.NaN;
  const ratio = (row: Row | undefined): string =>
    row?.ratio ? `${row.ratio.value.toFixed(2)} × ${row.ratio.to}` : '';
  return [
    `${section}: ${is.name}`,
    short(p50(was)),
    short(p50(is)),
    is.unit,
    short(p50(is) / p50(was)),
    ratio(was),
    ratio(is),
  ];
}
