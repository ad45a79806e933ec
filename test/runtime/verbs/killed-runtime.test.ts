import { expect, test } from 'vitest';
import { isLong } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { testWhere } from '../../support/where.js';
import { type Bundle, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

const ROUNDS = isLong ? 100 : 10;
const MINUTES = 60_000;
const testOurs = testWhere(isOurs);

/** Kills calls of a verb, each a little later than the one before, and asks `delete --force` to clear what they leave. */
async function killedAtAnyMoment(
  prepare: (runtime: Runtime, bundle: Bundle, id: string) => Promise<readonly string[]>,
): Promise<void> {
  await using runtime = new Runtime();
  const whole = await timeOf(runtime, prepare);
  for (let round = 0; round < ROUNDS; round++) {
    const bundle = runtime.bundle((config) => {
      config.process.args = ['sleep', '1000'];
    });
    const id = runtime.id();
    const args = await prepare(runtime, bundle, id);
    const call = runtime.launch(args);
    await new Promise((resolve) => setTimeout(resolve, (whole * 1.2 * (round + Math.random())) / ROUNDS));
    call.kill('SIGKILL');
    await call.result;
    const deleted = await runtime.call(['delete', '--force', id]);
    expect(deleted, `killed in round ${round}`).toMatchObject({ code: 0 });
    await eventually(
      () => runtime.leftovers(),
      (left) => left.length === 0,
      5000,
    );
    expect((await runtime.call(['state', id])).stderr).toContain('container does not exist');
  }
}

async function timeOf(runtime: Runtime, prepare: Parameters<typeof killedAtAnyMoment>[0]): Promise<number> {
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sleep', '0'];
  });
  const id = runtime.id();
  const args = await prepare(runtime, bundle, id);
  const before = performance.now();
  await runtime.call(args);
  const time = performance.now() - before;
  await runtime.call(['delete', '--force', id]);
  return time;
}

testOurs('create: killed at any moment, delete --force clears everything', { timeout: 20 * MINUTES }, () =>
  killedAtAnyMoment(async (_runtime, bundle, id) => ['create', '--bundle', bundle.path, id]),
);

testOurs('run: killed at any moment, delete --force clears everything', { timeout: 20 * MINUTES }, () =>
  killedAtAnyMoment(async (_runtime, bundle, id) => ['run', '--bundle', bundle.path, id]),
);

testOurs('start: killed at any moment, delete --force clears everything', { timeout: 20 * MINUTES }, () =>
  killedAtAnyMoment(async (runtime, bundle, id) => {
    await runtime.ok(['create', '--bundle', bundle.path, id]);
    return ['start', id];
  }),
);

testOurs('exec: killed at any moment, delete --force clears everything', { timeout: 20 * MINUTES }, () =>
  killedAtAnyMoment(async (runtime, bundle, id) => {
    await runtime.ok(['create', '--bundle', bundle.path, id]);
    return ['exec', '--detach', id, 'sleep', '1000'];
  }),
);

testOurs('delete: killed at any moment, delete --force clears everything', { timeout: 20 * MINUTES }, () =>
  killedAtAnyMoment(async (runtime, bundle, id) => {
    await runtime.ok(['create', '--bundle', bundle.path, id]);
    return ['delete', '--force', id];
  }),
);

test('create: a container outlives whoever called create', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  expect(box.isAlive()).toBe(true);
  expect(await box.status()).toBe('created');
});

test('create: its first process killed, the container is stopped and can be deleted', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  process.kill(box.pid, 'SIGKILL');
  await box.ended();
  expect(await box.status()).toBe('stopped');
  await box.delete();
  expect(runtime.leftovers()).toEqual([]);
});
