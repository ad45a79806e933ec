import { existsSync, readdirSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { empower } from '../support/attack.js';
import { type Config, Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';
import { PURE_VERSION_2, prepareCalls, resetCalls } from '../support/wrapped.js';

const WRITE =
  'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do test -d $d || continue; mkdir $d/x 2>/dev/null && echo made $d; (echo 1 >$d/cgroup.procs) 2>/dev/null && echo wrote $d; (echo evil >$d/release_agent) 2>/dev/null && echo agent $d; done; true';

function inUserNamespace(config: Config): void {
  if (!isRoot) return;
  config.linux.namespaces.push({ type: 'user' });
  config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
  config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
}

describe('cgroup mounts', () => {
  testOursRoot('nothing of a cgroup mount can be written by the container’s root', async () => {
    await using runtime = new Runtime();
    expect(await runtime.sh(WRITE, (config) => empower(config))).toBe('');
  });

  testRoot('nor in a user namespace, with a cgroup namespace or without one', async () => {
    for (const view of [undefined, PURE_VERSION_2]) {
      if (view !== undefined) prepareCalls(view);
      try {
        await using runtime = new Runtime();
        for (const own of [true, false])
          expect(
            await runtime.sh(WRITE, (config) => {
              inUserNamespace(config);
              if (own) config.linux.namespaces.push({ type: 'cgroup' });
              else config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'cgroup');
            }),
          ).toBe('');
      } finally {
        resetCalls();
      }
    }
  });

  test('a recursive bind of /sys into a user namespace gives no writable group', async () => {
    await using runtime = new Runtime();
    expect(
      await runtime.sh(WRITE, (config) => {
        inUserNamespace(config);
        config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/sys'));
        config.mounts.push({
          destination: '/sys',
          type: 'bind',
          source: '/sys',
          options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
        });
      }),
    ).toBe('');
  });

  testRoot('release_agent cannot be written, not even where the mount is writable', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(WRITE, (config) => {
      empower(config);
      config.linux.namespaces.push({ type: 'cgroup' });
      for (const mount of config.mounts)
        if (mount.type === 'cgroup') mount.options = ['nosuid', 'noexec', 'nodev', 'rw'];
    });
    // Of version 1, what lies above the controllers is but a tmpfs.
    expect(said).not.toMatch(/agent \/sys\/fs\/cgroup\/./);
  });
});

describe('devices', () => {
  // mknod is granted, and the file system is not nodev: nothing but the rules keeps devices closed.
  const OPEN =
    'mknod /nodes/kmsg c 1 11 2>/dev/null; /testinit open /nodes/kmsg; mknod /nodes/mem c 1 1 2>/dev/null; /testinit open /nodes/mem; true';

  async function said(devices: unknown): Promise<string> {
    await using runtime = new Runtime();
    return await runtime.sh(OPEN, (config) => {
      empower(config, 'CAP_SYSLOG', 'CAP_SYS_RAWIO');
      if (devices === undefined) delete config.linux.resources;
      else config.linux.resources = { devices: devices as [] };
      config.mounts.push({
        destination: '/nodes',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['dev', 'mode=755'],
      });
    });
  }

  testRoot.each([
    ['no resources', undefined],
    ['an empty list', []],
    ['a list that only allows', [{ allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }]],
    ['a list that only denies one', [{ allow: false, type: 'c', major: 1, minor: 3, access: 'm' }]],
  ] as const)('devices that no rule names are denied: %s', async (_name, devices) => {
    const answers = (await said(devices)).split('\n');
    for (const answer of answers) expect(['EPERM', 'ENOENT', 'EACCES', 'ENXIO']).toContain(answer);
  });
});

describe('groups', () => {
  testOursRoot(
    'a path of groups that leads upwards, or through another’s group, touches nothing outside',
    async () => {
      await using runtime = new Runtime();
      for (const path of ['/../..', '/a/../..', '..', '/./.', '/x\ny', `/${'x'.repeat(300)}`]) {
        const result = await runtime.run((config) => {
          config.process.args = ['cat', '/proc/self/cgroup'];
          config.linux.cgroupsPath = path;
        });
        if (result.code === 0)
          expect([path, result.stdout]).not.toEqual([path, expect.stringMatching(/:memory:\/$/m)]);
      }
      const made = existsSync('/sys/fs/cgroup/memory') ? readdirSync('/sys/fs/cgroup/memory') : [];
      expect(made.filter((name) => /^(a|x.*|\.+)$/s.test(name))).toEqual([]);
    },
  );

  testOursRoot('a group that other processes are in is refused', async () => {
    await using runtime = new Runtime();
    const first = await runtime.pause();
    const result = await runtime.run((config) => {
      const path = first.bundle.config.linux.cgroupsPath;
      if (path !== undefined) config.linux.cgroupsPath = path;
    });
    expect(result.code).not.toBe(0);
    expect(first.isAlive()).toBe(true);
  });
});

testOurs('a limit that cannot be set stops the start', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.process.args = ['echo', 'ran'];
    config.linux.resources = { cpu: { cpus: '5000' } };
  });
  expect([result.code === 0, result.stdout]).toEqual([false, '']);
});
