import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { empower } from '../support/attack.js';
import { Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';
import { prepareCalls, resetCalls } from '../support/wrapped.js';

const NONE = '0000000000000000';
const SETS = "grep ^Cap /proc/self/status | tr -d '\\t'";
const IDS = "sed -n 's/^\\(Uid\\|Gid\\|Groups\\):[[:space:]]*//p' /proc/self/status";

const parse = (text: string): Record<string, string> =>
  Object.fromEntries(text.split('\n').map((line) => line.split(':')));

describe('capabilities', () => {
  test('inheritable capabilities are empty unless asked for, in run and in exec', async () => {
    await using runtime = new Runtime();
    expect(parse(await runtime.sh(SETS))).toMatchObject({ CapInh: NONE, CapAmb: NONE });
    const container = await runtime.pause();
    expect(parse(await container.sh(SETS))).toMatchObject({ CapInh: NONE, CapAmb: NONE });
  });

  testRoot('exec --cap: what is added is not inheritable', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause();
    const sets = parse(await container.sh(SETS, ['--cap', 'CAP_CHOWN']));
    expect(sets.CapInh).toBe(NONE);
    expect(BigInt(`0x${sets.CapBnd}`) & 1n).toBe(1n);
  });

  testRoot(
    'exec --process: the five sets are those of the file, none is taken from the container’s',
    async () => {
      await using runtime = new Runtime();
      const container = await runtime.pause((config) => empower(config));
      const file = `${runtime.folder}/process.json`;
      const write = (capabilities: unknown): void =>
        writeFileSync(
          file,
          JSON.stringify({ ...container.bundle.config.process, args: ['sh', '-c', SETS], capabilities }),
        );
      write({ bounding: ['CAP_KILL'], permitted: ['CAP_KILL'], effective: ['CAP_KILL'] });
      const { stdout } = await runtime.ok(['exec', '--process', file, container.id]);
      const kill = '0000000000000020';
      expect(parse(stdout.trim())).toEqual({
        CapInh: NONE,
        CapPrm: kill,
        CapEff: kill,
        CapBnd: kill,
        CapAmb: NONE,
      });
    },
  );

  testRoot('a user without capabilities cannot read what is root’s', async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      empower(config);
      config.process.user = { uid: 1000, gid: 1000 };
      config.process.args = ['sh', '-c', `cat /etc/shadow 2>/dev/null || echo refused; ${SETS}`];
    });
    writeFileSync(bundle.inside('etc/shadow'), 'secret', { mode: 0o600 });
    const { stdout } = await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
    expect(stdout).toMatch(/^refused\n/);
    expect(stdout).toContain(`CapEff:${NONE}`);
    expect(stdout).toContain(`CapAmb:${NONE}`);
  });

  testRoot('exec --user: an ordinary user has no capabilities in force', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause((config) => empower(config));
    expect(parse(await container.sh(SETS, ['--user', '1000:1000']))).toMatchObject({
      CapInh: NONE,
      CapPrm: NONE,
      CapEff: NONE,
      CapAmb: NONE,
    });
  });
});

describe('users', () => {
  testRoot('exec --user: a number is that id, whatever the passwd of the image says', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause();
    writeFileSync(
      container.bundle.inside('etc/passwd'),
      '1000:x:0:0::/root:/bin/sh\n1:x:0:0::/:/bin/sh\nroot:x:0:0::/root:/bin/sh\n',
    );
    for (const id of ['1000', '1'])
      expect((await container.sh(IDS, ['--user', id])).split(/\s+/)[0]).toBe(id);
  });

  testRoot('process.user.uid: the passwd of the image does not change it', async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      config.process.user = { uid: 1000, gid: 1000 };
      config.process.args = ['id', '-u'];
    });
    writeFileSync(bundle.inside('etc/passwd'), '1000:x:0:0::/root:/bin/sh\nroot:x:1000:1000::/:/bin/sh\n');
    expect((await runtime.ok(['run', '--bundle', bundle.path, runtime.id()])).stdout).toBe('1000\n');
  });

  testRoot('exec --user: 1 is user 1 and not user 0', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause();
    expect(await container.sh('id -u; id -g', ['--user', '1'])).toBe('1\n0');
    expect(await container.sh('id -u; id -g', ['--user', '1:2'])).toBe('1\n2');
  });

  testOurs.each([
    '',
    ' 1',
    '1 ',
    '+1',
    '-1',
    '0x1',
    '1.0',
    '1e3',
    '1:',
    ':1',
    '1:2:3',
    '4294967295',
    '4294967296',
    '99999999999999999999',
    '1\n0',
    'root ',
  ])('exec --user: %j is refused', async (user) => {
    await using runtime = new Runtime();
    const container = await runtime.pause();
    const result = await container.exec(['id', '-u'], ['--user', user]);
    // An empty one may be as none.
    if (user === '' && result.code === 0) return;
    expect([user, result.code, result.stdout]).not.toEqual([user, 0, '0\n']);
    if (isStrict(user)) expect(result.code).not.toBe(0);
  });

  // Those that other runtimes read as a number all the same, though never as root's.
  const isStrict = (user: string): boolean => !['+1', '0x1', '4294967295'].includes(user);

  testOurs.each([-1, 2 ** 32, 2 ** 32 - 1, 1.5, '0', null, 1e30, true])(
    'process.user.uid: %j is refused',
    async (uid) => {
      await using runtime = new Runtime();
      const result = await runtime.run((config) => {
        config.process.args = ['id', '-u'];
        config.process.user = { uid: uid as number, gid: 0 };
      });
      expect([uid, result.code, result.stdout]).not.toEqual([uid, 0, '0\n']);
      expect(result.code).not.toBe(0);
    },
  );

  testRoot('exec: the container’s additional groups do not come along unless asked for', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause();
    expect((await container.sh(IDS, ['--user', '1000:1000'])).split('\n')[2] ?? '').toBe('');
  });

  testRoot('no group of the caller’s is left, not even in a user namespace', async () => {
    prepareCalls('exec setpriv --groups 4321,4322 "$@"');
    try {
      await using runtime = new Runtime();
      const groups = "sed -n 's/^Groups:[[:space:]]*//p' /proc/self/status";
      for (const isMapped of [false, true])
        expect(
          (
            await runtime.sh(groups, (config) => {
              if (!isMapped) return;
              config.linux.namespaces.push({ type: 'user' });
              config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
              config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
            })
          ).trim(),
        ).toBe('');
      const container = await runtime.pause();
      expect((await container.sh(groups)).trim()).toBe('');
    } finally {
      resetCalls();
    }
  });
});

describe('keyrings', () => {
  // keyctl(2): JOIN_SESSION_KEYRING is 1, SEARCH 10, the session's keyring -3.
  const SEARCH = ['/testinit', 'call', 'keyctl', '10', '-3', 's:user', 's:nsbox-secret', '0'];
  const CALLER = `exec /usr/bin/python3 -I -c '
import ctypes, os, sys
call = ctypes.CDLL(None, use_errno=True).syscall
assert call(250, 1, b"caller", 0, 0, 0) > 0
assert call(248, b"user", b"nsbox-secret", b"payload", 7, -3) > 0
os.execv(sys.argv[1], sys.argv[1:])' "$@"`;

  test('the caller’s session keyring cannot be searched from inside, in run and in exec', async (context) => {
    if (process.arch !== 'x64') context.skip('the numbers of the system calls are those of x64');
    prepareCalls(CALLER);
    try {
      await using runtime = new Runtime();
      const result = await runtime.run((config) => {
        config.process.args = SEARCH;
      });
      expect(result.stdout).toBe('ENOKEY\n');
      const container = await runtime.pause();
      expect((await container.exec(SEARCH)).stdout).toBe('ENOKEY\n');
    } finally {
      resetCalls();
    }
  });

  test('--no-new-keyring: the caller’s session keyring stays', async (context) => {
    if (process.arch !== 'x64') context.skip('the numbers of the system calls are those of x64');
    prepareCalls(CALLER);
    try {
      await using runtime = new Runtime();
      const result = await runtime.run(
        (config) => {
          config.process.args = SEARCH;
        },
        { flags: ['--no-new-keyring'] },
      );
      expect(result.stdout).toMatch(/^ok \d+\n$/);
    } finally {
      resetCalls();
    }
  });
});

describe('terminals', () => {
  // The call has a terminal of its own, as somebody's shell has.
  const TERMINAL = `exec /usr/bin/python3 -I -c '
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "$@"`;

  test('the program cannot type into the caller’s terminal', async () => {
    prepareCalls(TERMINAL);
    try {
      await using runtime = new Runtime();
      const result = await runtime.run((config) => {
        config.process.args = ['sh', '-c', '/testinit inject 0; /testinit open /dev/tty; echo end'];
      });
      expect(result.stdout.replaceAll('\r', '')).toMatch(/^(EPERM|EIO|ENOTTY)\nENXIO\nend/);
    } finally {
      resetCalls();
    }
  });

  test('the program is in a session of its own, in run and in exec', async () => {
    await using runtime = new Runtime();
    const session = 'cut -d" " -f6 /proc/self/stat';
    expect(await runtime.sh(session)).toBe('1');
    const container = await runtime.pause();
    const [own, asked] = (await container.sh(`echo $$; ${session}`)).split('\n');
    expect(asked).toBe(own);
  });
});

describe('joining', () => {
  testOursRoot(
    'the process that execs into a container cannot be traced or looked into from inside',
    async () => {
      await using runtime = new Runtime();
      const container = await runtime.start((config) => {
        config.process.args = ['/testinit', 'hunt', '/work/over'];
      });
      await container.says('ready');
      for (let i = 0; i < 15; i++) await container.exec(['/testinit', 'args', 'x']);
      writeFileSync(container.bundle.inside('work/over'), '');
      await container.says('done');
      expect(container.stdout).toContain('held 0\n');
    },
  );

  test('the init of a created container cannot be looked into by another in its pid namespace', async () => {
    await using runtime = new Runtime();
    const container = await runtime.create();
    const result = await container.exec([
      'sh',
      '-c',
      'ls /proc/1/fd >/dev/null 2>&1 || echo refused; readlink /proc/1/exe || echo refused',
    ]);
    if (result.code === 0) expect(result.stdout).not.toContain('/fd/');
    if (isRoot) expect(result.stdout).not.toMatch(/runc|nsbox-runtime$/m);
  });
});

testRoot('a set-user-ID program of the image gives nothing with noNewPrivileges', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    empower(config);
    config.process.noNewPrivileges = true;
    config.process.user = { uid: 1000, gid: 1000 };
    config.process.args = ['/set-user-id', 'ids'];
  });
  copyFileSync(bundle.inside('testinit'), bundle.inside('set-user-id'));
  chmodSync(bundle.inside('set-user-id'), 0o4755);
  const { stdout } = await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
  expect(stdout).toContain('1000');
  expect(stdout).not.toMatch(/\b0 0\b/);
});
