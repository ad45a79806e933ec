import { expect, test } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { testWhere } from '../../support/where.js';
import { isAlive } from '../support/container.js';
import { refusal } from '../support/expect.js';
import { type Container, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

/** A container that tells which signals it gets. */
async function listener(runtime: Runtime): Promise<Container> {
  const box = await runtime.start((config) => {
    const traps = ['TERM', 'HUP', 'USR1', 'USR2', 'INT', 'WINCH'].map(
      (name) => `trap "echo got ${name}" ${name}; `,
    );
    config.process.args = ['sh', '-c', `${traps.join('')} echo ready; while :; do sleep 0.05; done`];
  });
  await box.says('ready');
  return box;
}

async function gets(args: readonly string[], name: string): Promise<void> {
  await using runtime = new Runtime();
  const box = await listener(runtime);
  await runtime.ok(['kill', box.id, ...args]);
  expect(await box.says('got')).toContain(`got ${name}\n`);
}

test('kill: without a signal it sends SIGTERM', () => gets([], 'TERM'));
test('kill: a signal by number', () => gets(['10'], 'USR1'));
test('kill: a signal by name', () => gets(['USR2'], 'USR2'));
test('kill: a signal by its whole name', () => gets(['SIGHUP'], 'HUP'));
test('kill: a signal by name in small letters', () => gets(['int'], 'INT'));
test('kill: a signal by its whole name in small letters', () => gets(['sigwinch'], 'WINCH'));

test('kill: SIGKILL ends the container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['kill', box.id, '9']);
  await box.ended();
  expect(await box.status()).toBe('stopped');
});

test('kill: ends a created container, before its start', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  await box.kill();
  await box.ended();
  expect(await box.status()).toBe('stopped');
});

test('kill: signal 0 only asks', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['kill', box.id, '0']);
  expect(await box.status()).toBe('running');
});

test('kill: a stopped container is refused with "container not running"', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  expect(refusal(await runtime.call(['kill', box.id, 'TERM']))).toBe('container not running');
});

test('kill: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['kill', runtime.id(), 'TERM']))).toBe('container does not exist');
});

for (const name of ['FOO', 'SIGFOO', '-1', '99', '1e1', '9 ']) {
  test(`kill: a signal that does not exist is refused (${JSON.stringify(name)})`, async () => {
    await using runtime = new Runtime();
    const box = await runtime.pause();
    refusal(await runtime.call(['kill', box.id, name]));
    expect(await box.status()).toBe('running');
  });
}

test('kill: an unknown signal is named in the refusal', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await runtime.call(['kill', box.id, 'FOO']))).toBe('unknown signal "FOO"');
});

test('kill: without an ID it is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['kill']))).toContain('"kill" requires a minimum of 1 argument(s)');
});

testWhere(isRoot)('kill: --all signals every process of the container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.start((config) => {
    config.process.args = [
      'sh',
      '-c',
      'trap : TERM; sleep 998 & sleep 999 & echo ready; while :; do sleep 0.1; done',
    ];
  });
  await box.says('ready');
  const pids: number[] = JSON.parse((await runtime.ok(['ps', '--format', 'json', box.id])).stdout);
  const sleepers = pids.filter((pid) => pid !== box.pid);
  await runtime.ok(['kill', '--all', box.id, 'KILL']);
  await eventually(
    () => sleepers.some(isAlive),
    (alive) => !alive,
  );
  await box.ended();
});

testWhere(isRoot)('kill: -a is --all', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['kill', '-a', box.id, 'KILL']);
  await box.ended();
});

testWhere(isRoot)(
  'kill: --all reaches what is left of a container that shares the pid namespace',
  async () => {
    await using runtime = new Runtime();
    const box = await runtime.start((config) => {
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
      config.process.args = ['sh', '-c', 'sleep 999 & sleep 1000'];
    });
    const pids = await eventually(
      () => runtimePids(box),
      (all) => all.length === 2,
    );
    await runtime.ok(['kill', box.id, 'KILL']);
    await box.ended();
    await runtime.ok(['kill', '--all', box.id, 'KILL']);
    await eventually(
      () => pids.some(isAlive),
      (alive) => !alive,
    );
  },
);

function runtimePids(box: Container): number[] {
  return box.groupFile('memory', 'cgroup.procs').split('\n').filter(Boolean).map(Number);
}

test.runIf(isOurs)('kill: --regex signals every container whose ID matches', async () => {
  await using runtime = new Runtime();
  const [one, two, other] = [
    await runtime.pause(undefined, { id: 'web-1' }),
    await runtime.pause(undefined, { id: 'web-2' }),
    await runtime.pause(undefined, { id: 'db-1' }),
  ];
  await runtime.ok(['kill', '--regex', 'web-[0-9]', 'KILL']);
  await one.ended();
  await two.ended();
  expect(await other.status()).toBe('running');
});

test.runIf(isOurs)('kill: --regex that is no regular expression is refused', async () => {
  await using runtime = new Runtime();
  refusal(await runtime.call(['kill', '--regex', '[', 'KILL']));
});

for (const pattern of ['w\\d', 'w{1}', 'w[[:digit:]]', 'w[\\d]'])
  test.runIf(isOurs)(
    `kill, delete: --regex ${pattern} would mean something else elsewhere: refused`,
    async () => {
      await using runtime = new Runtime();
      refusal(await runtime.call(['kill', '--regex', pattern, 'KILL']));
      refusal(await runtime.call(['delete', '--force', '--regex', pattern]));
    },
  );
