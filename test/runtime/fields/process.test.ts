import { describe, expect } from 'vitest';
import { Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';

const status = (name: string): string => `sed -n 's/^${name}:[[:space:]]*//p' /proc/self/status`;

test('process.args: the program gets each argument as it is', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.process.args = ['/testinit', 'args', '', ' a  b ', '$HOME', 'ü\n"'];
  });
  expect(result.stdout).toContain('$HOME');
  expect(result.stdout).toContain(' a  b ');
  expect(result.stdout).toContain('ü\n"');
});

test('process.env: the program gets these variables and none of the caller’s', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run(
    (config) => {
      config.process.args = ['env'];
      config.process.env = ['PATH=/bin', 'EMPTY=', 'TWO=1=2', 'HOME=/here'];
    },
    { env: { SECRET_OF_THE_CALLER: 'yes' } },
  );
  expect(result.stdout.trimEnd().split('\n').sort()).toEqual([
    'EMPTY=',
    'HOME=/here',
    'PATH=/bin',
    'TWO=1=2',
  ]);
});

test('process.env: without HOME it is the user’s of the container’s own passwd', async () => {
  await using runtime = new Runtime();
  expect(await runtime.sh('echo $HOME')).toBe('/root');
});

test('process.cwd: the program starts there', async () => {
  await using runtime = new Runtime();
  expect(
    await runtime.sh('pwd; readlink /proc/self/cwd', (config) => {
      config.process.cwd = '/work';
    }),
  ).toBe('/work\n/work');
});

test('process.cwd: a directory that is absent is made', async () => {
  await using runtime = new Runtime();
  expect(
    await runtime.sh('pwd', (config) => {
      config.process.cwd = '/work/new/deep';
    }),
  ).toBe('/work/new/deep');
});

test('process.cwd: a relative one, or one that is a file, is refused', async () => {
  await using runtime = new Runtime();
  for (const cwd of ['work', '/etc/passwd']) {
    const result = await runtime.run((config) => {
      config.process.cwd = cwd;
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).not.toBe('');
  }
});

describe('process.user', () => {
  testRoot('process.user.uid and process.user.gid: the program has them, all four of each', async () => {
    await using runtime = new Runtime();
    const ids = await runtime.sh(`${status('Uid')}; ${status('Gid')}; ${status('Groups')}`, (config) => {
      config.process.user = { uid: 1000, gid: 50 };
    });
    expect(ids.split(/\s+/)).toEqual([...Array(4).fill('1000'), ...Array(4).fill('50')]);
  });

  testRoot('process.user.uid: an id that no passwd knows is taken as it is', async () => {
    await using runtime = new Runtime();
    expect(
      await runtime.sh('id -u; id -g; echo $HOME', (config) => {
        config.process.user = { uid: 4242, gid: 4243 };
      }),
    ).toBe('4242\n4243\n/');
  });

  testRoot('process.user.additionalGids: exactly these are the groups', async () => {
    await using runtime = new Runtime();
    const groups = await runtime.sh(status('Groups'), (config) => {
      config.process.user = { uid: 1000, gid: 1000, additionalGids: [7, 50, 70_000] };
    });
    expect(groups.trim().split(' ')).toEqual(['7', '50', '70000']);
  });

  testRoot('process.user.additionalGids: without them there is no group of the caller’s', async () => {
    await using runtime = new Runtime();
    expect((await runtime.sh(status('Groups'))).trim()).toBe('');
    const container = await runtime.pause();
    expect((await container.sh(status('Groups'))).trim()).toBe('');
  });

  test('process.user.umask: the program has it', async () => {
    await using runtime = new Runtime();
    expect(
      await runtime.sh('umask; touch /work/new; stat -c %a /work/new', (config) => {
        config.process.user.umask = 0o027;
      }),
    ).toBe('0027\n640');
  });

  test('process.user.umask: without it, it is 0022, whatever the caller has', async () => {
    await using runtime = new Runtime();
    const before = process.umask(0o077);
    try {
      expect(await runtime.sh('umask')).toBe('0022');
    } finally {
      process.umask(before);
    }
  });
});

describe('process.rlimits', () => {
  test('process.rlimits: soft and hard are as given', async () => {
    await using runtime = new Runtime();
    const limits = await runtime.sh('cat /proc/self/limits', (config) => {
      config.process.rlimits = [
        { type: 'RLIMIT_NOFILE', soft: 111, hard: 222 },
        { type: 'RLIMIT_CORE', soft: 0, hard: 4096 },
        { type: 'RLIMIT_STACK', soft: 2 ** 20, hard: 2 ** 30 },
      ];
    });
    expect(limits).toMatch(/Max open files +111 +222/);
    expect(limits).toMatch(/Max core file size +0 +4096/);
    expect(limits).toMatch(/Max stack size +1048576 +1073741824/);
  });

  test('process.rlimits: a program executed later has them too', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause((config) => {
      config.process.rlimits = [{ type: 'RLIMIT_CORE', soft: 1024, hard: 4096 }];
    });
    expect(await container.sh('cat /proc/self/limits')).toMatch(/Max core file size +1024 +4096/);
  });

  testOurs('process.rlimits: a type twice, or an unknown one, is refused', async () => {
    await using runtime = new Runtime();
    const limit = { type: 'RLIMIT_NOFILE', soft: 100, hard: 100 } as const;
    const twice = await runtime.run((config) => {
      config.process.rlimits = [limit, limit];
    });
    expect(twice.code).not.toBe(0);
    const unknown = await runtime.run((config) => {
      config.process.rlimits = [{ type: 'RLIMIT_NONSENSE' as 'RLIMIT_CPU', soft: 1, hard: 1 }];
    });
    expect(unknown.code).not.toBe(0);
  });
});

test('process.oomScoreAdj: the program has it, and so has one executed later', async () => {
  await using runtime = new Runtime();
  const container = await runtime.pause((config) => {
    config.process.oomScoreAdj = 432;
  });
  expect(await container.sh('cat /proc/1/oom_score_adj /proc/self/oom_score_adj')).toBe('432\n432');
});

test('process.noNewPrivileges: true and false are as given', async () => {
  await using runtime = new Runtime();
  for (const noNewPrivileges of [true, false])
    expect(
      await runtime.sh(status('NoNewPrivs'), (config) => {
        config.process.noNewPrivileges = noNewPrivileges;
      }),
    ).toBe(noNewPrivileges ? '1' : '0');
});

describe('process.scheduler', () => {
  // sched_getattr(2): size, policy, flags, nice, priority, then runtime, deadline, period of 64 bits each.
  const attributes = ['/testinit', 'call', 'sched_getattr', '0', '@48', '48', '0'];

  interface Attributes {
    readonly policy: number;
    readonly nice: number;
    readonly priority: number;
    readonly times: readonly number[];
  }

  function parse(stdout: string): Attributes {
    const bytes = Buffer.from(stdout.split('\n')[1] ?? '', 'hex');
    return {
      policy: bytes.readUInt32LE(4),
      nice: bytes.readInt32LE(16),
      priority: bytes.readUInt32LE(20),
      times: [24, 32, 40].map((at) => Number(bytes.readBigUInt64LE(at))),
    };
  }

  testOurs.each([
    ['SCHED_OTHER', 0],
    ['SCHED_BATCH', 3],
    ['SCHED_IDLE', 5],
  ] as const)('process.scheduler.policy: %s', async (policy, number) => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.process.args = attributes;
      config.process.scheduler = { policy };
    });
    expect(parse(result.stdout).policy).toBe(number);
  });

  testOurs('process.scheduler.nice: the program has it', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.process.args = attributes;
      config.process.scheduler = { policy: 'SCHED_OTHER', nice: 11 };
    });
    expect(parse(result.stdout)).toMatchObject({ policy: 0, nice: 11 });
  });

  testOursRoot('process.scheduler.runtime, deadline and period: of SCHED_DEADLINE', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.process.args = attributes;
      config.process.scheduler = {
        policy: 'SCHED_DEADLINE',
        flags: ['SCHED_FLAG_RESET_ON_FORK'],
        runtime: 1_000_000,
        deadline: 5_000_000,
        period: 10_000_000,
      };
    });
    expect(parse(result.stdout)).toMatchObject({ policy: 6, times: [1_000_000, 5_000_000, 10_000_000] });
  });

  testOurs('process.scheduler: a program executed later has it too', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause((config) => {
      config.process.scheduler = { policy: 'SCHED_BATCH', nice: 3 };
    });
    const { stdout } = await container.exec(attributes);
    expect(parse(stdout)).toMatchObject({ policy: 3, nice: 3 });
  });

  testOurs('process.scheduler: what the kernel refuses is an error', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.process.scheduler = { policy: 'SCHED_DEADLINE', runtime: 10, deadline: 5, period: 1 };
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/sched/i);
  });
});

testOurs.each([
  ['IOPRIO_CLASS_BE', 2, 'best-effort: prio 2'],
  ['IOPRIO_CLASS_IDLE', 0, 'idle'],
] as const)('process.ioPriority: %s', async (name, priority, shown) => {
  await using runtime = new Runtime();
  const said = await runtime.sh('busybox ionice', (config) => {
    config.process.ioPriority = { class: name, priority };
  });
  expect(said).toContain(shown);
});

testOursRoot('process.ioPriority: IOPRIO_CLASS_RT', async () => {
  await using runtime = new Runtime();
  const said = await runtime.sh('busybox ionice', (config) => {
    config.process.ioPriority = { class: 'IOPRIO_CLASS_RT', priority: 5 };
  });
  expect(said).toContain('realtime: prio 5');
});

describe('process.execCPUAffinity', () => {
  testOurs('process.execCPUAffinity.final: a program executed later runs there alone', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause((config) => {
      config.process.execCPUAffinity = { initial: '0', final: '1' };
    });
    expect(await container.sh(status('Cpus_allowed_list'))).toBe('1');
  });

  testOurs('process.execCPUAffinity: the first program is not touched by it', async () => {
    await using runtime = new Runtime();
    const all = await runtime.sh(status('Cpus_allowed_list'));
    expect(
      await runtime.sh(status('Cpus_allowed_list'), (config) => {
        config.process.execCPUAffinity = { initial: '0', final: '1' };
      }),
    ).toBe(all);
  });

  testOurs('process.execCPUAffinity: what is no list of processors is refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.process.execCPUAffinity = { final: 'one' };
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/affinity/i);
  });
});

describe('linux.memoryPolicy', () => {
  // get_mempolicy(2): the mode as an int, then the mask of nodes.
  const policy = ['/testinit', 'call', 'get_mempolicy', '@4', '@128', '1024', '0', '0'];

  testOurs.each([
    ['MPOL_BIND', 2, ['0']],
    ['MPOL_INTERLEAVE', 3, ['0']],
    ['MPOL_PREFERRED', 1, ['0']],
    ['MPOL_LOCAL', 4, []],
    ['MPOL_PREFERRED_MANY', 5, ['0']],
  ] as const)('linux.memoryPolicy.mode: %s', async (mode, number, nodes) => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.process.args = policy;
      config.linux.memoryPolicy = { mode, ...(nodes.length > 0 ? { nodes: nodes.join(',') } : {}) };
    });
    const [answer, got = '', mask = ''] = result.stdout.split('\n');
    expect(answer).toBe('ok 0');
    expect(Buffer.from(got, 'hex').readInt32LE()).toBe(number);
    if (nodes.length > 0) expect(mask.slice(0, 2)).toBe('01');
  });

  testOurs('linux.memoryPolicy.flags: they are set with the mode', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.process.args = policy;
      config.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] };
    });
    expect(Buffer.from(result.stdout.split('\n')[1] ?? '', 'hex').readInt32LE()).toBe(2 | (1 << 15));
  });

  testOurs('linux.memoryPolicy: an unknown mode, or nodes that are not there, are refused', async () => {
    await using runtime = new Runtime();
    for (const memoryPolicy of [
      { mode: 'MPOL_NONSENSE' as 'MPOL_BIND', nodes: '0' },
      { mode: 'MPOL_BIND', nodes: '77' } as const,
    ]) {
      const result = await runtime.run((config) => {
        config.linux.memoryPolicy = memoryPolicy;
      });
      expect(result.code).not.toBe(0);
      expect(result.stderr).not.toBe('');
    }
  });
});

testOurs.each([
  ['LINUX32', 0x0008],
  ['LINUX', 0x0000],
] as const)('linux.personality.domain: %s', async (domain, number) => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.process.args = ['/testinit', 'call', 'personality', '0xffffffff'];
    config.linux.personality = { domain };
  });
  expect(result.stdout.trim()).toBe(`ok ${number}`);
});

testOurs('linux.personality: a program executed later has it too', async () => {
  await using runtime = new Runtime();
  const container = await runtime.pause((config) => {
    config.linux.personality = { domain: 'LINUX32' };
  });
  const { stdout } = await container.exec(['/testinit', 'call', 'personality', '0xffffffff']);
  expect(stdout.trim()).toBe('ok 8');
});

testOurs('process.apparmorProfile: where there is no AppArmor the start is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.process.apparmorProfile = 'some-profile';
  });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toMatch(/apparmor/i);
});

test('process.apparmorProfile: an empty one is as none', async () => {
  await using runtime = new Runtime();
  expect(
    await runtime.sh('echo here', (config) => {
      config.process.apparmorProfile = '';
    }),
  ).toBe('here');
});

testOurs('process.selinuxLabel: where there is no SELinux the start is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.process.selinuxLabel = 'system_u:system_r:svirt_lxc_net_t:s0:c124,c675';
  });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toMatch(/selinux/i);
});

testOurs('linux.mountLabel: where there is no SELinux the start is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.linux.mountLabel = 'system_u:object_r:svirt_sandbox_file_t:s0:c715,c811';
  });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toMatch(/linux.mountLabel.*selinux/i);
});

describe('process.capabilities', () => {
  const NONE = '0000000000000000';
  const sets = "grep ^Cap /proc/self/status | tr -d '\\t'";

  function parse(text: string): Record<string, string> {
    return Object.fromEntries(text.split('\n').map((line) => line.split(':')));
  }

  test('process.capabilities: all five sets are exactly as given', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(sets, (config) => {
      config.process.capabilities = {
        bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID', 'CAP_SYS_CHROOT'],
        permitted: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID'],
        effective: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID'],
        inheritable: ['CAP_KILL'],
        ambient: ['CAP_KILL'],
      };
    });
    // Process 1 is the shell, which root's exec has given all that is bounded; cat's file has none.
    expect(parse(said)).toMatchObject({
      CapInh: '0000000000000020',
      CapBnd: '00000000000400a1',
      CapAmb: '0000000000000020',
    });
  });

  testRoot('process.capabilities: the ambient ones survive the exec of an ordinary user', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(sets, (config) => {
      config.process.user = { uid: 1000, gid: 1000 };
      config.process.capabilities = {
        bounding: ['CAP_CHOWN', 'CAP_KILL'],
        permitted: ['CAP_CHOWN', 'CAP_KILL'],
        effective: ['CAP_KILL'],
        inheritable: ['CAP_KILL'],
        ambient: ['CAP_KILL'],
      };
    });
    const kill = '0000000000000020';
    expect(parse(said)).toEqual({
      CapInh: kill,
      CapPrm: kill,
      CapEff: kill,
      CapBnd: '0000000000000021',
      CapAmb: kill,
    });
  });

  testRoot('process.capabilities: an ordinary user without ambient ones has none in force', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(sets, (config) => {
      config.process.user = { uid: 1000, gid: 1000 };
    });
    expect(parse(said)).toMatchObject({ CapInh: NONE, CapPrm: NONE, CapEff: NONE, CapAmb: NONE });
  });

  test('process.capabilities: absent, the program has none at all', async () => {
    await using runtime = new Runtime();
    const none = { CapInh: NONE, CapPrm: NONE, CapEff: NONE, CapBnd: NONE, CapAmb: NONE };
    const said = await runtime.sh(sets, (config) => {
      delete (config.process as { capabilities?: unknown }).capabilities;
    });
    expect(parse(said)).toEqual(none);
  });

  test('process.capabilities: a program executed later has the same', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause((config) => {
      config.process.capabilities = {
        bounding: ['CAP_KILL'],
        permitted: ['CAP_KILL'],
        effective: ['CAP_KILL'],
      };
    });
    const kill = '0000000000000020';
    expect(parse(await container.sh(sets))).toEqual({
      CapInh: NONE,
      CapPrm: kill,
      CapEff: kill,
      CapBnd: kill,
      CapAmb: NONE,
    });
  });

  testOurs('process.capabilities: one that the kernel does not know is left out', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(sets, (config) => {
      const names: 'CAP_KILL'[] = ['CAP_KILL', 'CAP_OF_THE_FUTURE' as 'CAP_KILL'];
      config.process.capabilities = { bounding: names, permitted: names, effective: names };
    });
    expect(parse(said)).toMatchObject({ CapBnd: '0000000000000020' });
  });
});

test('process.terminal: without it, the standard streams are the caller’s', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run(
    (config) => {
      config.process.args = ['sh', '-c', 'cat; test -t 0 || echo none; echo error >&2'];
    },
    { input: 'from outside\n' },
  );
  expect(result.stdout).toBe('from outside\nnone\n');
  expect(result.stderr).toContain('error');
});

test('ociVersion: any of version 1 is accepted', async () => {
  await using runtime = new Runtime();
  for (const version of ['1.0.0', '1.0.2-dev', '1.1.0', '1.2.1', '1.3.0', '1.9.0-rc.1+meta'])
    expect(
      await runtime.sh('echo here', (config) => {
        config.ociVersion = version;
      }),
    ).toBe('here');
});

testOurs('ociVersion: what is no version, or none of version 1, is refused', async () => {
  await using runtime = new Runtime();
  for (const version of ['', '2.0.0', 'one', '1', '1.0.0.0.0'])
    expect(
      (
        await runtime.run((config) => {
          config.ociVersion = version;
        })
      ).code,
    ).not.toBe(0);
});

test('config.json: unknown fields are ignored at every level', async () => {
  await using runtime = new Runtime();
  expect(
    await runtime.sh('echo here', (config) => {
      for (const place of [config, config.process, config.process.user, config.root, config.linux])
        Object.assign(place as object, { 'x-unknown': { deep: [1, 'two', null] } });
      Object.assign(config, {
        windows: { layerFolders: ['c:'] },
        solaris: {},
        vm: { kernel: { path: '/k' } },
      });
    }),
  ).toBe('here');
});
