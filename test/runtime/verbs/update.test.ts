import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as anyone, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { refusal } from '../support/expect.js';
import { type Container, type Patch, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

const test = testWhere(isRoot);
const testOurs = testWhere(isRoot && isOurs);
const MIB = 1024 * 1024;

async function updated(
  flags: readonly string[],
  look: (box: Container) => void,
  patch?: Patch,
): Promise<void> {
  await using runtime = new Runtime();
  const box = await runtime.pause(patch);
  const { stdout, stderr } = await runtime.ok(['update', ...flags, box.id]);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  look(box);
}

const memory = (box: Container): string => box.groupFile('memory', 'memory.limit_in_bytes', 'memory.max');

test('update: --memory changes memory.limit_in_bytes / memory.max of a running container', () =>
  updated(['--memory', '64M'], (box) => expect(memory(box)).toBe(`${64 * MIB}`)));

test('update: --memory takes bytes, and sizes like 1g', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  for (const [size, bytes] of Object.entries({
    '67108864': 64 * MIB,
    '32768k': 32 * MIB,
    '1g': 1024 * MIB,
    '100MB': 100 * MIB,
    '0.5G': 512 * MIB,
    '20MiB': 20 * MIB,
  })) {
    await runtime.ok(['update', '--memory', size, box.id]);
    expect(memory(box)).toBe(`${bytes}`);
  }
});

test('update: --memory=-1 lifts the limit', () =>
  updated(
    ['--memory=-1'],
    (box) => expect(memory(box)).toMatch(/^(9223372036854771712|max)$/),
    (config) => {
      config.linux.resources = { ...config.linux.resources, memory: { limit: 64 * MIB } };
    },
  ));

test('update: --memory-reservation changes memory.soft_limit_in_bytes / memory.low', () =>
  updated(['--memory-reservation', '16M'], (box) =>
    expect(box.groupFile('memory', 'memory.soft_limit_in_bytes', 'memory.low')).toBe(`${16 * MIB}`),
  ));

test('update: --memory-swap changes memory.memsw.limit_in_bytes / memory.swap.max', () =>
  updated(['--memory', '64M', '--memory-swap', '96M'], (box) =>
    expect(box.groupFile('memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max')).toMatch(
      new RegExp(`^(${96 * MIB}|${32 * MIB})$`),
    ),
  ));

test('update: raises --memory and --memory-swap together, in the order that the kernel wants', () =>
  updated(
    ['--memory', '128M', '--memory-swap', '128M'],
    (box) => expect(memory(box)).toBe(`${128 * MIB}`),
    (config) => {
      config.linux.resources = { ...config.linux.resources, memory: { limit: 64 * MIB, swap: 64 * MIB } };
    },
  ));

test('update: lowers --memory and --memory-swap together, in the order that the kernel wants', () =>
  updated(
    ['--memory', '32M', '--memory-swap', '32M'],
    (box) => expect(memory(box)).toBe(`${32 * MIB}`),
    (config) => {
      config.linux.resources = { ...config.linux.resources, memory: { limit: 64 * MIB, swap: 64 * MIB } };
    },
  ));

test('update: --kernel-memory of old callers is accepted and ignored, as runc does', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['update', '--kernel-memory', '64M', '--kernel-memory-tcp', '64M', box.id]);
});

test('update: --pids-limit changes pids.max', () =>
  updated(['--pids-limit', '33'], (box) => expect(box.groupFile('pids', 'pids.max')).toBe('33')));

test('update: --pids-limit=-1 lifts the limit', () =>
  updated(
    ['--pids-limit=-1'],
    (box) => expect(box.groupFile('pids', 'pids.max')).toBe('max'),
    (config) => {
      config.linux.resources = { ...config.linux.resources, pids: { limit: 40 } };
    },
  ));

test('update: --cpu-share changes cpu.shares / cpu.weight', () =>
  updated(['--cpu-share', '512'], (box) =>
    expect(box.groupFile('cpu', 'cpu.shares', 'cpu.weight')).toMatch(/^(512|20)$/),
  ));

test('update: --cpu-quota and --cpu-period change cpu.cfs_quota_us and cpu.cfs_period_us / cpu.max', () =>
  updated(['--cpu-quota', '30000', '--cpu-period', '50000'], (box) => {
    expect(box.groupFile('cpu', 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^30000/);
    expect(box.groupFile('cpu', 'cpu.cfs_period_us', 'cpu.max')).toMatch(/50000$/);
  }));

testOurs('update: --cpu-burst changes cpu.cfs_burst_us / cpu.max.burst', () =>
  updated(['--cpu-quota', '30000', '--cpu-burst', '10000'], (box) =>
    expect(box.groupFile('cpu', 'cpu.cfs_burst_us', 'cpu.max.burst')).toBe('10000'),
  ),
);

testOurs('update: --cpu-idle changes cpu.idle', () =>
  updated(['--cpu-idle', '1'], (box) => expect(box.groupFile('cpu', 'cpu.idle')).toBe('1')),
);

test('update: --cpu-rt-runtime and --cpu-rt-period change the real-time limits, where the kernel has them', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const result = await runtime.call([
    'update',
    '--cpu-rt-period',
    '1000000',
    '--cpu-rt-runtime',
    '0',
    box.id,
  ]);
  if (result.code !== 0)
    expect(refusal(result)).toMatch(/cpu\.rt_|real-?time|no such file|not supported|permission denied/i);
});

test('update: --cpuset-cpus and --cpuset-mems change cpuset.cpus and cpuset.mems', () =>
  updated(['--cpuset-cpus', '0', '--cpuset-mems', '0'], (box) => {
    expect(box.groupFile('cpuset', 'cpuset.cpus')).toBe('0');
    expect(box.groupFile('cpuset', 'cpuset.mems')).toBe('0');
  }));

test('update: --blkio-weight changes blkio.weight / io.weight, where the kernel has it', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const result = await runtime.call(['update', '--blkio-weight', '200', box.id]);
  if (result.code !== 0) refusal(result);
});

test('update: --l3-cache-schema and --mem-bw-schema need resctrl, and say so', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await runtime.call(['update', '--l3-cache-schema', 'L3:0=f', box.id]))).toMatch(
    /Intel RDT|resctrl/i,
  );
  expect(refusal(await runtime.call(['update', '--mem-bw-schema', 'MB:0=20', box.id]))).toMatch(
    /Intel RDT|resctrl/i,
  );
});

const resources = { memory: { limit: 48 * MIB }, pids: { limit: 44 }, cpu: { shares: 256 } };

function agrees(box: Container): void {
  expect(memory(box)).toBe(`${48 * MIB}`);
  expect(box.groupFile('cpu', 'cpu.shares', 'cpu.weight')).toMatch(/^(256|10)$/);
}

test('update: --resources takes the limits from a file', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = join(runtime.folder, 'resources.json');
  writeFileSync(file, JSON.stringify(resources));
  await runtime.ok(['update', '--resources', file, box.id]);
  agrees(box);
});

test('update: -r FILE is --resources', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = join(runtime.folder, 'resources.json');
  writeFileSync(file, JSON.stringify(resources));
  await runtime.ok(['update', '-r', file, box.id]);
  agrees(box);
});

test('update: --resources=- takes them from stdin, as containerd sends them', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['update', '--resources=-', box.id], { input: JSON.stringify(resources) });
  agrees(box);
});

test('update: -r - reads stdin', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['update', '-r', '-', box.id], { input: JSON.stringify(resources) });
  agrees(box);
});

testOurs('update: --resources sets pids, unified and what else config.json may hold', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['update', '-r', '-', box.id], { input: JSON.stringify(resources) });
  expect(box.groupFile('pids', 'pids.max')).toBe('44');
});

for (const [what, text] of Object.entries({
  empty: '',
  'half an object': '{"memory": {',
  'an array': '[]',
  'a text for a number': '{"memory": {"limit": "64M"}}',
  'a fraction': '{"memory": {"limit": 1.5}}',
})) {
  test(`update: malformed --resources are refused (${what})`, async () => {
    await using runtime = new Runtime();
    const box = await runtime.pause();
    const before = memory(box);
    refusal(await runtime.call(['update', '-r', '-', box.id], { input: text }));
    expect(memory(box)).toBe(before);
  });
}

test('update: --resources of a file that is absent is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await runtime.call(['update', '-r', '/no/such', box.id]))).toMatch(
    /\/no\/such: .*no such file or directory/i,
  );
});

for (const size of ['foo', '-5k', '1.2.3', '', '99999999999999999999']) {
  test(`update: a --memory that is no size is refused (${JSON.stringify(size)})`, async () => {
    await using runtime = new Runtime();
    const box = await runtime.pause();
    const before = memory(box);
    const result = await runtime.call(['update', `--memory=${size}`, box.id]);
    if (size !== '') expect(refusal(result)).toMatch(/invalid|numerical|parse/);
    expect(memory(box)).toBe(before);
  });
}

test('update: a limit that the kernel refuses is told', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await runtime.call(['update', '--cpuset-cpus', '4000', box.id]))).toMatch(/cpuset\.cpus/);
});

test('update: a created container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  await runtime.ok(['update', '--memory', '64M', box.id]);
  expect(memory(box)).toBe(`${64 * MIB}`);
});

test('update: a paused container stays paused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['pause', box.id]);
  await runtime.ok(['update', '--memory', '64M', box.id]);
  expect(await box.status()).toBe('paused');
  await runtime.ok(['resume', box.id]);
});

test('update: a stopped container is refused with "container not running"', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  expect(refusal(await runtime.call(['update', '--memory', '64M', box.id]))).toBe('container not running');
});

anyone('update: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['update', '--memory', '64M', runtime.id()]))).toBe(
    'container does not exist',
  );
});

test('update: what is not named stays as it was', () =>
  updated(
    ['--pids-limit', '50'],
    (box) => {
      expect(memory(box)).toBe(`${64 * MIB}`);
      expect(box.groupFile('pids', 'pids.max')).toBe('50');
    },
    (config) => {
      config.linux.resources = { ...config.linux.resources, memory: { limit: 64 * MIB } };
    },
  ));

test('update: a later update keeps what an earlier one has set', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['update', '--memory', '64M', box.id]);
  await runtime.ok(['update', '--pids-limit', '50', box.id]);
  expect([memory(box), box.groupFile('pids', 'pids.max')]).toEqual([`${64 * MIB}`, '50']);
});

testOurs('update: a flag may stand after the ID', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['update', box.id, '--memory', '64m']);
  expect(memory(box)).toBe(`${64 * MIB}`);
});

test('update: the device rules of the container stay', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['update', '--memory', '64M', box.id]);
  expect(await box.sh('echo x > /dev/null && echo well')).toBe('well');
});
