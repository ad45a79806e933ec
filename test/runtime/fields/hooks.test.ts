import { chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { eventually } from '../../support/polling.js';
import { HOOK_KINDS, type HookKind } from '../support/hooks.js';
import { type Bundle, type Config, Runtime } from '../support/runtime.js';
import { test, testOurs, testRoot } from '../support/test.js';
import { isOurs } from '../support/under-test.js';

type Hook = NonNullable<NonNullable<Config['hooks']>[HookKind]>[number];

/** A program that hooks run: it writes what it sees into the bundle's directory `seen`, which the container has at /seen. */
const SCRIPT = `#!/bin/sh
at=/seen; test -d $at || at=$2
name=$1
cat >$at/$name.state
echo "$@" >$at/$name.args
env >$at/$name.env
for kind in mnt pid net uts ipc; do readlink /proc/self/ns/$kind; done >$at/$name.ns
pwd >$at/$name.cwd
echo $name >>$at/order
`;

interface Stage {
  readonly bundle: Bundle;
  readonly seen: string;
  hook(name: string, more?: Partial<Hook>): Hook;
  read(name: string): string;
}

function stage(
  runtime: Runtime,
  hooks: (stage: Stage) => Config['hooks'],
  script = 'echo program >>/seen/order',
): Stage {
  const seen = `${runtime.folder}/seen`;
  mkdirSync(seen);
  chmodSync(seen, 0o777);
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sh', '-c', script];
    config.mounts.push({ destination: '/seen', type: 'bind', source: seen, options: ['bind'] });
  });
  const place = `${seen}/hook.sh`;
  writeFileSync(place, SCRIPT, { mode: 0o755 });
  const made: Stage = {
    bundle,
    seen,
    hook: (name, more = {}) => ({
      path: '/bin/sh',
      args: ['sh', place, name, seen],
      env: [`MARK=${name}`, 'PATH=/bin:/usr/bin'],
      ...more,
    }),
    read: (name) => readFileSync(`${seen}/${name}`, 'utf8').trim(),
  };
  bundle.config.hooks = hooks(made) ?? {};
  bundle.write();
  return made;
}

/** As seen inside the container the script is at /seen/hook.sh. */
const INSIDE = { args: ['sh', '/seen/hook.sh', 'startContainer', '/seen'] };

function all({ hook }: Stage): Config['hooks'] {
  return Object.fromEntries(
    HOOK_KINDS.map((kind) => [kind, [kind === 'startContainer' ? hook(kind, INSIDE) : hook(kind)]]),
  );
}

/** Debian's runc does not name the kind. */
const told = (kind: HookKind, index: number): RegExp =>
  new RegExp(`error running ${isOurs ? `${kind} ` : `(${kind} )?`}hook #${index}`);

async function life(runtime: Runtime, { bundle }: Stage): Promise<string> {
  const id = runtime.id();
  await runtime.ok(['run', '--bundle', bundle.path, id]);
  return id;
}

test('hooks: all six kinds run, in their order', async () => {
  await using runtime = new Runtime();
  const made = stage(runtime, all, 'sleep 0.2; echo program >>/seen/order');
  await life(runtime, made);
  await eventually(() => existsSync(`${made.seen}/poststop.state`), Boolean, 5000);
  const order = made.read('order').split('\n');
  expect(order.filter((name) => name !== 'poststart')).toEqual([
    'prestart',
    'createRuntime',
    'createContainer',
    'startContainer',
    'program',
    'poststop',
  ]);
  expect(order.indexOf('poststart')).toBeGreaterThan(order.indexOf('createContainer'));
});

test('hooks: those of a kind run in the order that they are listed in', async () => {
  await using runtime = new Runtime();
  const made = stage(runtime, ({ hook }) => ({ createRuntime: [hook('b'), hook('a'), hook('c')] }));
  await life(runtime, made);
  expect(made.read('order')).toBe('b\na\nc\nprogram');
});

test('hooks: create runs those of creating, start those of starting', async () => {
  await using runtime = new Runtime();
  const made = stage(runtime, all, 'sleep 100');
  const id = runtime.id();
  await runtime.ok(['create', '--bundle', made.bundle.path, id]);
  // Debian's runc runs poststart too early.
  const early = made
    .read('order')
    .split('\n')
    .filter((name) => isOurs || name !== 'poststart');
  expect(early).toEqual(['prestart', 'createRuntime', 'createContainer']);
  await runtime.ok(['start', id]);
  expect(made.read('order').split('\n').slice(3).sort()).toEqual(['poststart', 'startContainer']);
  await runtime.ok(['delete', '--force', id]);
  expect(made.read('order').split('\n').at(-1)).toBe('poststop');
});

describe('hooks: state on stdin', () => {
  test.each([
    ['prestart', 'creat(ing|ed)'],
    ['createRuntime', 'creat(ing|ed)'],
    ['createContainer', 'creat(ing|ed)'],
    ['startContainer', 'created'],
    ['poststart', isOurs ? 'running' : 'created'],
    ['poststop', 'stopped'],
  ] as const)('hooks.%s: it reads the container’s state on stdin', async (kind, status) => {
    await using runtime = new Runtime();
    const made = stage(runtime, all, 'sleep 100');
    made.bundle.config.annotations = { 'a.b/c': 'value' };
    made.bundle.write();
    const id = runtime.id();
    await runtime.ok(['create', '--bundle', made.bundle.path, id]);
    await runtime.ok(['start', id]);
    await runtime.ok(['delete', '--force', id]);
    const state = JSON.parse(made.read(`${kind}.state`));
    expect(state).toMatchObject({ id, bundle: made.bundle.path, annotations: { 'a.b/c': 'value' } });
    expect(state.ociVersion).toMatch(/^1\./);
    expect(state.status).toMatch(new RegExp(`^${status}$`));
    if (!['poststop', 'startContainer', 'createContainer'].includes(kind))
      expect(state.pid).toBeGreaterThan(1);
  });
});

test('hooks: each has exactly the arguments and the environment named', async () => {
  await using runtime = new Runtime();
  const made = stage(runtime, all);
  process.env.SECRET_OF_THE_CALLER = 'yes';
  try {
    await life(runtime, made);
  } finally {
    delete process.env.SECRET_OF_THE_CALLER;
  }
  await eventually(() => existsSync(`${made.seen}/poststop.env`), Boolean, 5000);
  for (const kind of HOOK_KINDS) {
    const variables = made
      .read(`${kind}.env`)
      .split('\n')
      .filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line));
    expect([kind, ...variables.sort()]).toEqual([kind, `MARK=${kind}`, 'PATH=/bin:/usr/bin']);
  }
});

testOurs('hooks: without an environment a hook has none', async () => {
  await using runtime = new Runtime();
  const made = stage(runtime, ({ seen }) => ({
    createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `/usr/bin/env >${seen}/env`] }],
  }));
  await life(runtime, made);
  expect(
    made
      .read('env')
      .split('\n')
      .filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line))
      .join(),
  ).toBe('');
});

test('hooks: those of the runtime are in the caller’s namespaces, those of the container in its', async () => {
  await using runtime = new Runtime();
  const made = stage(
    runtime,
    all,
    'for kind in mnt pid net uts ipc; do readlink /proc/self/ns/$kind; done >/seen/program.ns; sleep 1',
  );
  await life(runtime, made);
  await eventually(() => existsSync(`${made.seen}/poststop.ns`), Boolean, 5000);
  const namespaces = (kind: string): string[] => made.read(`${kind}.ns`).split('\n');
  const own = ['mnt', 'pid', 'net', 'uts', 'ipc'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
  for (const kind of ['poststart', 'poststop']) expect([kind, namespaces(kind)]).toEqual([kind, own]);
  for (const kind of ['prestart', 'createRuntime'])
    expect([kind, namespaces(kind).slice(0, 2)]).toEqual([kind, own.slice(0, 2)]);
  expect(namespaces('startContainer')).toEqual(namespaces('program'));
  const [mount, , , host] = namespaces('createContainer');
  const [container, , , name] = namespaces('program');
  expect([mount, host]).toEqual([container, name]);
});

test('hooks.createContainer: the root is still the caller’s, and the container’s mounts are made', async () => {
  await using runtime = new Runtime();
  const made = stage(runtime, ({ seen }) => ({
    createContainer: [
      {
        path: '/bin/sh',
        args: [
          'sh',
          '-c',
          `test -e ${seen}/hook.sh && echo outside >${seen}/root; grep -c rootfs/dev/shm /proc/self/mountinfo >${seen}/mounts`,
        ],
      },
    ],
  }));
  await life(runtime, made);
  expect([made.read('root'), made.read('mounts')]).toEqual(['outside', '1']);
});

test('hooks.startContainer: the path is one of the container', async () => {
  await using runtime = new Runtime();
  const made = stage(runtime, () => ({
    startContainer: [
      { path: '/bin/busybox', args: ['busybox', 'sh', '-c', 'echo $0 in $(hostname) >/seen/who'] },
    ],
  }));
  await life(runtime, made);
  expect(made.read('who')).toContain('in inside');
});

test('hooks: the working directory is the bundle', async () => {
  await using runtime = new Runtime();
  const made = stage(runtime, all);
  await life(runtime, made);
  expect([made.bundle.path, '/']).toContain(made.read('createRuntime.cwd'));
});

describe('failing', () => {
  const failing: Hook = { path: '/bin/sh', args: ['sh', '-c', 'echo some reason >&2; exit 3'] };
  const inside: Hook = { path: '/bin/busybox', args: ['busybox', 'sh', '-c', 'exit 3'] };

  test.each(['prestart', 'createRuntime', 'createContainer', 'startContainer'] as const)(
    'hooks.%s: one that fails stops the container, and nothing is left',
    async (kind) => {
      await using runtime = new Runtime();
      const made = stage(runtime, ({ hook }) => ({
        [kind]: [kind === 'startContainer' ? inside : failing],
        poststop: [hook('poststop')],
      }));
      const result = await runtime.call(['run', '--bundle', made.bundle.path, runtime.id()]);
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(told(kind, 0));
      expect(existsSync(`${made.seen}/order`) && made.read('order').includes('program')).toBe(false);
      expect(runtime.states()).toEqual([]);
    },
  );

  testOurs.each(['prestart', 'createRuntime', 'createContainer'] as const)(
    'hooks.%s: what a failing one wrote to stderr is told',
    async (kind) => {
      await using runtime = new Runtime();
      const made = stage(runtime, () => ({ [kind]: [failing] }));
      const result = await runtime.call(['run', '--bundle', made.bundle.path, runtime.id()]);
      expect(result.stderr).toContain('some reason');
    },
  );

  test('hooks: the number of the one that fails is told', async () => {
    await using runtime = new Runtime();
    const made = stage(runtime, ({ hook }) => ({ createRuntime: [hook('first'), failing] }));
    const result = await runtime.call(['run', '--bundle', made.bundle.path, runtime.id()]);
    expect(result.stderr).toMatch(told('createRuntime', 1));
  });

  testOurs('hooks.poststart: one that fails is told of, and the container goes on', async () => {
    await using runtime = new Runtime();
    const made = stage(runtime, () => ({ poststart: [failing] }), 'sleep 100');
    const id = runtime.id();
    await runtime.ok(['create', '--bundle', made.bundle.path, id]);
    await runtime.call(['start', id]);
    expect(JSON.parse((await runtime.ok(['state', id])).stdout)).toMatchObject({ status: 'running' });
  });

  test('hooks.poststop: one that fails does not keep the container from being deleted', async () => {
    await using runtime = new Runtime();
    const made = stage(runtime, ({ hook }) => ({ poststop: [failing, hook('after')] }), 'true');
    const id = runtime.id();
    await runtime.ok(['create', '--bundle', made.bundle.path, id]);
    await runtime.call(['delete', '--force', id]);
    expect(runtime.states()).toEqual([]);
  });

  testOurs('hooks.poststop: each that fails is told of by its number', async () => {
    await using runtime = new Runtime();
    const made = stage(runtime, () => ({ poststop: [failing, { path: '/bin/true' }, failing] }), 'true');
    const id = runtime.id();
    await runtime.ok(['create', '--bundle', made.bundle.path, id]);
    const { stderr } = await runtime.ok(['delete', '--force', id]);
    expect(stderr.match(/poststop hook #\d/g)).toEqual(['poststop hook #0', 'poststop hook #2']);
  });

  test('hooks: a program that is not there stops the container', async () => {
    await using runtime = new Runtime();
    const made = stage(runtime, () => ({ createRuntime: [{ path: '/no/such/hook' }] }));
    const result = await runtime.call(['run', '--bundle', made.bundle.path, runtime.id()]);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('/no/such/hook');
  });

  testOurs('hooks.path: a relative one is refused', async () => {
    await using runtime = new Runtime();
    const made = stage(runtime, () => ({ createRuntime: [{ path: 'bin/sh' }] }));
    const result = await runtime.call(['run', '--bundle', made.bundle.path, runtime.id()]);
    expect(result.code).not.toBe(0);
  });

  test('hooks.timeout: a hook that takes longer is killed, and the container is stopped', async () => {
    await using runtime = new Runtime();
    const made = stage(runtime, () => ({
      createRuntime: [{ path: '/bin/sleep', args: ['sleep', '100'], timeout: 1 }],
    }));
    const start = Date.now();
    const result = await runtime.call(['run', '--bundle', made.bundle.path, runtime.id()]);
    expect(result.code).not.toBe(0);
    expect(Date.now() - start).toBeLessThan(10_000);
    expect(result.stderr).toMatch(told('createRuntime', 0));
  });

  testOurs('hooks.timeout: one that is not positive is refused', async () => {
    await using runtime = new Runtime();
    for (const timeout of [0, -1]) {
      const made = runtime.bundle((config) => {
        config.hooks = { createRuntime: [{ path: '/bin/true', timeout }] };
      });
      expect((await runtime.call(['run', '--bundle', made.path, runtime.id()])).code).not.toBe(0);
    }
  });
});

test('hooks: a large state is read whole, and a hook that reads nothing does no harm', async () => {
  await using runtime = new Runtime();
  const made = stage(runtime, ({ hook }) => ({
    createRuntime: [{ path: '/bin/true' }, hook('createRuntime')],
  }));
  made.bundle.config.annotations = { big: 'x'.repeat(300_000) };
  made.bundle.write();
  await life(runtime, made);
  expect(JSON.parse(made.read('createRuntime.state')).annotations.big).toHaveLength(300_000);
});

testRoot('hooks: those outside stay outside where the container joins the processes of another', async () => {
  await using runtime = new Runtime();
  const first = await runtime.pause();
  const made = stage(runtime, all);
  const { namespaces } = made.bundle.config.linux;
  made.bundle.config.linux.namespaces = namespaces.map((one) =>
    one.type === 'pid' ? { ...one, path: `/proc/${first.pid}/ns/pid` } : one,
  );
  made.bundle.write();
  await runtime.ok(['run', '--bundle', made.bundle.path, runtime.id()]);
  const own = readlinkSync('/proc/self/ns/pid');
  for (const kind of ['prestart', 'createRuntime', 'poststart', 'poststop'] as const)
    expect([kind, made.read(`${kind}.ns`).split('\n')[1]]).toEqual([kind, own]);
});

testOurs('annotation run.oci.hooks.stdout and run.oci.hooks.stderr: where hooks write', async () => {
  await using runtime = new Runtime();
  const made = stage(runtime, () => ({
    createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'echo said; echo complained >&2'] }],
  }));
  made.bundle.config.annotations = {
    'run.oci.hooks.stdout': `${made.seen}/out`,
    'run.oci.hooks.stderr': `${made.seen}/err`,
  };
  made.bundle.write();
  await life(runtime, made);
  expect([made.read('out'), made.read('err')]).toEqual(['said', 'complained']);
});
