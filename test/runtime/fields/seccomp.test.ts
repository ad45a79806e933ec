import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { eventually } from '../../support/polling.js';
import { type Config, type Result, Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot } from '../support/test.js';

type Seccomp = NonNullable<Config['linux']['seccomp']>;
type Rule = NonNullable<Seccomp['syscalls']>[number];

const native = process.arch === 'arm64' ? 'SCMP_ARCH_AARCH64' : 'SCMP_ARCH_X86_64';
const allow = (rules: Rule[], more: Partial<Seccomp> = {}): Seccomp => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  architectures: [native],
  syscalls: rules,
  ...more,
});
const CALL = ['/testinit', 'call'];

async function call(runtime: Runtime, seccomp: Seccomp, ...words: string[]): Promise<Result> {
  return await runtime.run((config) => {
    config.process.args = [...CALL, ...words];
    config.linux.seccomp = seccomp;
  });
}

describe('linux.seccomp action', () => {
  test('linux.seccomp action SCMP_ACT_ERRNO: the call answers errnoRet, EPERM without one', async () => {
    await using runtime = new Runtime();
    const with13 = allow([{ names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 }]);
    expect((await call(runtime, with13, 'getppid')).stdout).toBe('EACCES\n');
    const without = allow([{ names: ['getppid'], action: 'SCMP_ACT_ERRNO' }]);
    expect((await call(runtime, without, 'getppid')).stdout).toBe('EPERM\n');
  });

  test('linux.seccomp action SCMP_ACT_ALLOW: what is listed is allowed, the rest gets the default', async () => {
    await using runtime = new Runtime();
    // Only mkdirat is denied by default here, as everything that a start needs cannot be listed.
    const seccomp = allow([{ names: ['mkdirat'], action: 'SCMP_ACT_ERRNO' }]);
    expect((await call(runtime, seccomp, 'mkdirat', '-100', 's:/work/new', '0755')).stdout).toBe('EPERM\n');
    expect((await call(runtime, seccomp, 'getpid')).stdout).toBe('ok 1\n');
  });

  test.each(['SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_KILL', 'SCMP_ACT_TRAP'] as const)(
    'linux.seccomp action %s: SIGSYS ends the program',
    async (action) => {
      await using runtime = new Runtime();
      const result = await runtime.run((config) => {
        config.process.args = ['sh', '-c', '/testinit call getpriority 0 0; echo "status $?"'];
        config.linux.seccomp = allow([{ names: ['getpriority'], action }]);
      });
      expect(result.stdout).toContain('status 159');
    },
  );

  test('linux.seccomp action SCMP_ACT_LOG: the call works', async () => {
    await using runtime = new Runtime();
    const seccomp = allow([{ names: ['getppid'], action: 'SCMP_ACT_LOG' }]);
    expect((await call(runtime, seccomp, 'getppid')).stdout).toBe('ok 0\n');
  });

  test('linux.seccomp action SCMP_ACT_TRACE: without a tracer the call answers ENOSYS', async () => {
    await using runtime = new Runtime();
    const seccomp = allow([{ names: ['getppid'], action: 'SCMP_ACT_TRACE', errnoRet: 1 }]);
    expect((await call(runtime, seccomp, 'getppid')).stdout).toBe('ENOSYS\n');
  });

  test('linux.seccomp action: an unknown one is refused', async () => {
    await using runtime = new Runtime();
    const seccomp = allow([{ names: ['getppid'], action: 'SCMP_ACT_NONSENSE' as 'SCMP_ACT_LOG' }]);
    const result = await call(runtime, seccomp, 'getppid');
    expect(result.code).not.toBe(0);
    expect(result.stdout).toBe('');
  });
});

test('linux.seccomp.defaultErrnoRet: what no rule names answers it', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.process.args = [...CALL, 'getpriority', '0', '0'];
    config.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 28,
      architectures: [native],
      syscalls: [{ names: STARTS.split(' '), action: 'SCMP_ACT_ALLOW' }],
    };
  });
  expect(result.stdout).toBe('ENOSPC\n');
});

// What a static program and the last steps of runtimes need.
const STARTS =
  'execve execveat exit exit_group brk mmap munmap mprotect arch_prctl set_tid_address set_robust_list rseq prlimit64 readlink readlinkat ' +
  'getrandom newfstatat fstat write writev read close openat open futex rt_sigreturn rt_sigaction rt_sigprocmask sigaltstack prctl capset capget ' +
  'setuid setgid setgroups getpid getppid gettid tgkill fcntl ioctl lseek pread64 epoll_ctl epoll_pwait epoll_create1 nanosleep clock_nanosleep ' +
  'sched_yield madvise clone getuid geteuid getgid getegid stat lstat statx fstatfs access faccessat faccessat2 chdir getcwd dup3 pipe2 sched_getaffinity ' +
  'connect socket sendto recvfrom sendmsg recvmsg seccomp kill wait4 waitid close_range set_mempolicy eventfd2 ppoll poll ' +
  'getdents64 uname umask setpgid getpgrp getpgid vfork dup2 pipe rt_sigsuspend times';

describe('linux.seccomp.syscalls.args', () => {
  // getpriority(which, who): which 0 and who 0 are one's own, and any other number of a process is ESRCH.
  test.each([
    ['SCMP_CMP_EQ', { value: 5 }, ['5'], ['4', '6']],
    ['SCMP_CMP_NE', { value: 5 }, ['4', '6'], ['5']],
    ['SCMP_CMP_LT', { value: 5 }, ['4', '0'], ['5', '6']],
    ['SCMP_CMP_LE', { value: 5 }, ['4', '5'], ['6']],
    ['SCMP_CMP_GT', { value: 5 }, ['6', '0x100000001'], ['5', '4']],
    ['SCMP_CMP_GE', { value: 5 }, ['5', '6'], ['4']],
    ['SCMP_CMP_MASKED_EQ', { value: 0xf0, valueTwo: 0x50 }, ['0x50', '0x5f', '0x150'], ['0x60', '0xf0']],
  ] as const)('linux.seccomp.syscalls.args.op %s: decides by the argument', async (op, values, hit, miss) => {
    await using runtime = new Runtime();
    const seccomp = allow([
      { names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 100, args: [{ index: 1, op, ...values }] },
    ]);
    for (const word of hit)
      expect([word, (await call(runtime, seccomp, 'getppid', '0', word)).stdout]).toEqual([
        word,
        'ENETDOWN\n',
      ]);
    for (const word of miss)
      expect([word, (await call(runtime, seccomp, 'getppid', '0', word)).stdout]).toEqual([word, 'ok 0\n']);
  });

  test('linux.seccomp.syscalls.args: all of one rule must hold', async () => {
    await using runtime = new Runtime();
    const seccomp = allow([
      {
        names: ['getppid'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 100,
        args: [
          { index: 0, op: 'SCMP_CMP_EQ', value: 1 },
          { index: 5, op: 'SCMP_CMP_EQ', value: 6 },
        ],
      },
    ]);
    expect((await call(runtime, seccomp, 'getppid', '1', '0', '0', '0', '0', '6')).stdout).toBe('ENETDOWN\n');
    expect((await call(runtime, seccomp, 'getppid', '1', '0', '0', '0', '0', '7')).stdout).toBe('ok 0\n');
    expect((await call(runtime, seccomp, 'getppid', '2', '0', '0', '0', '0', '6')).stdout).toBe('ok 0\n');
  });

  test('linux.seccomp.syscalls.args: one of several rules is enough', async () => {
    await using runtime = new Runtime();
    const rule = (value: number): Rule => ({
      names: ['getppid'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 100,
      args: [{ index: 0, op: 'SCMP_CMP_EQ', value }],
    });
    const seccomp = allow([rule(1), rule(2)]);
    for (const [word, answer] of [
      ['1', 'ENETDOWN\n'],
      ['2', 'ENETDOWN\n'],
      ['3', 'ok 0\n'],
    ] as const)
      expect((await call(runtime, seccomp, 'getppid', word)).stdout).toBe(answer);
  });

  test('linux.seccomp.syscalls.args: values of 64 bits', async () => {
    await using runtime = new Runtime();
    const seccomp = allow([
      {
        names: ['getppid'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 100,
        args: [{ index: 0, op: 'SCMP_CMP_EQ', value: 2 ** 40 + 3 }],
      },
    ]);
    expect((await call(runtime, seccomp, 'getppid', '0x10000000003')).stdout).toBe('ENETDOWN\n');
    expect((await call(runtime, seccomp, 'getppid', '3')).stdout).toBe('ok 0\n');
  });
});

test('linux.seccomp.syscalls.names: one that the machine does not have is left out', async () => {
  await using runtime = new Runtime();
  const seccomp = allow([{ names: ['no_such_call', 'getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 100 }]);
  expect((await call(runtime, seccomp, 'getppid')).stdout).toBe('ENETDOWN\n');
});

testOurs(
  'annotation run.oci.seccomp_fail_unknown_syscall: one that the machine does not have is refused',
  async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.annotations = { 'run.oci.seccomp_fail_unknown_syscall': '1' };
      config.linux.seccomp = allow([{ names: ['no_such_call'], action: 'SCMP_ACT_ERRNO' }]);
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('no_such_call');
  },
);

test('linux.seccomp: without no_new_privs, and with it', async () => {
  await using runtime = new Runtime();
  for (const noNewPrivileges of [true, false]) {
    const result = await runtime.run((config) => {
      config.process.args = [...CALL, 'getpriority'];
      config.process.noNewPrivileges = noNewPrivileges;
      config.linux.seccomp = allow([{ names: ['getpriority'], action: 'SCMP_ACT_ERRNO', errnoRet: 100 }]);
    });
    expect(result.stdout).toBe('ENETDOWN\n');
  }
});

test('linux.seccomp: a program executed later has the filter too', async () => {
  await using runtime = new Runtime();
  const container = await runtime.pause((config) => {
    config.linux.seccomp = allow([{ names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 100 }]);
  });
  expect((await container.exec([...CALL, 'getppid'])).stdout).toBe('ENETDOWN\n');
  expect(await container.sh("grep '^Seccomp:' /proc/self/status /proc/1/status | cut -f2")).toBe('2\n2');
});

test('linux.seccomp: the default profile of engines lets a program run', async () => {
  await using runtime = new Runtime();
  expect(
    await runtime.sh('echo here', (config) => {
      config.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ERRNO',
        defaultErrnoRet: 38,
        architectures: [native],
        syscalls: [{ names: STARTS.split(' '), action: 'SCMP_ACT_ALLOW' }],
      };
    }),
  ).toBe('here');
});

describe('linux.seccomp.flags', () => {
  testOurs.each([
    'SECCOMP_FILTER_FLAG_LOG',
    'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
    'SECCOMP_FILTER_FLAG_TSYNC',
  ] as const)('linux.seccomp.flags: %s', async (flag) => {
    await using runtime = new Runtime();
    const seccomp = allow([{ names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 100 }], {
      flags: [flag],
    });
    expect((await call(runtime, seccomp, 'getppid')).stdout).toBe('ENETDOWN\n');
  });

  test('linux.seccomp.flags: an unknown one is refused', async () => {
    await using runtime = new Runtime();
    const flags = ['SECCOMP_FILTER_FLAG_NONSENSE' as 'SECCOMP_FILTER_FLAG_LOG'];
    expect((await call(runtime, allow([], { flags }), 'getppid')).code).not.toBe(0);
  });
});

describe('linux.seccomp.architectures', () => {
  const both =
    process.arch === 'x64'
      ? (['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] as const)
      : (['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'] as const);

  test('linux.seccomp.architectures: several are filtered alike', async () => {
    await using runtime = new Runtime();
    const seccomp = allow([{ names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 100 }], {
      architectures: [...both],
    });
    expect((await call(runtime, seccomp, 'getppid')).stdout).toBe('ENETDOWN\n');
  });

  test('linux.seccomp.architectures: the machine’s own is filtered without being named', async () => {
    await using runtime = new Runtime();
    const seccomp = allow([{ names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 100 }], {
      architectures: [],
    });
    expect((await call(runtime, seccomp, 'getppid')).stdout).toBe('ENETDOWN\n');
  });

  test('linux.seccomp.architectures: an unknown one is refused', async () => {
    await using runtime = new Runtime();
    const architectures = ['SCMP_ARCH_NONSENSE' as 'SCMP_ARCH_ARM'];
    expect((await call(runtime, allow([], { architectures }), 'getppid')).code).not.toBe(0);
  });
});

/** The agent behind `listenerPath`: takes one descriptor and answers its notifications with EBADMSG, or lets them go on. */
class Agent implements AsyncDisposable {
  #output = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;

  private constructor(readonly path: string) {
    const script = join(import.meta.dirname, '..', 'support', 'seccomp-agent.py');
    this.#child = spawn('/usr/bin/python3', ['-I', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout?.on('data', (chunk) => {
      this.#output += chunk;
    });
    this.#closed = new Promise((resolve) => this.#child.on('close', () => resolve()));
  }

  static async listen(path: string): Promise<Agent> {
    const agent = new Agent(path);
    await eventually(() => existsSync(path), Boolean, 10_000);
    return agent;
  }

  async message(): Promise<{ descriptors: number; state: Record<string, unknown> }> {
    const line = await eventually(
      () => this.#output.split('\n')[0] ?? '',
      (text) => text.endsWith('}'),
      10_000,
    );
    return JSON.parse(line);
  }

  get notified(): string[] {
    return this.#output.split('\n').slice(1).filter(Boolean);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

describe('linux.seccomp.listenerPath', () => {
  const notify = (path: string, more: Partial<Seccomp> = {}): Seccomp =>
    allow([{ names: ['getpriority'], action: 'SCMP_ACT_NOTIFY' }], {
      listenerPath: path,
      listenerMetadata: 'some opaque text',
      ...more,
    });

  test('linux.seccomp.listenerPath and linux.seccomp.listenerMetadata: the agent gets the descriptor, the state, and decides', async () => {
    await using runtime = new Runtime();
    await using agent = await Agent.listen(`${runtime.folder}/agent.sock`);
    const result = await runtime.run((config) => {
      config.process.args = [...CALL, 'getpriority', '0', '0'];
      config.linux.seccomp = notify(agent.path);
    });
    expect(result.stdout).toBe('EBADMSG\n');
    const { descriptors, state } = await agent.message();
    expect(descriptors).toBe(1);
    expect(state).toMatchObject({
      ociVersion: expect.any(String),
      fds: ['seccompFd'],
      metadata: 'some opaque text',
      state: {
        status: 'creating',
        bundle: expect.any(String),
        id: expect.any(String),
        pid: expect.any(Number),
      },
    });
    expect(agent.notified).toHaveLength(1);
  });

  testOurs('linux.seccomp.listenerPath: of a program executed later too', async () => {
    await using runtime = new Runtime();
    const path = `${runtime.folder}/agent.sock`;
    await using agent = await Agent.listen(path);
    const container = await runtime.pause((config) => {
      config.linux.seccomp = notify(agent.path);
    });
    const result = await container.exec([...CALL, 'getpriority', '0', '0']);
    expect(result.stdout).toBe('EBADMSG\n');
  });

  test('linux.seccomp.listenerPath: without an agent the start is refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.linux.seccomp = notify(`${runtime.folder}/nobody.sock`);
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('nobody.sock');
  });

  test('linux.seccomp.listenerPath: SCMP_ACT_NOTIFY without it is refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.linux.seccomp = allow([{ names: ['getpriority'], action: 'SCMP_ACT_NOTIFY' }]);
    });
    expect(result.code).not.toBe(0);
  });

  test('linux.seccomp.listenerPath: SCMP_ACT_NOTIFY by default, or of write, is refused', async () => {
    await using runtime = new Runtime();
    await using agent = await Agent.listen(`${runtime.folder}/agent.sock`);
    for (const seccomp of [
      { ...notify(agent.path), defaultAction: 'SCMP_ACT_NOTIFY' as const },
      notify(agent.path, { syscalls: [{ names: ['write'], action: 'SCMP_ACT_NOTIFY' }] }),
    ]) {
      const result = await runtime.run((config) => {
        config.linux.seccomp = seccomp;
      });
      expect(result.code).not.toBe(0);
    }
  });

  testOursRoot('annotation run.oci.seccomp.receiver: takes the place of listenerPath', async () => {
    await using runtime = new Runtime();
    await using agent = await Agent.listen(`${runtime.folder}/agent.sock`);
    const result = await runtime.run((config) => {
      config.process.args = [...CALL, 'getpriority', '0', '0'];
      config.annotations = { 'run.oci.seccomp.receiver': agent.path };
      config.linux.seccomp = allow([{ names: ['getpriority'], action: 'SCMP_ACT_NOTIFY' }]);
    });
    expect(result.stdout).toBe('EBADMSG\n');
  });

  testOurs('linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, with a listener', async () => {
    await using runtime = new Runtime();
    await using agent = await Agent.listen(`${runtime.folder}/agent.sock`);
    const result = await runtime.run((config) => {
      config.process.args = [...CALL, 'getpriority', '0', '0'];
      config.linux.seccomp = notify(agent.path, { flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] });
    });
    expect(result.stdout).toBe('EBADMSG\n');
  });
});
