import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const documents = [...markdownIn('.'), ...markdownIn('docs'), ...markdownIn('docs/decisions')];

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The blocks that a document marks with "js runnable", each with the line it begins at. */
function examples(): { readonly name: string; readonly code: string }[] {
  return documents.flatMap((path) => {
    const text = read(path);
    return [...text.matchAll(/^```js runnable\n(.*?)^```$/gms)].map(({ index, 1: code = '' }) => ({
      name: `${path}:${text.slice(0, index).split('\n').length}`,
      code,
    }));
  });
}

// From the package's own folder, so that `import … from 'nsbox'` finds what a user's import would.
describe('every runnable example runs', () => {
  test.concurrent.each(examples())('$name', async ({ code }) => {
    const child = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: root,
    });
    await expect(child).resolves.toMatchObject({ stderr: '' });
  });
});

test('every error code has its cause and its remedy', () => {
  const codes = [...read('lib/errors.ts').matchAll(/\| '(\w+)'/g)].map(([, code]) => code);
  const sections = [...read('docs/errors.md').matchAll(/^## (\w+)\n(.*?)(?=^## |$(?![\s\S]))/gms)];
  expect(sections.map(([, code]) => code)).toEqual(codes);
  for (const [, , text] of sections) expect(text).toMatch(/\*\*Cause\.\*\*.*\*\*Remedy\.\*\*/s);
});

test.each(documents)('the links of %s lead somewhere', (path) => {
  const targets = [...read(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
  const local = targets.filter((target) => !/^[a-z]+:/.test(target));
  expect(local.filter((target) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
});

test.each(documents)('the files that %s names are there', (path) => {
  const named = [...read(path).matchAll(/`((?:lib|native|test|scripts|bench)\/[\w./-]+)`/g)].map(
    ([, file = '']) => file,
  );
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('every test that is named for what other runtimes learnt is there', () => {
  const [, section = ''] =
    /^## What other runtimes learnt\n(.*?)(?=^## |$(?![\s\S]))/ms.exec(read('docs/security.md')) ?? [];
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| hole'));
  const folder = 'test/runtime/security';
  const sources = readdirSync(join(root, folder))
    .map((name) => read(join(folder, name)))
    .join('\n');
  expect(rows.length).toBeGreaterThan(25);
  for (const row of rows) {
    const test = row.split(' | ').at(-1)?.replace(/ \|$/, '') ?? '';
    // As it stands in the source, with what it is filled in for each case.
    if (test !== '—') expect([row, sources.includes(`'${test.slice(1, -1)}'`)]).toEqual([row, true]);
  }
});
