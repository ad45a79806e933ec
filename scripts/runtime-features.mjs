#!/usr/bin/env node
// Makes docs/runtime-features.md from the names of the tests under test/runtime. --check writes nothing, and fails where the
// page is not what it would make, or where something that is promised has no test.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEMANDED, PENDING } from './runtime-features-demanded.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, 'docs/runtime-features.md');

// test('…', test.runIf(…)('…', testWhere(…)(`…`: the first text of a call whose name begins with test.
const TEST =
  /\b(?:test\w*|it|anyone)(\.\w+)?(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))?\(\s*(['"`])((?:\\.|(?!\3)[^\\])*)\3/g;

const tests = testsIn('test/runtime');
const problems = [...withoutArea(), ...withoutTest(), ...noLongerPending()];
const text = document();

if (process.argv.includes('--check')) {
  if (text !== readFileSync(page, { encoding: 'utf8', flag: 'a+' }))
    problems.push('docs/runtime-features.md is stale: run scripts/runtime-features.mjs');
} else {
  writeFileSync(page, text);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function testsIn(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .flatMap((name) => namesIn(join(root, folder, name)));
}

function namesIn(path) {
  const file = relative(root, path);
  return [...readFileSync(path, 'utf8').matchAll(TEST)]
    .filter(([, modifier]) => modifier !== '.todo' && modifier !== '.skip')
    .flatMap(([, modifier, table, , raw]) => {
      const name = raw.replace(/\$\{[^}]*\}/g, '…').replace(/\\(.)/g, '$1');
      const names = modifier === '.each' ? eachOf(table, name) : [name];
      return names.map((one) => one.replace(/%s/g, '…'));
    })
    .map((name) => {
      const [, area, sentence] = /^([^:]+): (.*)$/s.exec(name) ?? [];
      return { file, name, area, sentence };
    });
}

/** A name for each row of a table that stands in the call, of its texts; of another table the name as it is. */
function eachOf(table = '', name) {
  if (!table.startsWith('([')) return [name];
  const inside = table.slice(2, table.lastIndexOf(']'));
  const isOfRows = inside.trimStart().startsWith('[');
  const rows = isOfRows
    ? [...inside.matchAll(/\[((?:[^[\]]|\[[^\]]*\])*)\]/g)].map(([, row]) => row)
    : textsIn(inside);
  const names = rows.map((row) => filledIn(name, isOfRows ? textsIn(row) : [row]));
  return names.length > 0 ? [...new Set(names)] : [name];
}

function textsIn(source) {
  return [...source.matchAll(/'([^']+)'/g)].map(([, text]) => text);
}

function filledIn(name, texts) {
  const left = [...texts];
  return name.replace(/%s/g, (place) => left.shift() ?? place);
}

function withoutArea() {
  return tests
    .filter(({ area, file }) => area === undefined && /\/(verbs|fields)\//.test(file))
    .map(({ file, name }) => `${file}: the test's name has no "feature: ": ${name}`);
}

function withoutTest() {
  return DEMANDED.filter((feature) => !PENDING.has(nameOf(feature)) && !isTested(feature)).map(
    (feature) => `no test under test/runtime shows: ${nameOf(feature)}`,
  );
}

function noLongerPending() {
  const known = new Map(DEMANDED.map((feature) => [nameOf(feature), feature]));
  return [...PENDING]
    .filter((name) => !known.has(name) || isTested(known.get(name)))
    .map((name) => `has a test by now, and is no longer pending: ${name}`);
}

function isTested({ area, word }) {
  return tests.some((one) => has(one.area, area) && (word === undefined || has(one.name, word)));
}

/** A word as a whole: `-f` is not in `--force`, nor `linux.seccomp` in `linux.seccomp.flags`. */
function has(text = '', word) {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(^|[\\s(/])${escaped}($|[\\s:=,;)/'’]|\\.\\*)`).test(text);
}

function nameOf({ area, word }) {
  return word === undefined ? area : `${area} ${word}`;
}

function document() {
  return [
    '# What nsbox-runtime does, and the test that shows it',
    '',
    'Made by `scripts/runtime-features.mjs` from the names of the tests in `test/runtime`; a test keeps it so. All of them run as',
    'root and, where it has a meaning, as an ordinary user.',
    '',
    ...section('Verbs, flags, words and files', 'test/runtime/verbs/'),
    ...section('Fields of config.json', 'test/runtime/fields/'),
    ...missing(),
  ].join('\n');
}

function section(title, folder) {
  const rows = tests
    .filter(({ file, area }) => file.startsWith(folder) && area !== undefined)
    .sort((a, b) => compare(a.area, b.area) || compare(a.sentence, b.sentence) || compare(a.file, b.file))
    .map(
      ({ area, sentence, file }) => `| ${cell(area)} | ${cell(sentence)} | ${file.slice(folder.length)} |`,
    );
  return [
    `## ${title}`,
    '',
    `In \`${folder}\`.`,
    '',
    '| feature | what is shown | test |',
    '|---|---|---|',
    ...rows,
    '',
  ];
}

function missing() {
  if (PENDING.size === 0) return [];
  return ['## Without a test yet', '', ...[...PENDING].sort(compare).map((name) => `- ${name}`), ''];
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
}
