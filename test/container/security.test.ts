import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { Sandbox, type SandboxOptions } from 'nsbox';
import { afterAll, describe, expect, test } from 'vitest';
import { hasIdRanges, NO_RANGES } from '../support/mode.js';
import { skipUnless } from '../support/skip.js';
import { sharedRoot, TemporaryRoot } from '../support/temporary.js';
import { testinit } from '../support/testinit.js';

const root = sharedRoot();
const box = await Sandbox.create({ rootfs: root.path });
afterAll(() => box[Symbol.asyncDispose]());

async function say(...args: readonly string[]): Promise<string> {
  return (await box.exec(['/testinit', ...args]).nothrow()).stdout;
}

/** AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT */
const DOCKERS = '00000000a80425fb';
const NONE = '0000000000000000';

async function sets(options: SandboxOptions & { user?: string } = {}): Promise<Record<string, string>> {
  const { stdout } = await Sandbox.run(['/testinit', 'caps'], { rootfs: root.path, ...options });
  return Object.fromEntries(stdout.split('\n').map((line) => line.split(/:\s+/)));
}

describe('capabilities', () => {
  test('all five sets are as Docker has them', async () => {
    const dockers = { CapInh: NONE, CapPrm: DOCKERS, CapEff: DOCKERS, CapBnd: DOCKERS, CapAmb: NONE };
    expect(await sets()).toMatchObject(dockers);
    expect(await say('caps')).toContain(`CapEff:\t${DOCKERS}`);
  });

  test('one more, and one less', async () => {
    const more = await sets({ security: { capAdd: ['NET_ADMIN'] } });
    expect(BigInt(`0x${more.CapEff}`)).toBe(BigInt(`0x${DOCKERS}`) | (1n << 12n));
    const less = await sets({ security: { capDrop: ['cap_chown'] } });
    expect(BigInt(`0x${less.CapBnd}`)).toBe(BigInt(`0x${DOCKERS}`) & ~1n);
  });

  test('none at all', async () => {
    const none = { CapInh: NONE, CapPrm: NONE, CapEff: NONE, CapBnd: NONE, CapAmb: NONE };
    expect(await sets({ security: { capDrop: ['ALL'] } })).toMatchObject(none);
    const one = await sets({ security: { capDrop: ['ALL'], capAdd: ['CHOWN'] } });
    expect(one).toMatchObject({ CapEff: '0000000000000001', CapBnd: '0000000000000001' });
  });

  test('ALL is what this process has to give', async () => {
    const all = await sets({ security: { capAdd: ['ALL'] } });
    expect(BigInt(`0x${all.CapEff}`) & (1n << 21n)).not.toBe(0n);
    expect(all.CapEff).toBe(all.CapBnd);
  });

  test('an unknown one is refused', async () => {
    await expect(async () =>
      Sandbox.run(['true'], { security: { capAdd: ['CAP_NONSENSE'] } }),
    ).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
  });
});

describe('system calls', () => {
  // What Docker's profile denies for its own capabilities; moby's, by name.
  const DENIED = [
    'mount',
    'remount',
    'umount',
    'fsopen',
    'open_tree',
    'move_mount',
    'mount_setattr',
    'pivot_root',
    'unshare-user',
    'unshare-mount',
    'unshare-net',
    'clone-user',
    'setns',
    'setns-self',
    'add_key',
    'keyctl',
    'request_key',
    'bpf',
    'perf_event_open',
    'io_uring_setup',
    'userfaultfd',
    'kexec_load',
    'init_module',
    'delete_module',
    'open_by_handle_at',
    'reboot',
    'swapon',
    'acct',
    'settimeofday',
    'clock_settime',
    'sethostname',
    'setdomainname',
    'syslog',
    'quotactl',
    'fanotify_init',
    'vhangup',
    'vsock',
    'personality-odd',
    'ptrace-init',
    'read-init',
  ];

  test('those that Docker denies are denied', async () => {
    const answers = Object.fromEntries((await say('try')).split('\n').map((line) => line.split(' ')));
    const expected = Object.fromEntries(DENIED.map((name) => [name, 'EPERM']));
    expect(answers).toMatchObject({ ...expected, clone3: 'ENOSYS', getpid: 'ok', chroot: 'ok' });
  });

  test('a filter of one’s own takes the place of the default', async () => {
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 111 }],
    } as const;
    const result = await Sandbox.run(['/testinit', 'mkdir', '/new'], {
      rootfs: root.path,
      security: { seccomp },
      reject: false,
    });
    expect(result.stdout).toBe('ECONNREFUSED');
  });

  test('a filter that kills is told by its signal', async () => {
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_KILL_PROCESS' }],
    } as const;
    const result = await Sandbox.run(['/testinit', 'mkdir', '/new'], {
      rootfs: root.path,
      security: { seccomp },
      reject: false,
    });
    expect(result.signal).toBe('SIGSYS');
  });

  test("'unconfined' has no filter", async () => {
    expect(await sets()).toMatchObject({ Seccomp: '2' });
    expect(await sets({ security: { seccomp: 'unconfined' } })).toMatchObject({ Seccomp: '0' });
  });

  test('the filter also holds in a command of a held box', async () => {
    expect(await say('caps')).toMatch(/Seccomp:\t2/);
  });
});

describe('init and its executable', () => {
  test.each(['exe', 'mem', 'root', 'cwd', 'environ', 'maps', 'fd/3'])(
    '/proc/1/%s is closed',
    async (name) => {
      expect(await say('open', `/proc/1/${name}`)).toMatch(/^(EACCES|EPERM|ENOENT)$/);
      expect(await say('open', `/proc/1/${name}`, '+')).toMatch(/^(EACCES|EPERM|ENOENT|EISDIR)$/);
    },
  );

  test('none of its descriptors can be taken', async () => {
    const held = (await say('ls', '/proc/1/fd')).split('\n').filter(Boolean);
    for (const fd of held) expect(await say('open', `/proc/1/fd/${fd}`)).toMatch(/^(EACCES|EPERM|ENOENT)$/);
  });

  test('with all capabilities and no filter it still cannot be written to', async () => {
    await using privileged = await Sandbox.create({
      rootfs: root.path,
      security: { capAdd: ['ALL'], seccomp: 'unconfined', maskedPaths: 'none' },
    });
    for (const how of ['w', '+']) {
      const { stdout } = await privileged.exec(['/testinit', 'open', '/proc/1/exe', how]).nothrow();
      expect(stdout).toMatch(/^(ETXTBSY|EPERM|EACCES)$/);
    }
    expect((await privileged.exec(['/testinit', 'write', '/proc/1/exe', 'x']).nothrow()).stdout).not.toBe(
      'ok',
    );
    await Sandbox.run(['/testinit', 'true'], { rootfs: root.path });
  });
});

describe('/proc and /sys', () => {
  test.each([
    '/proc/sys/kernel/hostname',
    '/proc/sys/vm/drop_caches',
    '/proc/sysrq-trigger',
    '/proc/irq/default_smp_affinity',
  ])('%s is read-only', async (path) => {
    expect(await say('write', path, '0')).toMatch(/^(EROFS|ENOENT|EACCES|EPERM)$/);
  });

  test.each(['/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/sched_debug', '/proc/interrupts'])(
    '%s shows nothing',
    async (path) => {
      expect((await box.exec(['/testinit', 'cat', path]).nothrow()).stdout).toBe('');
    },
  );

  test.each(['/proc/acpi', '/proc/scsi', '/sys/firmware'])('%s is empty', async (path) => {
    expect(await say('ls', path)).toMatch(/^(|ENOENT)$/);
  });

  test('a path of one’s own can be masked', async () => {
    const masked = { rootfs: root.path, security: { maskedPaths: ['/testinit.conf', '/secret'] } };
    await using own = new TemporaryRoot(['secret/inner']);
    await using hidden = await Sandbox.create({ ...masked, rootfs: own.path });
    expect(await hidden.fs.readdir('/secret')).toEqual([]);
  });

  test('/sys is read-only', async () => {
    expect(await say('mkdir', '/sys/fs/cgroup/mine')).toMatch(/^(EROFS|EPERM|ENOENT)$/);
    expect(await say('write', '/sys/kernel/uevent_helper', 'x')).not.toBe('ok');
  });
});

describe('devices', () => {
  test('/dev holds the usual ones, and cannot be written to', async () => {
    const names = (await say('ls', '/dev')).split('\n').sort();
    expect(names).toEqual(
      expect.arrayContaining([
        'fd',
        'full',
        'null',
        'ptmx',
        'pts',
        'random',
        'shm',
        'tty',
        'urandom',
        'zero',
      ]),
    );
    expect(names.filter((name) => /^(sd|vd|nvme|loop|mem|kmsg|fuse|kvm)/.test(name))).toEqual([]);
    expect(await say('write', '/dev/mine', 'x')).toBe('EROFS');
    expect(await say('write', '/dev/null', 'x')).toBe('ok');
    expect(await say('stat', '/dev/null')).toMatch(/^char 666 .* 1,3 1$/);
  });

  test('a block device of the machine’s cannot be made and opened', async () => {
    const [, major, minor] =
      /^\s*(\d+)\s+(\d+)\s+\d+\s+\w+$/m.exec(readFileSync('/proc/partitions', 'utf8')) ?? [];
    for (const folder of ['', '/dev', '/dev/shm', '/tmp']) {
      const made = await say('mknod', `${folder}/disk`, 'b', major ?? '8', minor ?? '0');
      if (made === 'ok') expect(await say('open', `${folder}/disk`)).toMatch(/^(EACCES|EPERM)$/);
      else expect(made).toMatch(/^(EPERM|EROFS|ENOENT)$/);
    }
  });

  test('nor a character device, such as the memory’s', async () => {
    const made = await say('mknod', '/memory', 'c', '1', '1');
    if (made === 'ok') expect(await say('open', '/memory')).toMatch(/^(EACCES|EPERM)$/);
    else expect(made).toBe('EPERM');
  });
});

describe('no new privileges', () => {
  test('they are off unless asked for', async () => {
    expect(await sets()).toMatchObject({ NoNewPrivs: '1' });
    expect(await sets({ security: { noNewPrivileges: false } })).toMatchObject({ NoNewPrivs: '0' });
  });

  test('a set-user-ID program gives no other id', async (context) => {
    skipUnless(context, hasIdRanges, NO_RANGES);
    await using own = new TemporaryRoot();
    copyFileSync(testinit(), own.join('suid'));
    chmodSync(own.join('suid'), 0o4755);
    for (const noNewPrivileges of [true, false]) {
      const { stdout } = await Sandbox.run(['/suid', 'ids'], {
        rootfs: own.path,
        user: '1234',
        security: { noNewPrivileges },
      });
      expect(stdout).toContain(noNewPrivileges ? 'euid=1234' : 'euid=');
    }
  });

  test('another user than root has no capability', async (context) => {
    skipUnless(context, hasIdRanges, NO_RANGES);
    expect(await sets({ user: '1234:1234' })).toMatchObject({
      CapEff: NONE,
      CapPrm: NONE,
      CapInh: NONE,
      CapAmb: NONE,
    });
  });
});

test('an AppArmor profile that is not loaded stops the start', async () => {
  const run = Sandbox.run(['/testinit', 'true'], {
    rootfs: root.path,
    security: { apparmor: 'nsbox-no-such-profile' },
  });
  await expect(run).rejects.toMatchObject({ name: 'NsboxError' });
});
