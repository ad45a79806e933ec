import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, type TestContext } from 'vitest';
import { hasGroups } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { skipUnlessInMachine } from '../../support/skip.js';
import { type Config, type Container, type Patch, Runtime } from '../support/runtime.js';
import { testOurs as test } from '../support/test.js';

// Limits of version 2 with its controllers, for root and for a user to whom they are delegated; what needs no controller
// is in cgroup-views.test.ts.

type Resources = NonNullable<Config['linux']['resources']>;
const MIB = 2 ** 20;

function needVersion2(context: TestContext): void {
  const controllers = '/sys/fs/cgroup/cgroup.controllers';
  const has = existsSync(controllers) && readFileSync(controllers, 'utf8').includes('memory');
  skipUnlessInMachine(context, has, 'this machine has not version 2 of cgroups with its controllers');
  skipUnlessInMachine(context, hasGroups, 'this user has no groups of its own');
}

const limit =
  (resources: Resources): Patch =>
  (config) => {
    config.linux.resources = { ...config.linux.resources, ...resources };
  };

const folderOf = (container: Container): string =>
  `/sys/fs/cgroup${/^0::(.*)$/m.exec(readFileSync(`/proc/${container.pid}/cgroup`, 'utf8'))?.[1]}`;
const file = (container: Container, name: string): string =>
  readFileSync(`${folderOf(container)}/${name}`, 'utf8').trim();
const files = (container: Container, expected: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.keys(expected).map((name) => [name, file(container, name)]));

const LIMITS: readonly (readonly [name: string, Resources, Readonly<Record<string, string>>])[] = [
  [
    'memory.limit, memory.swap and memory.reservation',
    { memory: { limit: 64 * MIB, swap: 96 * MIB, reservation: 32 * MIB } },
    { 'memory.max': `${64 * MIB}`, 'memory.swap.max': `${32 * MIB}`, 'memory.low': `${32 * MIB}` },
  ],
  [
    'cpu.shares, cpu.quota, cpu.period and cpu.burst',
    { cpu: { shares: 2048, quota: 25_000, period: 50_000, burst: 10_000 } },
    { 'cpu.weight': '79', 'cpu.max': '25000 50000', 'cpu.max.burst': '10000' },
  ],
  ['cpu.idle', { cpu: { idle: 1 } }, { 'cpu.idle': '1' }],
  ['cpu.cpus and cpu.mems', { cpu: { cpus: '1', mems: '0' } }, { 'cpuset.cpus': '1', 'cpuset.mems': '0' }],
  ['pids.limit', { pids: { limit: 77 } }, { 'pids.max': '77' }],
  [
    'unified',
    {
      unified: {
        'memory.high': `${40 * MIB}`,
        'pids.max': '88',
        'cpu.weight': '55',
        'memory.oom.group': '1',
      },
    },
    { 'memory.high': `${40 * MIB}`, 'pids.max': '88', 'cpu.weight': '55', 'memory.oom.group': '1' },
  ],
];

test('linux.resources in version 2: each limit of memory, cpu, pids and unified lies in its file', async (context) => {
  needVersion2(context);
  await using runtime = new Runtime();
  for (const [name, resources, expected] of LIMITS) {
    const container = await runtime.pause(limit(resources));
    expect([name, files(container, expected)]).toEqual([name, expected]);
    const folder = folderOf(container);
    await container.delete('--force');
    expect([name, existsSync(folder)]).toEqual([name, false]);
  }
});

test('linux.resources.blockIO in version 2: weight and throttles lie in io.max and io.weight', async (context) => {
  needVersion2(context);
  const disk = readdirSync('/sys/block').find((name) => existsSync(`/sys/block/${name}/device`)) ?? '';
  const number = readFileSync(`/sys/block/${disk}/dev`, 'utf8').trim();
  const [major = 0, minor = 0] = number.split(':').map(Number);
  const rate = (value: number) => [{ major, minor, rate: value }];
  await using runtime = new Runtime();
  const container = await runtime.pause(
    limit({
      blockIO: {
        throttleReadBpsDevice: rate(1_048_576),
        throttleWriteBpsDevice: rate(2_097_152),
        throttleReadIOPSDevice: rate(500),
        throttleWriteIOPSDevice: rate(600),
      },
    }),
  );
  expect(file(container, 'io.max')).toBe(`${number} rbps=1048576 wbps=2097152 riops=500 wiops=600`);
});

test('update in version 2: every limit may change, and what the kernel refuses changes nothing', async (context) => {
  needVersion2(context);
  await using runtime = new Runtime();
  const container = await runtime.pause(limit({ memory: { limit: 64 * MIB }, pids: { limit: 77 } }));
  const resources: Resources = {
    memory: { limit: 48 * MIB, swap: 80 * MIB, reservation: 16 * MIB },
    cpu: { shares: 512, quota: 30_000, period: 60_000, cpus: '0' },
    pids: { limit: 66 },
    unified: { 'memory.high': `${40 * MIB}` },
  };
  await runtime.ok(['update', '--resources', '-', container.id], { input: JSON.stringify(resources) });
  const expected = {
    'memory.max': `${48 * MIB}`,
    'memory.swap.max': `${32 * MIB}`,
    'memory.low': `${16 * MIB}`,
    'memory.high': `${40 * MIB}`,
    'cpu.weight': '20',
    'cpu.max': '30000 60000',
    'cpuset.cpus': '0',
    'pids.max': '66',
  };
  expect(files(container, expected)).toEqual(expected);
  const wrong = JSON.stringify({ pids: { limit: 55 }, cpu: { cpus: '4000' } });
  const refused = await runtime.call(['update', '--resources', '-', container.id], { input: wrong });
  expect([refused.code, refused.stderr === '']).not.toEqual([0, true]);
  expect(files(container, expected)).toEqual(expected);
  await runtime.ok(['update', container.id, '--memory', '-1', '--cpu-quota', '-1', '--pids-limit', '-1']);
  const free = { 'memory.max': 'max', 'memory.swap.max': 'max', 'cpu.max': 'max 60000', 'pids.max': 'max' };
  expect(files(container, free)).toEqual(free);
});

test('pause, resume and kill --all in version 2: by the group', async (context) => {
  needVersion2(context);
  await using runtime = new Runtime();
  const container = await runtime.pause((config) => {
    config.process.args = ['sh', '-c', 'sleep 1000 & sleep 1000'];
  });
  await runtime.ok(['pause', container.id]);
  expect([file(container, 'cgroup.freeze'), await container.status()]).toEqual(['1', 'paused']);
  await runtime.ok(['resume', container.id]);
  expect([file(container, 'cgroup.freeze'), await container.status()]).toEqual(['0', 'running']);
  await runtime.ok(['pause', container.id]);
  const folder = folderOf(container);
  await container.delete('--force');
  expect([container.isAlive(), existsSync(folder)]).toEqual([false, false]);
});

test('events in version 2: what the group uses, and notices of the want of memory', async (context) => {
  needVersion2(context);
  await using runtime = new Runtime();
  const container = await runtime.pause((config) => {
    config.process.args = [
      'sh',
      '-c',
      'until test -e /tmp/go; do sleep 0.2; done; tail /dev/zero; sleep 1000',
    ];
    limit({ memory: { limit: 24 * MIB, swap: 24 * MIB }, pids: { limit: 77 } })(config);
  });
  const { stdout } = await runtime.ok(['events', '--stats', container.id]);
  const { type, id, data } = JSON.parse(stdout);
  expect([type, id, data.memory.usage.limit, data.pids.limit]).toEqual(['stats', container.id, 24 * MIB, 77]);
  expect(data.memory.usage.usage).toBeGreaterThan(0);
  expect(data.pids.current).toBeGreaterThan(0);
  expect(data.cpu.usage.total).toBeGreaterThan(0);
  const events = runtime.launch(['events', '--interval', '500ms', container.id], { patienceMs: 170_000 });
  const says = (word: string) =>
    eventually(
      () => events.stdout,
      (text) => text.includes(word),
      60_000,
    );
  await says('"stats"');
  writeFileSync(container.bundle.inside('tmp/go'), '');
  await says('"oom"');
  await container.kill();
  expect((await events.result).code).toBe(0);
});
