import { existsSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { groups } from '../../support/leaks.js';
import { skipOnThisMachineUnless } from '../../support/skip.js';
import { groupsCalled } from '../support/leftovers.js';
import { type Config, type Container, Runtime } from '../support/runtime.js';
import { testOursRoot, testRoot } from '../support/test.js';

type Resources = NonNullable<Config['linux']['resources']>;

/** The controllers of version 1 that are mounted here, by the file that every one has. */
const isVersion1 = existsSync('/sys/fs/cgroup/memory/cgroup.procs');

async function limited(runtime: Runtime, resources: Resources): Promise<Container> {
  return await runtime.pause((config) => {
    config.linux.resources = { ...config.linux.resources, ...resources };
  });
}

/** What the container's group has in a file: version 1's name, then version 2's. */
async function file(resources: Resources, controller: string, ...names: string[]): Promise<string> {
  await using runtime = new Runtime();
  const container = await limited(runtime, resources);
  return container.groupFile(controller, ...names);
}

const MIB = 2 ** 20;

describe('memory', () => {
  testRoot('linux.resources.memory.limit: the group has it, and more ends the program', async () => {
    expect(await file({ memory: { limit: 64 * MIB } }, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(
      `${64 * MIB}`,
    );
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.process.args = ['sh', '-c', 'head -c 100000000 /dev/zero | tail | wc -c; echo after'];
      config.linux.resources = { ...config.linux.resources, memory: { limit: 24 * MIB, swap: 24 * MIB } };
    });
    expect(result.stdout).not.toContain('100000000');
  });

  testOursRoot('linux.resources.memory.limit: 512 KiB are enough to run a program', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.process.args = ['true'];
      config.linux.resources = { ...config.linux.resources, memory: { limit: 512 * 1024, swap: 512 * 1024 } };
    });
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
  });

  testRoot('linux.resources.memory.reservation: the group has it', async () => {
    const set = { memory: { reservation: 32 * MIB } };
    expect(await file(set, 'memory', 'memory.soft_limit_in_bytes', 'memory.low')).toBe(`${32 * MIB}`);
  });

  testRoot('linux.resources.memory.swap: memory and swap together, beside the limit', async () => {
    const set = { memory: { limit: 32 * MIB, swap: 48 * MIB } };
    expect(await file(set, 'memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max')).toBe(
      `${(isVersion1 ? 48 : 16) * MIB}`,
    );
  });

  testRoot('linux.resources.memory.swap: -1 is without limit', async () => {
    const text = await file(
      { memory: { limit: 32 * MIB, swap: -1 } },
      'memory',
      'memory.memsw.limit_in_bytes',
      'memory.swap.max',
    );
    expect(text === 'max' || Number(text) > 2 ** 60).toBe(true);
  });

  testRoot('linux.resources.memory.limit: -1 is without limit', async () => {
    const text = await file({ memory: { limit: -1 } }, 'memory', 'memory.limit_in_bytes', 'memory.max');
    expect(text === 'max' || Number(text) > 2 ** 60).toBe(true);
  });

  testRoot('linux.resources.memory.swappiness: the group has it', async (context) => {
    skipOnThisMachineUnless(context, isVersion1, 'version 2 of cgroups has no swappiness');
    expect(await file({ memory: { swappiness: 33 } }, 'memory', 'memory.swappiness')).toBe('33');
  });

  testOursRoot('linux.resources.memory.kernelTCP: the group has it', async (context) => {
    skipOnThisMachineUnless(
      context,
      existsSync('/sys/fs/cgroup/memory/memory.kmem.tcp.limit_in_bytes'),
      'this kernel has no such limit',
    );
    expect(await file({ memory: { kernelTCP: 8 * MIB } }, 'memory', 'memory.kmem.tcp.limit_in_bytes')).toBe(
      `${8 * MIB}`,
    );
  });

  testRoot('linux.resources.memory.disableOOMKiller: the group has it', async (context) => {
    skipOnThisMachineUnless(context, isVersion1, 'version 2 of cgroups cannot switch it off');
    expect(await file({ memory: { disableOOMKiller: true } }, 'memory', 'memory.oom_control')).toContain(
      'oom_kill_disable 1',
    );
  });

  testOursRoot(
    'linux.resources.memory.checkBeforeUpdate: a limit below what is used is refused at an update',
    async () => {
      await using runtime = new Runtime();
      const container = await runtime.pause((config) => {
        config.process.args = ['sh', '-c', 'head -c 8000000 /dev/zero >/dev/shm/full; echo ready; sleep 100'];
        config.linux.resources = {
          ...config.linux.resources,
          memory: { limit: 64 * MIB, checkBeforeUpdate: true },
        };
      });
      await container.says('ready');
      const update = { memory: { limit: MIB, swap: MIB, checkBeforeUpdate: true } };
      const result = await runtime.call(['update', '--resources', '-', container.id], {
        input: JSON.stringify(update),
      });
      expect(result.code).not.toBe(0);
      expect(container.groupFile('memory', 'memory.limit_in_bytes', 'memory.max')).toBe(`${64 * MIB}`);
    },
  );
});

describe('cpu', () => {
  testRoot('linux.resources.cpu.shares: the group has them', async () => {
    expect(['512', '20', '59']).toContain(
      await file({ cpu: { shares: 512 } }, 'cpu', 'cpu.shares', 'cpu.weight'),
    );
  });

  testRoot('linux.resources.cpu.quota and linux.resources.cpu.period: the group has them', async () => {
    await using runtime = new Runtime();
    const container = await limited(runtime, { cpu: { quota: 30_000, period: 60_000 } });
    if (!isVersion1) expect(container.groupFile('cpu', 'cpu.max')).toBe('30000 60000');
    else {
      expect(container.groupFile('cpu', 'cpu.cfs_quota_us')).toBe('30000');
      expect(container.groupFile('cpu', 'cpu.cfs_period_us')).toBe('60000');
    }
  });

  testRoot('linux.resources.cpu.quota: -1 is without limit', async () => {
    expect(['-1', 'max 100000']).toContain(
      await file({ cpu: { quota: -1 } }, 'cpu', 'cpu.cfs_quota_us', 'cpu.max'),
    );
  });

  testOursRoot('linux.resources.cpu.burst: the group has it', async () => {
    const set = { cpu: { quota: 50_000, period: 100_000, burst: 20_000 } };
    expect(await file(set, 'cpu', 'cpu.cfs_burst_us', 'cpu.max.burst')).toBe('20000');
  });

  testOursRoot('linux.resources.cpu.idle: the group has it', async () => {
    expect(await file({ cpu: { idle: 1 } }, 'cpu', 'cpu.idle')).toBe('1');
  });

  testRoot(
    'linux.resources.cpu.cpus and linux.resources.cpu.mems: the program runs there alone',
    async () => {
      await using runtime = new Runtime();
      const script = "sed -n 's/^\\(Cpus\\|Mems\\)_allowed_list:\\t//p' /proc/self/status";
      expect(
        await runtime.sh(script, (config) => {
          config.linux.resources = { ...config.linux.resources, cpu: { cpus: '1', mems: '0' } };
        }),
      ).toBe('1\n0');
    },
  );

  testRoot('linux.resources.cpu.cpus: processors that are not there are refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.linux.resources = { ...config.linux.resources, cpu: { cpus: '4000' } };
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).not.toBe('');
  });

  testRoot(
    'linux.resources.cpu.realtimeRuntime and linux.resources.cpu.realtimePeriod: the group has them, or the start is refused',
    async (context) => {
      skipOnThisMachineUnless(
        context,
        existsSync('/sys/fs/cgroup/cpu/cpu.rt_runtime_us'),
        'this kernel schedules no real time by groups',
      );
      await using runtime = new Runtime();
      const container = await limited(runtime, { cpu: { realtimeRuntime: 1000, realtimePeriod: 500_000 } });
      expect(container.groupFile('cpu', 'cpu.rt_runtime_us')).toBe('1000');
      expect(container.groupFile('cpu', 'cpu.rt_period_us')).toBe('500000');
    },
  );
});

describe('pids', () => {
  testRoot('linux.resources.pids.limit: no more processes than that', async () => {
    expect(await file({ pids: { limit: 77 } }, 'pids', 'pids.max')).toBe('77');
    await using runtime = new Runtime();
    const script =
      'for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.3 &) 2>/dev/null || echo refused; done 2>&1 | head -1';
    const result = await runtime.run((config) => {
      config.process.args = ['sh', '-c', script];
      config.linux.resources = { ...config.linux.resources, pids: { limit: 5 } };
    });
    expect(result.stdout + result.stderr).toMatch(/refused|fork/);
  });

  testRoot('linux.resources.pids.limit: -1 is without limit', async () => {
    expect(await file({ pids: { limit: -1 } }, 'pids', 'pids.max')).toBe('max');
  });
});

describe('blockIO', () => {
  const disk = wholeDisk();
  // Version 2's root has no weight, the groups below have one.
  const folders = isVersion1
    ? ['/sys/fs/cgroup/blkio']
    : groups(() => true).filter((path) => existsSync(`${path}/io.stat`));
  const hasWeights = folders.some((folder) =>
    ['blkio.weight', 'blkio.bfq.weight', 'io.weight', 'io.bfq.weight'].some((name) =>
      existsSync(`${folder}/${name}`),
    ),
  );

  testRoot.each([
    ['throttleReadBpsDevice', 'blkio.throttle.read_bps_device'],
    ['throttleWriteBpsDevice', 'blkio.throttle.write_bps_device'],
    ['throttleReadIOPSDevice', 'blkio.throttle.read_iops_device'],
    ['throttleWriteIOPSDevice', 'blkio.throttle.write_iops_device'],
  ] as const)('linux.resources.blockIO.%s: the group has it', async (field, name) => {
    if (!disk) return;
    const set = { blockIO: { [field]: [{ ...disk, rate: 1_048_576 }] } };
    expect(await file(set, 'blkio', name, 'io.max')).toMatch(/^\d+:\d+ .*1048576/);
  });

  testRoot('linux.resources.blockIO.weight: the group has it', async (context) => {
    skipOnThisMachineUnless(context, hasWeights, 'this kernel has no scheduler with weights');
    expect(
      await file(
        { blockIO: { weight: 300 } },
        'blkio',
        'blkio.weight',
        'blkio.bfq.weight',
        'io.bfq.weight',
        'io.weight',
      ),
    ).toMatch(isVersion1 ? /\b300\b/ : /\b(300|2930)\b/);
  });

  testOursRoot(
    'linux.resources.blockIO.weight: where there is none, the start is refused or it is left',
    async (context) => {
      skipOnThisMachineUnless(context, !hasWeights, 'this kernel has weights');
      await using runtime = new Runtime();
      const result = await runtime.run((config) => {
        config.process.args = ['echo', 'here'];
        config.linux.resources = { ...config.linux.resources, blockIO: { weight: 300 } };
      });
      if (result.code !== 0) expect(result.stderr).toMatch(/weight/);
      else expect(result.stdout).toBe('here\n');
    },
  );

  testRoot(
    'linux.resources.blockIO.throttleReadBpsDevice: a device that is not there is refused',
    async () => {
      await using runtime = new Runtime();
      const result = await runtime.run((config) => {
        const throttleReadBpsDevice = [{ major: 400, minor: 7, rate: 1000 }];
        config.linux.resources = { ...config.linux.resources, blockIO: { throttleReadBpsDevice } };
      });
      expect(result.code).not.toBe(0);
    },
  );
});

function wholeDisk(): { major: number; minor: number } | undefined {
  for (const name of readdirSync('/sys/block')) {
    if (!existsSync(`/sys/block/${name}/device`)) continue;
    const [major = 0, minor = 0] = readFileSync(`/sys/block/${name}/dev`, 'utf8').split(':').map(Number);
    return { major, minor };
  }
  return undefined;
}

describe('hugepageLimits', () => {
  const sizes = existsSync('/sys/kernel/mm/hugepages') ? readdirSync('/sys/kernel/mm/hugepages') : [];

  testRoot('linux.resources.hugepageLimits: the group has them', async (context) => {
    const folder = ['/sys/fs/cgroup/hugetlb', '/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find(
      (place) =>
        (existsSync(place) && readdirSync(place).some((name) => name.startsWith('hugetlb.'))) ||
        (existsSync(`${place}/cgroup.controllers`) &&
          readFileSync(`${place}/cgroup.controllers`, 'utf8').includes('hugetlb')),
    );
    skipOnThisMachineUnless(
      context,
      folder !== undefined && sizes.includes('hugepages-2048kB'),
      'this machine has no such pages or no such controller',
    );
    skipOnThisMachineUnless(
      context,
      folder !== '/sys/fs/cgroup/unified',
      'the controller is in the second hierarchy of a hybrid machine, which runc does not use for it',
    );
    const set = { hugepageLimits: [{ pageSize: '2MB', limit: 4 * MIB }] };
    expect(await file(set, 'hugetlb', 'hugetlb.2MB.limit_in_bytes', 'hugetlb.2MB.max')).toBe(`${4 * MIB}`);
  });

  testOursRoot(
    'linux.resources.hugepageLimits: a size that the machine does not have is refused',
    async () => {
      await using runtime = new Runtime();
      const result = await runtime.run((config) => {
        config.linux.resources = {
          ...config.linux.resources,
          hugepageLimits: [{ pageSize: '3MB', limit: MIB }],
        };
      });
      expect(result.code).not.toBe(0);
    },
  );
});

describe('network and rdma', () => {
  testOursRoot(
    'linux.resources.network.classID: without a hierarchy for it the start is refused',
    async (context) => {
      skipOnThisMachineUnless(context, !existsSync('/sys/fs/cgroup/net_cls'), 'this machine has it');
      await using runtime = new Runtime();
      const result = await runtime.run((config) => {
        config.linux.resources = { ...config.linux.resources, network: { classID: 0x100001 } };
      });
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/net_cls|classID|network/);
    },
  );

  testRoot('linux.resources.network.classID: the group has it', async (context) => {
    skipOnThisMachineUnless(
      context,
      existsSync('/sys/fs/cgroup/net_cls/net_cls.classid'),
      'this machine has no hierarchy of net_cls',
    );
    expect(await file({ network: { classID: 0x100001 } }, 'net_cls', 'net_cls.classid')).toBe('1048577');
  });

  testOursRoot(
    'linux.resources.network.priorities: without a hierarchy for them the start is refused',
    async (context) => {
      skipOnThisMachineUnless(context, !existsSync('/sys/fs/cgroup/net_prio'), 'this machine has it');
      await using runtime = new Runtime();
      const result = await runtime.run((config) => {
        config.linux.resources = {
          ...config.linux.resources,
          network: { priorities: [{ name: 'lo', priority: 5 }] },
        };
      });
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/net_prio|priorit|network/);
    },
  );

  testOursRoot('linux.resources.rdma: without a controller for it the start is refused', async (context) => {
    skipOnThisMachineUnless(context, !existsSync('/sys/fs/cgroup/rdma'), 'this machine has it');
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.linux.resources = { ...config.linux.resources, rdma: { mlx5_1: { hcaHandles: 3 } } };
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/rdma/);
  });
});

describe('cgroupsPath', () => {
  testRoot('linux.cgroupsPath: an absolute one lies below the root of each hierarchy', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause();
    const path = container.bundle.config.linux.cgroupsPath ?? '';
    const lines = readFileSync(`/proc/${container.pid}/cgroup`, 'utf8').trim().split('\n');
    expect(lines.some((line) => line.endsWith(`:${path}`))).toBe(true);
    expect(statSync(container.groupFolder('memory')).isDirectory()).toBe(true);
  });

  testRoot('linux.cgroupsPath: of several levels', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause((config) => {
      config.linux.cgroupsPath = `${runtime.groupPath('deep')}/below/it`;
    });
    expect(container.groupFile('memory', 'cgroup.procs').split('\n')).toContain(`${container.pid}`);
    await container.delete('--force');
    // The levels above were nobody's container: whoever named them removes them.
    for (const path of groupsCalled(runtime.group)) {
      if (existsSync(`${path}/below`)) rmdirSync(`${path}/below`);
      rmdirSync(path);
    }
  });

  testRoot('linux.cgroupsPath: without it the group is called after the container', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause((config) => {
      delete config.linux.cgroupsPath;
    });
    expect(readFileSync(`/proc/${container.pid}/cgroup`, 'utf8')).toContain(container.id);
  });

  testOursRoot('linux.cgroupsPath: one that leads upwards does not leave the hierarchy', async () => {
    await using runtime = new Runtime();
    const name = runtime.groupPath('up').slice(1);
    const result = await runtime.run((config) => {
      config.process.args = ['cat', '/proc/self/cgroup'];
      config.linux.cgroupsPath = `/../../../${name}`;
    });
    if (result.code === 0) expect(result.stdout).toContain(`:/${name}`);
    else expect(result.stderr).toMatch(/cgroup/);
  });
});

describe('devices', () => {
  // mknod works where CAP_MKNOD is given; opening is what the rules decide.
  const open = (path: string, major: number, minor: number, how = 'r'): string =>
    `mknod ${path} c ${major} ${minor} 2>/dev/null; /testinit open ${path} ${how}`;

  async function said(script: string, rules: NonNullable<Resources['devices']>): Promise<string[]> {
    await using runtime = new Runtime();
    const text = await runtime.sh(`${script}; true`, (config) => {
      const names = ['CAP_MKNOD', 'CAP_SYSLOG'] as const;
      config.process.capabilities = { bounding: [...names], permitted: [...names], effective: [...names] };
      config.linux.resources = { devices: [...rules] };
      // A tmpfs of its own that is not nodev.
      config.mounts.push({
        destination: '/nodes',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['dev', 'mode=755'],
      });
    });
    // Where a node may not even be made, it is not there to be opened.
    return text.split('\n').map((answer) => answer.replace('ENOENT', 'EPERM'));
  }

  const NOTHING = { allow: false, access: 'rwm' } as const;

  testRoot('linux.resources.devices: what is denied cannot be opened, what is allowed can', async () => {
    const script = `${open('/nodes/kmsg', 1, 11)}; ${open('/nodes/null', 1, 3)}`;
    expect(await said(script, [NOTHING])).toEqual(['EPERM', 'ok']);
    expect(
      await said(script, [NOTHING, { allow: true, type: 'c', major: 1, minor: 11, access: 'r' }]),
    ).toEqual(['ok', 'ok']);
  });

  testRoot('linux.resources.devices: reading, writing and making are apart', async () => {
    const rules = [NOTHING, { allow: true, type: 'c', major: 1, minor: 11, access: 'rm' }] as const;
    expect(
      await said(`${open('/nodes/kmsg', 1, 11)}; ${open('/nodes/kmsg', 1, 11, 'w')}`, [...rules]),
    ).toEqual(['ok', 'EPERM']);
  });

  testRoot('linux.resources.devices: without a minor, or without both, a rule is of all', async () => {
    const script = `${open('/nodes/kmsg', 1, 11)}; ${open('/nodes/mem', 1, 1)}; ${open('/nodes/misc', 10, 183)}`;
    const ofMajor = [NOTHING, { allow: true, type: 'c', major: 1, access: 'rwm' }] as const;
    const [kmsg, , misc] = await said(script, [...ofMajor]);
    expect([kmsg, misc]).toEqual(['ok', 'EPERM']);
    const [all] = await said(script, [NOTHING, { allow: true, type: 'c', access: 'rwm' }]);
    expect(all).toBe('ok');
  });

  testRoot('linux.resources.devices: a later rule wins over an earlier one', async () => {
    const rules = [
      NOTHING,
      { allow: true, type: 'c', major: 1, minor: 11, access: 'rwm' },
      { allow: false, type: 'c', major: 1, minor: 11, access: 'w' },
    ] as const;
    expect(
      await said(`${open('/nodes/kmsg', 1, 11)}; ${open('/nodes/kmsg', 1, 11, 'w')}`, [...rules]),
    ).toEqual(['ok', 'EPERM']);
  });

  testRoot('linux.resources.devices: allowing all, then denying one', async () => {
    const rules = [
      { allow: true, access: 'rwm' },
      { allow: false, type: 'c', major: 1, minor: 11, access: 'rwm' },
    ] as const;
    expect(await said(`${open('/nodes/full', 1, 7)}; ${open('/nodes/kmsg', 1, 11)}`, [...rules])).toEqual([
      'ok',
      'EPERM',
    ]);
  });

  testRoot('linux.resources.devices: the default devices work whatever is denied', async () => {
    const script = 'for d in null zero full random urandom tty; do /testinit open /dev/$d; done';
    expect(await said(script, [NOTHING])).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'ENXIO']);
  });
});
