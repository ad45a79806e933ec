import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { unmount } from '../support/attack.js';
import { type Config, Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';

type Mount = Config['mounts'][number];

function fake(runtime: Runtime, destination: string): Mount {
  const source = `${runtime.folder}/fake`;
  mkdirSync(`${source}/self/attr`, { recursive: true });
  writeFileSync(`${source}/self/attr/exec`, '');
  return { destination, type: 'bind', source, options: ['bind', 'rw'] };
}

describe('mounts over /proc', () => {
  test('a directory of another kind on /proc is refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.runPrepared('echo ran', (_bundle, config) => {
      config.mounts.push(fake(runtime, '/proc'));
    });
    expect([result.code === 0, result.stdout]).toEqual([false, '']);
  });

  testOurs('a tmpfs on /proc is refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.runPrepared('echo ran', (_bundle, config) => {
      config.mounts.push({ destination: '/proc', type: 'tmpfs', source: 'tmpfs' });
    });
    expect([result.code === 0, result.stdout]).toEqual([false, '']);
  });

  const inside = [
    '/proc/self',
    '/proc/self/attr',
    '/proc/self/attr/exec',
    '/proc/1',
    '/proc/sys',
    '/proc/sys/kernel',
    '/proc/fd',
    '/proc/net',
    '/proc/nonsense',
    'proc/self',
    '//proc//self/attr/',
    '/work/../proc/self/attr',
    '/./proc/./sys',
  ];

  test.each(inside)('a directory on %s is refused', async (destination) => {
    await using runtime = new Runtime();
    const result = await runtime.runPrepared('echo ran', (_bundle, config) => {
      config.mounts.push(fake(runtime, destination));
    });
    expect([result.code === 0, result.stdout]).toEqual([false, '']);
    expect(result.stderr).not.toBe('');
  });

  testOurs.each(inside)('a tmpfs on %s is refused', async (destination) => {
    await using runtime = new Runtime();
    const result = await runtime.runPrepared('echo ran', (_bundle, config) => {
      config.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs' });
    });
    expect([result.code === 0, result.stdout]).toEqual([false, '']);
  });

  test.each([
    ['/proc/self/attr', '/way'],
    ['/proc/self', '/way/attr'],
    ['/proc', '/way/self/attr/exec'],
    ['/proc/sys', '/way/kernel'],
  ])('a mount that a link of the image leads to %s is refused: %s', async (target, destination) => {
    await using runtime = new Runtime();
    const result = await runtime.runPrepared('echo ran', (bundle, config) => {
      symlinkSync(target, bundle.inside('way'));
      config.mounts.push(fake(runtime, destination));
    });
    expect([result.code === 0, result.stdout]).toEqual([false, '']);
  });

  test.each(['cpuinfo', 'diskstats', 'meminfo', 'stat', 'swaps', 'uptime', 'loadavg', 'slabinfo'])(
    'a file on /proc/%s is allowed, as lxcfs does it',
    async (name) => {
      await using runtime = new Runtime();
      writeFileSync(`${runtime.folder}/made-up`, 'made up\n');
      const result = await runtime.runPrepared(`cat /proc/${name}`, (_bundle, config) => {
        config.mounts.push({
          destination: `/proc/${name}`,
          type: 'bind',
          source: `${runtime.folder}/made-up`,
          options: ['bind', 'ro'],
        });
      });
      expect(result.stdout).toBe('made up\n');
    },
  );

  testRoot('the caller’s own procfs may stand on /proc', async () => {
    await using runtime = new Runtime();
    expect(
      await runtime.sh('stat -f -c %t /proc', (config) => {
        unmount(config, '/proc');
        config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
        config.mounts.unshift({
          destination: '/proc',
          type: 'bind',
          source: '/proc',
          options: ['rbind', 'ro'],
        });
        config.linux.maskedPaths = [];
        config.linux.readonlyPaths = [];
      }),
    ).toBe('9fa0');
  });

  testOurs(
    '/proc of the image that is a link: it is refused, or the container has no procfs elsewhere',
    async () => {
      await using runtime = new Runtime();
      const result = await runtime.runPrepared(
        "grep -c ' - proc ' /proc/self/mountinfo; echo ran",
        (bundle, config) => {
          rmSync(bundle.inside('proc'), { recursive: true });
          mkdirSync(bundle.inside('way/self/attr'), { recursive: true });
          symlinkSync('/way', bundle.inside('proc'));
          config.mounts.push(fake(runtime, '/way/self'));
        },
      );
      expect([result.code === 0, result.stdout]).toEqual([false, '']);
    },
  );
});

/** A procfs of the image's own: files where writes of the runtime would go astray. */
function forge(root: (...names: string[]) => string): void {
  for (const pid of ['self', '1', 'thread-self']) {
    mkdirSync(root('proc', pid, 'attr', 'apparmor'), { recursive: true });
    for (const name of [
      'attr/exec',
      'attr/apparmor/exec',
      'attr/keycreate',
      'oom_score_adj',
      'setgroups',
      'uid_map',
    ])
      writeFileSync(root('proc', pid, name), '');
    mkdirSync(root('proc', pid, 'fd'), { recursive: true });
    for (let fd = 0; fd < 100; fd++) symlinkSync('/other', root('proc', pid, 'fd', `${fd}`));
  }
  mkdirSync(root('proc/sys/fs/mqueue'), { recursive: true });
  writeFileSync(root('proc/sys/fs/mqueue/msg_max'), '');
  mkdirSync(root('other'));
}

describe('writes that must reach the real procfs', () => {
  testOurs('process.oomScoreAdj reaches the process though the image has a /proc of its own', async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      unmount(config, '/proc');
      config.linux.maskedPaths = [];
      config.linux.readonlyPaths = [];
      config.process.args = ['sleep', '1000'];
      config.process.oomScoreAdj = 345;
    });
    forge((...names) => bundle.inside(...names));
    const id = runtime.id();
    const created = await runtime.call(['create', '--bundle', bundle.path, id]);
    if (created.code !== 0) return;
    const { pid } = JSON.parse((await runtime.ok(['state', id])).stdout);
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('345');
    expect(readFileSync(bundle.inside('proc/self/oom_score_adj'), 'utf8')).toBe('');
  });

  testOursRoot(
    'linux.sysctl reaches the kernel, or is refused, though the image has a /proc of its own',
    async () => {
      await using runtime = new Runtime();
      const bundle = runtime.bundle((config) => {
        unmount(config, '/proc');
        config.linux.maskedPaths = [];
        config.linux.readonlyPaths = [];
        config.linux.sysctl = { 'fs.mqueue.msg_max': '99' };
        config.process.args = ['sleep', '1000'];
      });
      forge((...names) => bundle.inside(...names));
      const id = runtime.id();
      const created = await runtime.call(['create', '--bundle', bundle.path, id]);
      expect(readFileSync(bundle.inside('proc/sys/fs/mqueue/msg_max'), 'utf8')).toBe('');
      if (created.code !== 0) expect(created.stderr).not.toBe('');
    },
  );

  testOurs('root.readonly holds though the image has a /proc/self/fd of its own', async () => {
    await using runtime = new Runtime();
    const script =
      'touch /x 2>/dev/null || echo refused; touch /other/x && echo writable; touch /mnt/x 2>/dev/null || echo refused';
    const result = await runtime.runPrepared(script, (bundle, config) => {
      unmount(config, '/proc');
      config.linux.maskedPaths = [];
      config.linux.readonlyPaths = [];
      if (config.root) config.root.readonly = true;
      config.mounts.push(
        { destination: '/other', type: 'tmpfs', source: 'tmpfs' },
        { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['ro'] },
      );
      forge((...names) => bundle.inside(...names));
      rmSync(bundle.inside('other'), { recursive: true });
    });
    expect(result.stdout).toBe('refused\nwritable\nrefused\n');
  });

  testOurs('masked and read-only paths hold though the image has a /proc/self/fd of its own', async () => {
    await using runtime = new Runtime();
    const script =
      'cat /etc/passwd; touch /work/x 2>/dev/null || echo refused; touch /other/x && echo writable';
    const result = await runtime.runPrepared(script, (bundle, config) => {
      unmount(config, '/proc');
      config.linux.maskedPaths = ['/etc/passwd'];
      config.linux.readonlyPaths = ['/work'];
      config.mounts.push({ destination: '/other', type: 'tmpfs', source: 'tmpfs' });
      forge((...names) => bundle.inside(...names));
      rmSync(bundle.inside('other'), { recursive: true });
    });
    expect(result.stdout).toBe('refused\nwritable\n');
  });
});

describe('sysctls', () => {
  test.each([
    'net.ipv4/../../kernel.core_pattern',
    'net/../kernel/core_pattern',
    'net..kernel',
    '../kernel/hostname',
    'fs.mqueue.../../../kernel.core_pattern',
    'net.ipv4.ip_forward=1\nkernel.core_pattern',
    'kernel.shm*',
    '',
  ])('a sysctl called %j is refused and changes nothing of the host', async (name) => {
    await using runtime = new Runtime();
    const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    const result = await runtime.run((config) => {
      config.linux.sysctl = { [name]: '|/bin/evil' };
    });
    expect(result.code).not.toBe(0);
    expect(result.stdout).toBe('');
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
  });
});

test('what is not the container’s own in /proc cannot be written', async () => {
  await using runtime = new Runtime();
  const script =
    'for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/sys/vm/drop_caches; do (echo x >$f) 2>/dev/null || echo refused; done';
  expect(await runtime.sh(script)).toBe('refused\nrefused\nrefused');
});
