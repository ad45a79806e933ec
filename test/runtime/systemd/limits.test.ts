import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { eventually } from '../../support/polling.js';
import type { Config, Patch } from '../support/runtime.js';
import { fileOf, needSystemd, SystemdRuntime, show, systemctl, withLimits } from '../support/systemd.js';
import { testOurs as test, testOursRoot as testRoot } from '../support/test.js';

type Resources = NonNullable<Config['linux']['resources']>;
type Expected = readonly (readonly [file: string, value: string, property: string, shown: string])[];

const MIB = 2 ** 20;

// Each limit, as it lies in the group and as systemd knows it.
const LIMITS: readonly (readonly [name: string, Resources, Expected])[] = [
  [
    'memory: limit, swap, reservation',
    { memory: { limit: 64 * MIB, swap: 96 * MIB, reservation: 32 * MIB } },
    [
      ['memory.max', `${64 * MIB}`, 'MemoryMax', `${64 * MIB}`],
      ['memory.swap.max', `${32 * MIB}`, 'MemorySwapMax', `${32 * MIB}`],
      ['memory.low', `${32 * MIB}`, 'MemoryLow', `${32 * MIB}`],
    ],
  ],
  [
    'memory without swap',
    { memory: { limit: 64 * MIB, swap: 64 * MIB } },
    [['memory.swap.max', '0', 'MemorySwapMax', '0']],
  ],
  [
    'cpu: shares and quota',
    { cpu: { shares: 2048, quota: 25_000, period: 50_000 } },
    [
      ['cpu.weight', '79', 'CPUWeight', '79'],
      ['cpu.max', '25000 50000', 'CPUQuotaPerSecUSec', '500ms'],
      ['cpu.max', '25000 50000', 'CPUQuotaPeriodUSec', '50ms'],
    ],
  ],
  ['cpu: idle', { cpu: { idle: 1 } }, [['cpu.idle', '1', 'CPUWeight', 'idle']]],
  [
    'cpu: cpus and mems',
    { cpu: { cpus: '1', mems: '0' } },
    [
      ['cpuset.cpus', '1', 'AllowedCPUs', '1'],
      ['cpuset.mems', '0', 'AllowedMemoryNodes', '0'],
    ],
  ],
  ['pids', { pids: { limit: 77 } }, [['pids.max', '77', 'TasksMax', '77']]],
  [
    'unified',
    {
      unified: {
        'memory.high': `${40 * MIB}`,
        'memory.min': `${MIB}`,
        'pids.max': '88',
        'cpu.max': 'max 60000',
      },
    },
    [
      ['memory.high', `${40 * MIB}`, 'MemoryHigh', `${40 * MIB}`],
      ['memory.min', `${MIB}`, 'MemoryMin', `${MIB}`],
      ['pids.max', '88', 'TasksMax', '88'],
      ['cpu.max', 'max 60000', 'CPUQuotaPerSecUSec', 'infinity'],
    ],
  ],
];

const both = (expected: Expected): string[] => expected.flatMap(([, value, , shown]) => [value, shown]);

function found(container: Parameters<typeof fileOf>[0] & { unit: string }, expected: Expected): string[] {
  const properties = show(container.unit, ...expected.map(([, , property]) => property));
  return expected.flatMap(([file, , property]) => [fileOf(container, file), properties[property] ?? '']);
}

// Starting a container costs more than looking at one, so that those that go together share one.
test('--systemd-cgroup: limits lie in the group and are known to systemd as properties', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  for (const [name, resources, expected] of LIMITS) {
    const container = await runtime.scope(withLimits(resources));
    expect([name, ...found(container, expected)]).toEqual([name, ...both(expected)]);
    await container.delete('--force');
  }
});

const UPDATES: readonly (readonly [name: string, Resources, Expected])[] = [
  [
    'memory',
    { memory: { limit: 48 * MIB, swap: 80 * MIB, reservation: 16 * MIB } },
    [
      ['memory.max', `${48 * MIB}`, 'MemoryMax', `${48 * MIB}`],
      ['memory.swap.max', `${32 * MIB}`, 'MemorySwapMax', `${32 * MIB}`],
      ['memory.low', `${16 * MIB}`, 'MemoryLow', `${16 * MIB}`],
    ],
  ],
  [
    'cpu',
    { cpu: { shares: 512, quota: 30_000 } },
    [
      ['cpu.weight', '20', 'CPUWeight', '20'],
      ['cpu.max', '30000 50000', 'CPUQuotaPerSecUSec', '600ms'],
    ],
  ],
  ['pids', { pids: { limit: 66 } }, [['pids.max', '66', 'TasksMax', '66']]],
];

test('--systemd-cgroup: update changes the group and the properties, each time anew', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope(
    withLimits({ memory: { limit: 64 * MIB }, cpu: { quota: 25_000, period: 50_000 }, pids: { limit: 77 } }),
  );
  for (const [name, resources, expected] of UPDATES) {
    await runtime.ok(['update', '--resources', '-', container.id], { input: JSON.stringify(resources) });
    expect([name, ...found(container, expected)]).toEqual([name, ...both(expected)]);
  }
  await runtime.ok(['update', container.id, '--memory', '56m', '--pids-limit', '-1', '--cpu-quota', '-1']);
  const last: Expected = [
    ['memory.max', `${56 * MIB}`, 'MemoryMax', `${56 * MIB}`],
    ['pids.max', 'max', 'TasksMax', 'infinity'],
    ['cpu.weight', '20', 'CPUWeight', '20'],
  ];
  expect(found(container, last)).toEqual(both(last));
  // systemd writes what it knows, with a period of its own where there is no quota.
  systemctl('daemon-reload');
  expect(found(container, last)).toEqual(both(last));
  expect(fileOf(container, 'cpu.max')).toMatch(/^max /);
  expect(show(container.unit, 'CPUQuotaPerSecUSec')).toEqual({ CPUQuotaPerSecUSec: 'infinity' });
});

test('--systemd-cgroup: an update that the kernel refuses changes neither', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope(withLimits({ pids: { limit: 77 } }));
  const input = JSON.stringify({ pids: { limit: 55 }, unified: { 'nonsense.max': '1' } });
  const result = await runtime.call(['update', '--resources', '-', container.id], { input });
  expect(result.code).not.toBe(0);
  const expected: Expected = [['pids.max', '77', 'TasksMax', '77']];
  expect(found(container, expected)).toEqual(both(expected));
});

test('--systemd-cgroup: a limit that cannot be had is refused, and no unit is left', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const refused: Resources[] = [{ cpu: { cpus: '4000' } }, { unified: { 'nonsense.max': '1' } }];
  for (const resources of refused) {
    const result = await runtime.runScope(withLimits(resources));
    expect(result.code).toBe(1);
    expect(result.stderr).not.toBe('');
    expect([runtime.states(), runtime.units()]).toEqual([[], []]);
  }
});

// Opens 1:11 (kmsg), which no default allows.
const opens: Patch = (config) => {
  const names = ['CAP_MKNOD', 'CAP_SYSLOG'] as const;
  config.process.capabilities = { bounding: [...names], permitted: [...names], effective: [...names] };
  config.mounts.push({ destination: '/nodes', type: 'tmpfs', source: 'tmpfs', options: ['dev', 'mode=755'] });
};
const OPEN = 'mknod /nodes/kmsg c 1 11; /testinit open /nodes/kmsg; /testinit open /dev/null';
const CAPABLE = ['--cap', 'CAP_MKNOD', '--cap', 'CAP_SYSLOG'];

testRoot('--systemd-cgroup: devices are limited, also after a daemon-reload', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope((config) => {
    opens(config);
    const rule = { allow: true, type: 'c', major: 1, minor: 11, access: 'm' } as const;
    config.linux.resources = { devices: [{ allow: false, access: 'rwm' }, rule] };
  });
  expect(await container.sh(OPEN, CAPABLE)).toBe('EPERM\nok');
  systemctl('daemon-reload');
  expect(await container.sh(OPEN.replace('mknod', 'true'), CAPABLE)).toBe('EPERM\nok');
});

test('--systemd-cgroup: more memory than that ends the program, and events tells of it', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope((config) => {
    config.process.args = [
      'sh',
      '-c',
      'until test -e /tmp/go; do sleep 0.2; done; tail /dev/zero; sleep 1000',
    ];
    withLimits({ memory: { limit: 24 * MIB, swap: 24 * MIB } })(config);
  });
  const events = runtime.launch(['events', '--interval', '1s', container.id], { patienceMs: 170_000 });
  await eventually(
    () => events.stdout,
    (text) => text.includes('"stats"'),
    60_000,
  );
  writeFileSync(container.bundle.inside('tmp/go'), '');
  await eventually(
    () => events.stdout,
    (text) => text.includes('"oom"'),
    60_000,
  );
  await container.kill();
  await container.ended();
  await container.delete();
  expect((await events.result).code).toBe(0);
  expect(runtime.units()).toEqual([]);
});
