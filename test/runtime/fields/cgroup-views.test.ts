import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { skipOnThisMachineUnless } from '../../support/skip.js';
import { type Config, type Container, Runtime } from '../support/runtime.js';
import { testOursRoot, testRoot } from '../support/test.js';
import { PURE_VERSION_1, PURE_VERSION_2, prepareCalls, resetCalls } from '../support/wrapped.js';

// What resources are on a machine with one version of cgroups alone. Here both views are made of a hybrid one, in a mount
// namespace of each call; where there is but version 2, the second part is skipped.

type Resources = NonNullable<Config['linux']['resources']>;
const isHybrid = existsSync('/sys/fs/cgroup/unified/cgroup.controllers');
const version2 = isHybrid ? '/sys/fs/cgroup/unified' : '/sys/fs/cgroup';

function controllers(): string[] {
  return readFileSync(`${version2}/cgroup.controllers`, 'utf8').trim().split(' ');
}

function limit(resources: Resources) {
  return (config: Config): void => {
    config.linux.resources = { ...config.linux.resources, ...resources };
  };
}

const file = (container: Container, name: string): string =>
  readFileSync(`${version2}${container.bundle.config.linux.cgroupsPath}/${name}`, 'utf8').trim();

/** Opens devices 1:11 (kmsg) and 1:7 (full), made in a tmpfs that is not nodev. */
function opens(config: Config): void {
  const script =
    'for how in r w; do mknod /nodes/kmsg c 1 11 2>/dev/null; /testinit open /nodes/kmsg $how; done; mknod /nodes/full c 1 7; /testinit open /nodes/full; true';
  config.process.args = ['sh', '-c', script];
  const names = ['CAP_MKNOD', 'CAP_SYSLOG'] as const;
  config.process.capabilities = { bounding: [...names], permitted: [...names], effective: [...names] };
  config.mounts.push({ destination: '/nodes', type: 'tmpfs', source: 'tmpfs', options: ['dev', 'mode=755'] });
}

const NOTHING = { allow: false, access: 'rwm' } as const;
type Rules = NonNullable<Resources['devices']>;

const DEVICES: readonly (readonly [string, Rules, string])[] = [
  ['nothing', [NOTHING], 'EPERM EPERM ok'],
  ['one to read', [NOTHING, { allow: true, type: 'c', major: 1, minor: 11, access: 'rm' }], 'ok EPERM ok'],
  ['a whole major', [NOTHING, { allow: true, type: 'c', major: 1, access: 'rwm' }], 'ok ok ok'],
  ['all of a type', [NOTHING, { allow: true, type: 'c', access: 'rwm' }], 'ok ok ok'],
  ['all', [{ allow: true, access: 'rwm' }], 'ok ok ok'],
  [
    'all but one',
    [
      { allow: true, access: 'rwm' },
      { allow: false, type: 'c', major: 1, minor: 11, access: 'rwm' },
    ],
    'EPERM EPERM ok',
  ],
  [
    'one, and then not to write',
    [
      NOTHING,
      { allow: true, type: 'c', major: 1, minor: 11, access: 'rwm' },
      { allow: false, type: 'c', major: 1, minor: 11, access: 'w' },
    ],
    'ok EPERM ok',
  ],
];

describe('version 2 alone', () => {
  beforeAll(() => {
    if (isRoot) prepareCalls(PURE_VERSION_2);
  });
  afterAll(resetCalls);

  testRoot('linux.resources in version 2: the container runs in its group', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause();
    expect(file(container, 'cgroup.procs').split('\n')).toContain(`${container.pid}`);
    await container.exec(['true']);
  });

  testRoot.each(DEVICES)('linux.resources.devices in version 2: %s', async (_name, devices, answers) => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      opens(config);
      config.linux.resources = { devices: [...devices] };
    });
    expect(result.stdout.trim().replaceAll('ENOENT', 'EPERM').split('\n').join(' ')).toBe(answers);
  });

  testRoot('linux.resources.devices in version 2: a program executed later is held too', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause((config) => {
      opens(config);
      const script = config.process.args ?? [];
      config.process.args = ['sleep', '1000'];
      config.annotations = { script: script[2] ?? '' };
    });
    const script = container.bundle.config.annotations?.script ?? '';
    const result = await container.exec(['sh', '-c', script], ['--cap', 'CAP_MKNOD', '--cap', 'CAP_SYSLOG']);
    expect(result.stdout.trim().replaceAll('ENOENT', 'EPERM').split('\n').join(' ')).toBe('EPERM EPERM ok');
  });

  testRoot(
    'mounts of type cgroup in version 2: it is the one hierarchy, read-only, and one’s own part of it',
    async () => {
      await using runtime = new Runtime();
      const script =
        'stat -f -c %t /sys/fs/cgroup; cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused';
      const said = await runtime.sh(script, (config) => {
        config.linux.namespaces.push({ type: 'cgroup' });
      });
      const lines = said.split('\n');
      expect([lines[0], lines.at(-1)]).toEqual(['63677270', 'refused']);
      expect(lines).toContain('1');
    },
  );

  testRoot('linux.resources.hugepageLimits in version 2: the group has them', async (context) => {
    skipOnThisMachineUnless(
      context,
      controllers().includes('hugetlb') && existsSync('/sys/kernel/mm/hugepages/hugepages-2048kB'),
      'this machine has no such pages',
    );
    await using runtime = new Runtime();
    const container = await runtime.pause(limit({ hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }] }));
    expect(file(container, 'hugetlb.2MB.max')).toBe('4194304');
  });

  testRoot('linux.resources.unified: each file has what is written there', async (context) => {
    skipOnThisMachineUnless(
      context,
      controllers().includes('hugetlb') && existsSync('/sys/kernel/mm/hugepages/hugepages-2048kB'),
      'this machine has no such pages',
    );
    await using runtime = new Runtime();
    const container = await runtime.pause(
      limit({ unified: { 'hugetlb.2MB.max': '6291456', 'cgroup.max.depth': '7' } }),
    );
    expect([file(container, 'hugetlb.2MB.max'), file(container, 'cgroup.max.depth')]).toEqual([
      '6291456',
      '7',
    ]);
  });

  testRoot('linux.resources.unified: a file that is not there, or a path, is refused', async () => {
    await using runtime = new Runtime();
    for (const name of ['nonsense.max', '../cgroup.max.depth', 'x/y', '']) {
      const result = await runtime.run(limit({ unified: { [name]: '1' } }));
      expect([name, result.code]).not.toEqual([name, 0]);
      expect(result.stderr).not.toBe('');
    }
  });

  testRoot('linux.resources in version 2: a limit without its controller is refused', async (context) => {
    skipOnThisMachineUnless(context, !controllers().includes('memory'), 'this machine has the controller');
    await using runtime = new Runtime();
    const result = await runtime.run(limit({ memory: { limit: 67_108_864 } }));
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/memory/);
  });

  testOursRoot(
    'annotation run.oci.delegate-cgroup: the program has a group of its own below the limited one',
    async () => {
      await using runtime = new Runtime();
      const container = await runtime.pause((config) => {
        config.linux.namespaces.push({ type: 'cgroup' });
        config.annotations = { 'run.oci.delegate-cgroup': 'inner' };
      });
      const group = readFileSync(`/proc/${container.pid}/cgroup`, 'utf8');
      expect(group).toMatch(new RegExp(`^0::${container.bundle.config.linux.cgroupsPath}/inner$`, 'm'));
    },
  );
});

describe('version 1 alone', () => {
  beforeAll(() => {
    if (isRoot && isHybrid) prepareCalls(PURE_VERSION_1);
  });
  afterAll(resetCalls);

  testRoot('linux.resources in version 1: the container runs in its groups', async (context) => {
    skipOnThisMachineUnless(context, isHybrid, 'this machine has version 2 alone');
    await using runtime = new Runtime();
    const container = await runtime.pause(limit({ pids: { limit: 55 }, memory: { limit: 67_108_864 } }));
    expect(container.groupFile('pids', 'pids.max')).toBe('55');
    expect(container.groupFile('memory', 'memory.limit_in_bytes')).toBe('67108864');
    expect((await container.exec(['true'])).code).toBe(0);
  });

  testRoot.each(DEVICES)('linux.resources.devices in version 1: %s', async (_name, devices, answers) => {
    if (!isHybrid) return;
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      opens(config);
      config.linux.resources = { devices: [...devices] };
    });
    expect(result.stdout.trim().replaceAll('ENOENT', 'EPERM').split('\n').join(' ')).toBe(answers);
  });

  testRoot(
    'mounts of type cgroup in version 1: a directory for each controller of the container',
    async (context) => {
      skipOnThisMachineUnless(context, isHybrid, 'this machine has version 2 alone');
      await using runtime = new Runtime();
      const limits = limit({ cpu: { shares: 512 } });
      const names = (await runtime.sh('ls /sys/fs/cgroup', limits)).split('\n');
      expect(names).toEqual(expect.arrayContaining(['cpu', 'memory', 'devices']));
      expect(names).not.toContain('unified');
    },
  );

  testRoot('linux.resources.unified in version 1: it is refused', async (context) => {
    skipOnThisMachineUnless(context, isHybrid, 'this machine has version 2 alone');
    await using runtime = new Runtime();
    const result = await runtime.run(limit({ unified: { 'memory.max': '67108864' } }));
    expect(result.code).not.toBe(0);
    expect(result.stderr).not.toBe('');
    expect(readdirSync('/sys/fs/cgroup/pids').filter((name) => name.startsWith(runtime.group))).toEqual([]);
  });
});
