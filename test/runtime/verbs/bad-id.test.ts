import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { refusal } from '../support/expect.js';
import { Runtime } from '../support/runtime.js';

const BAD = [
  '..',
  '.',
  '',
  'a/b',
  '/',
  '../x',
  '/etc',
  'a b',
  'a\nb',
  'ü',
  'a*',
  'a\\b',
  '~',
  '$HOME',
  'x'.repeat(2000),
];
const named = (id: string): string => JSON.stringify(id.length > 20 ? `${id.slice(0, 3)}…` : id);

for (const id of BAD) {
  test(`create: a bad ID is refused (${named(id)})`, async () => {
    await using runtime = new Runtime();
    mkdirSync(runtime.root);
    const bundle = runtime.bundle((config) => {
      config.process.args = ['true'];
    });
    const message = refusal(await runtime.call(['create', '--bundle', bundle.path, id]));
    if (id.length < 1000) expect(message).toMatch(/invalid container ID format|container id cannot be empty/);
    expect(runtime.leftovers()).toEqual([]);
  });
}

for (const verb of ['state', 'start', 'kill', 'delete', 'pause', 'resume', 'ps', 'events', 'update']) {
  test(`${verb}: a bad ID is refused, and nothing outside --root is looked at`, async () => {
    await using runtime = new Runtime();
    mkdirSync(runtime.root);
    // What a path out of the root would find.
    mkdirSync(join(runtime.folder, 'outside'));
    for (const id of ['../outside', '..', '.', '']) refusal(await runtime.call([verb, id]));
    expect(existsSync(join(runtime.folder, 'outside'))).toBe(true);
  });
}

test('delete: --force of a bad ID removes nothing', async () => {
  await using runtime = new Runtime();
  mkdirSync(runtime.root);
  mkdirSync(join(runtime.folder, 'outside'));
  for (const id of ['../outside', '..', '.', '']) await runtime.call(['delete', '--force', id]);
  expect(existsSync(join(runtime.folder, 'outside'))).toBe(true);
  expect(existsSync(runtime.root)).toBe(true);
});

for (const id of [
  'a',
  '0',
  'A-b_c+d.e',
  '-'.padEnd(3, 'x').replace('-', 'x'),
  'x'.repeat(100),
  'a..b',
  '_x',
]) {
  test(`create: an ID may have letters, digits, _, +, - and . (${named(id)})`, async () => {
    await using runtime = new Runtime();
    const box = await runtime.create(undefined, { id });
    expect((await box.state()).id).toBe(id);
  });
}
