import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { refusalOfCreate } from '../support/expect.js';
import { HOOK_KINDS, type HookKind } from '../support/hooks.js';
import { type Config, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

/** Whose path is one of the container's. */
const INSIDE: readonly HookKind[] = ['startContainer'];

const shell = (script: string, env: string[] = ['PATH=/bin:/usr/bin']) => ({
  path: '/bin/sh',
  args: ['sh', '-c', script],
  env,
});

/** A hook of each kind that adds a line to a file: all see the bundle but the one that runs inside. */
function tracing(config: Config, runtime: Runtime, line: (kind: HookKind) => string): void {
  config.hooks = {};
  for (const kind of HOOK_KINDS) {
    const trace = INSIDE.includes(kind) ? '/work/trace' : join(runtime.folder, 'trace');
    config.hooks[kind] = [shell(`echo "${line(kind)}" >> ${trace}`)];
  }
}

describe('hooks', () => {
  test('hooks: the six kinds run in their order: three at create, one in start, one behind it, one at delete', async () => {
    await using runtime = new Runtime();
    const box = await runtime.create((config) => {
      config.process.args = ['sleep', '1000'];
      tracing(config, runtime, (kind) => kind);
    });
    const trace = (): string[] => {
      const file = join(runtime.folder, 'trace');
      return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    };
    const inside = (): string => {
      const file = box.bundle.inside('work/trace');
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    };
    const created = [...HOOK_KINDS.slice(0, 3), ...(isOurs ? [] : (['poststart'] as const))];
    expect(trace()).toEqual(created);
    expect(inside()).toBe('');
    await box.start();
    expect(inside()).toBe('startContainer\n');
    expect(trace()).toEqual(isOurs ? [...created, 'poststart'] : created);
    await box.delete('--force');
    expect(trace().at(-1)).toBe('poststop');
  });

  test('hooks: several of a kind run in the order of the list', async () => {
    await using runtime = new Runtime();
    const file = join(runtime.folder, 'trace');
    await runtime.create((config) => {
      config.hooks = { createRuntime: [1, 2, 3].map((number) => shell(`echo ${number} >> ${file}`)) };
    });
    expect(readFileSync(file, 'utf8')).toBe('1\n2\n3\n');
  });

  test('hooks: get the state on stdin', async () => {
    await using runtime = new Runtime();
    const box = await runtime.create((config) => {
      config.annotations = { 'org.example.a': '1' };
      config.process.args = ['sleep', '1000'];
      config.hooks = {};
      for (const kind of HOOK_KINDS)
        config.hooks[kind] = [
          shell(`cat > ${INSIDE.includes(kind) ? '/work' : runtime.folder}/${kind}.json`),
        ];
    });
    await box.start();
    await box.delete('--force');
    for (const kind of HOOK_KINDS) {
      const folder = INSIDE.includes(kind) ? box.bundle.inside('work') : runtime.folder;
      const state = JSON.parse(readFileSync(join(folder, `${kind}.json`), 'utf8'));
      expect(state, kind).toMatchObject({
        ociVersion: expect.stringMatching(/^1\./),
        id: box.id,
        bundle: box.bundle.path,
        annotations: { 'org.example.a': '1' },
      });
      // As whoever reads it sees it: two kinds run in the container's pid namespace.
      const pid = /Container$/.test(kind) ? 1 : box.pid;
      if (kind !== 'poststop') expect(state.pid, kind).toBe(pid);
      const status = { poststart: isOurs ? 'running' : state.status, poststop: 'stopped' }[kind as string];
      expect(state.status, kind).toMatch(status ?? /^creat(ing|ed)$/);
    }
  });

  test('hooks: have the environment named, and no other', async () => {
    await using runtime = new Runtime();
    const file = join(runtime.folder, 'env');
    await runtime.create(
      (config) => {
        config.hooks = { createRuntime: [{ path: '/usr/bin/env', args: ['env'], env: ['ONE=1', 'TWO=2'] }] };
        config.hooks.createRuntime = [
          { path: '/bin/sh', args: ['sh', '-c', `/usr/bin/env > ${file}`], env: ['ONE=1', 'TWO=2'] },
        ];
      },
      { env: { SECRET: 'of the caller' } },
    );
    const names = readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.replace(/=.*/, ''));
    expect(names).toEqual(expect.arrayContaining(['ONE', 'TWO']));
    expect(names).not.toContain('SECRET');
    expect(names).not.toContain('HOME');
  });

  test.runIf(isOurs)('hooks: without env they have an empty environment', async () => {
    await using runtime = new Runtime();
    const file = join(runtime.folder, 'env');
    await runtime.create(
      (config) => {
        config.hooks = {
          createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `cat /proc/self/environ > ${file}; true`] }],
        };
      },
      { env: { SECRET: 'of the caller' } },
    );
    expect(readFileSync(file, 'utf8')).not.toContain('SECRET');
  });

  test('hooks: get their args, the name of the program first', async () => {
    await using runtime = new Runtime();
    const file = join(runtime.folder, 'args');
    await runtime.create((config) => {
      config.hooks = {
        createRuntime: [
          {
            path: '/bin/sh',
            args: ['another-name', '-c', `tr '\\0' ' ' < /proc/$$/cmdline > ${file}; true`, 'x'],
          },
        ],
      };
    });
    expect(readFileSync(file, 'utf8')).toMatch(/^another-name -c .* x $/);
  });

  test('hooks: createRuntime and poststart run in the namespaces of the runtime', async () => {
    await using runtime = new Runtime();
    const file = join(runtime.folder, 'ns');
    const look = shell(`readlink /proc/self/ns/mnt /proc/self/ns/uts /proc/self/ns/pid >> ${file}`);
    const box = await runtime.start((config) => {
      config.process.args = ['sleep', '1000'];
      config.hooks = { createRuntime: [look], poststart: [look] };
    });
    expect(box.isAlive()).toBe(true);
    const { readlinkSync } = await import('node:fs');
    const own = ['mnt', 'uts', 'pid'].map((name) => readlinkSync(`/proc/self/ns/${name}`));
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toEqual([...own, ...own]);
  });

  test.runIf(isRoot)(
    'hooks: createContainer runs in the namespaces of the container, before its root is changed',
    async () => {
      await using runtime = new Runtime();
      const file = join(runtime.folder, 'ns');
      const box = await runtime.create((config) => {
        config.hooks = {
          createContainer: [shell(`readlink /proc/self/ns/mnt /proc/self/ns/uts > ${file}`)],
        };
      });
      const { readlinkSync } = await import('node:fs');
      const theirs = ['mnt', 'uts'].map((name) => readlinkSync(`/proc/${box.pid}/ns/${name}`));
      expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toEqual(theirs);
    },
  );

  test('hooks: what createContainer mounts is seen inside', async () => {
    await using runtime = new Runtime();
    const out = await runtime.sh('cat /work/mounted/x', (config) => {
      config.hooks = {
        createContainer: [
          shell(
            'mkdir -p rootfs/work/mounted && mount -t tmpfs none rootfs/work/mounted && echo seen > rootfs/work/mounted/x',
          ),
        ],
      };
      for (const hook of config.hooks.createContainer ?? []) {
        const folder = runtime.folder;
        hook.args = ['sh', '-c', `cd ${folder}/bundle-* && ${hook.args?.[2]}`];
      }
    });
    expect(out).toBe('seen');
  });

  test('hooks: startContainer runs inside, by a path of the container', async () => {
    await using runtime = new Runtime();
    const box = await runtime.start((config) => {
      config.process.args = ['sleep', '1000'];
      config.hooks = {
        startContainer: [
          { path: '/bin/sh', args: ['sh', '-c', 'hostname > /work/name'], env: ['PATH=/bin'] },
        ],
      };
    });
    expect(readFileSync(box.bundle.inside('work/name'), 'utf8')).toBe('inside\n');
  });

  for (const kind of ['prestart', 'createRuntime', 'createContainer'] as const) {
    test(`hooks: a prestart, createRuntime or createContainer that fails makes create fail, and nothing stays (${kind})`, async () => {
      await using runtime = new Runtime();
      const bundle = runtime.bundle((config) => {
        config.hooks = { [kind]: [shell('true'), shell('echo oops >&2; exit 3')] };
      });
      const message = await refusalOfCreate(runtime, bundle);
      expect(message).toMatch(isOurs ? new RegExp(`error running ${kind} hook #1`) : /error running hook #1/);
      expect(message).toMatch(/exit status 3/);
      expect(message).toMatch(/stderr: oops/);
      expect(runtime.leftovers()).toEqual([]);
    });

    test(`hooks: a program that is absent makes create fail (${kind})`, async () => {
      await using runtime = new Runtime();
      const bundle = runtime.bundle((config) => {
        config.hooks = { [kind]: [{ path: '/no/such/hook' }] };
      });
      expect(await refusalOfCreate(runtime, bundle)).toMatch(/\/no\/such\/hook.*no such file or directory/i);
      expect(runtime.leftovers()).toEqual([]);
    });

    test(`hooks: one that hangs is killed at its timeout (${kind})`, async () => {
      await using runtime = new Runtime();
      const bundle = runtime.bundle((config) => {
        config.hooks = { [kind]: [{ ...shell('exec sleep 100'), timeout: 1 }] };
      });
      const before = performance.now();
      expect(await refusalOfCreate(runtime, bundle)).toMatch(/hook ran past specified timeout of 1\.0s/);
      expect(performance.now() - before).toBeLessThan(8000);
      await eventually(
        () => runtime.leftovers(),
        (left) => left.length === 0,
      );
    });
  }

  test.runIf(isOurs)('hooks: children of one that hangs do not keep the call waiting', async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      config.hooks = { createRuntime: [{ ...shell('sleep 30; true'), timeout: 1 }] };
    });
    const before = performance.now();
    await refusalOfCreate(runtime, bundle);
    expect(performance.now() - before).toBeLessThan(8000);
  });

  test('hooks: a startContainer that fails makes start fail', async () => {
    await using runtime = new Runtime();
    const box = await runtime.create((config) => {
      config.process.args = ['touch', '/work/ran'];
      config.hooks = { startContainer: [{ path: '/bin/false' }] };
    });
    await runtime.call(['start', box.id]);
    await box.ended();
    expect(existsSync(box.bundle.inside('work/ran'))).toBe(false);
  });

  test.runIf(isOurs)('hooks: a poststart that fails is told, and start goes on', async () => {
    await using runtime = new Runtime();
    const box = await runtime.create((config) => {
      config.process.args = ['sleep', '1000'];
      config.hooks = { poststart: [shell('exit 3')] };
    });
    const result = await runtime.call(['start', box.id]);
    expect(result.stderr).toMatch(/poststart hook #0/);
    expect(await runtime.call(['state', box.id])).toMatchObject({ code: 0 });
  });

  test('hooks: an empty or relative path is refused', async () => {
    await using runtime = new Runtime();
    for (const path of ['', 'bin/true']) {
      const bundle = runtime.bundle((config) => {
        config.hooks = { createRuntime: [{ path }] };
      });
      await refusalOfCreate(runtime, bundle);
    }
    expect(runtime.leftovers()).toEqual([]);
  });

  test('hooks: have none of the runtime’s descriptors', async () => {
    await using runtime = new Runtime();
    const file = join(runtime.folder, 'fds');
    await runtime.create((config) => {
      config.hooks = { createRuntime: [shell(`ls -l /proc/$$/fd > ${file}; true`)] };
    });
    const targets = readFileSync(file, 'utf8').match(/\d+ -> .*/g) ?? [];
    expect(targets.map((line) => Number(line.split(' ')[0])).filter((fd) => fd > 2 && fd < 10)).toEqual([]);
  });
});
