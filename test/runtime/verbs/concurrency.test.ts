import { expect, test } from 'vitest';
import { isLong } from '../../support/mode.js';
import { type Patch, Runtime } from '../support/runtime.js';

const nothing: Patch = (config) => {
  config.process.args = ['true'];
};
const MINUTES = 60_000;

test('create: many at the same time with one ID, and exactly one wins', {
  timeout: 5 * MINUTES,
}, async () => {
  await using runtime = new Runtime();
  const id = runtime.id();
  const count = isLong ? 50 : 20;
  const bundles = Array.from({ length: count }, () => runtime.bundle(nothing));
  const results = await Promise.all(
    bundles.map(({ path }) => runtime.call(['create', '--bundle', path, id], { patienceMs: MINUTES })),
  );
  const winners = results.filter(({ code }) => code === 0);
  expect(winners).toHaveLength(1);
  for (const { code, stderr } of results)
    if (code !== 0) expect(stderr).toContain('container with given ID already exists');
  const { bundle } = JSON.parse((await runtime.ok(['state', id])).stdout);
  expect(winners[0]?.args).toContain(bundle);
  expect(runtime.states()).toEqual([id]);
  await runtime.ok(['delete', id]);
  expect(runtime.leftovers()).toEqual([]);
});

/** A life of all the verbs that an engine calls. */
async function live(runtime: Runtime): Promise<void> {
  const options = { patienceMs: 2 * MINUTES };
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sleep', '1000'];
  });
  const id = runtime.id();
  await runtime.ok(['create', '--bundle', bundle.path, id], options);
  await runtime.ok(['start', id], options);
  await runtime.ok(['exec', id, 'true'], options);
  await runtime.ok(['state', id], options);
  await runtime.ok(['kill', id, 'KILL'], options);
  await runtime.ok(['delete', '--force', id], options);
}

test('create: concurrent lives leak nothing', { timeout: 20 * MINUTES }, async () => {
  await using runtime = new Runtime();
  await Promise.all(Array.from({ length: isLong ? 200 : 20 }, () => live(runtime)));
  expect(runtime.leftovers()).toEqual([]);
});

test('run: one life after another leaks nothing', { timeout: 30 * MINUTES }, async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  for (let round = 0; round < (isLong ? 1000 : 30); round++)
    await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
  expect(runtime.leftovers()).toEqual([]);
});
