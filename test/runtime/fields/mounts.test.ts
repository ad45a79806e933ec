import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { bind, source } from '../support/mounts.js';
import { Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';

/** The options that mountinfo has of a mount: those of the mount, then those of the file system. */
const options = (target: string): string =>
  `awk '$5 == "${target}" {print $6; sub(/.* - /, ""); print $3}' /proc/self/mountinfo`;

test('mounts: a bind shows the directory, and writing reaches it', async () => {
  await using runtime = new Runtime();
  const from = source(runtime);
  expect(
    await runtime.sh('cat /mnt/file; echo new >/mnt/made', (config) => {
      config.mounts.push(bind(from, '/mnt'));
    }),
  ).toBe('from outside');
  expect(readFileSync(`${from}/made`, 'utf8')).toBe('new\n');
});

test('mounts: a bind of a file makes the file that it is put on', async () => {
  await using runtime = new Runtime();
  const from = source(runtime);
  expect(
    await runtime.sh('cat /etc/new/name; cat /etc/passwd', (config) => {
      config.mounts.push(bind(`${from}/file`, '/etc/new/name'), bind(`${from}/file`, '/etc/passwd'));
    }),
  ).toBe('from outside\nfrom outside');
});

test('mounts: type none with the option bind is a bind, and so is no type at all', async () => {
  await using runtime = new Runtime();
  const from = source(runtime);
  expect(
    await runtime.sh('cat /one/file /two/file', (config) => {
      config.mounts.push({ ...bind(from, '/one'), type: 'none' });
      config.mounts.push({ destination: '/two', source: from, options: ['bind'] });
    }),
  ).toBe('from outside\nfrom outside');
});

test('mounts: a bind whose source is absent is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.mounts.push(bind(`${runtime.folder}/absent`, '/mnt'));
  });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toContain(`${runtime.folder}/absent`);
});

testOurs('mounts: a bind’s relative source is one of the bundle', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['cat', '/mnt/file'];
    config.mounts.push(bind('data', '/mnt'));
  });
  mkdirSync(`${bundle.path}/data`);
  writeFileSync(`${bundle.path}/data/file`, 'of the bundle');
  const { stdout } = await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
  expect(stdout).toBe('of the bundle');
});

test('mounts: a relative destination is taken from the root', async () => {
  await using runtime = new Runtime();
  const from = source(runtime);
  expect(
    await runtime.sh('cat /mnt/here/file', (config) => {
      config.mounts.push(bind(from, 'mnt/here'));
    }),
  ).toBe('from outside');
});

test('mounts: they are made in their order, later ones over and inside earlier ones', async () => {
  await using runtime = new Runtime();
  const one = source(runtime, 'one');
  const two = source(runtime, 'two');
  writeFileSync(`${two}/file`, 'second\n');
  expect(
    await runtime.sh('ls /mnt; cat /mnt/deep/file /over/file', (config) => {
      config.mounts.push(bind(one, '/mnt'), bind(two, '/mnt/deep'), bind(one, '/over'), bind(two, '/over'));
    }),
  ).toBe('deep\nfile\nsecond\nsecond');
});

test('mounts: a destination inside an earlier tmpfs is made there', async () => {
  await using runtime = new Runtime();
  const from = source(runtime);
  expect(
    await runtime.sh('cat /mnt/a/b/file; stat -f -c %T /mnt/a', (config) => {
      config.mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs' }, bind(from, '/mnt/a/b'));
    }),
  ).toBe('from outside\ntmpfs');
});

test('mounts: a destination through a link of the root stays in the root', async () => {
  await using runtime = new Runtime();
  const from = source(runtime);
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sh', '-c', 'cat /real/place/file'];
    config.mounts.push(bind(from, '/link/place'));
  });
  symlinkSync('/real', bundle.inside('link'));
  mkdirSync(bundle.inside('real'));
  const { stdout } = await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
  expect(stdout).toBe('from outside\n');
});

describe('mounts option', () => {
  test('mounts option bind: without what is mounted below the source', async () => {
    await using runtime = new Runtime();
    expect(
      await runtime.sh('ls /mnt/pts | wc -l; ls -A /all/pts | wc -l', (config) => {
        if (isRoot) config.mounts.push(bind('/dev', '/mnt'), { ...bind('/dev', '/all'), options: ['rbind'] });
        else
          config.mounts.push(
            { ...bind('/dev', '/all'), options: ['rbind'] },
            { destination: '/mnt/pts', type: 'tmpfs' },
          );
      }),
    ).toMatch(/^0\n[1-9]/);
  });

  test('mounts option ro: nothing can be written there', async () => {
    await using runtime = new Runtime();
    const from = source(runtime);
    expect(
      await runtime.sh('touch /mnt/x 2>/dev/null || echo refused', (config) => {
        config.mounts.push(bind(from, '/mnt', 'ro'));
      }),
    ).toBe('refused');
  });

  test('mounts option ro: the mounts below a recursive bind stay writable', async () => {
    await using runtime = new Runtime();
    const from = source(runtime);
    expect(
      await runtime.sh('touch /new/x 2>/dev/null || echo refused; touch /new/deep/x && echo ok', (config) => {
        config.process.capabilities = {
          bounding: ['CAP_SYS_ADMIN'],
          permitted: ['CAP_SYS_ADMIN'],
          effective: ['CAP_SYS_ADMIN'],
        };
        config.mounts.push(bind(from, '/new', 'ro'), {
          destination: '/new/deep',
          type: 'tmpfs',
          source: 'tmpfs',
        });
      }),
    ).toBe('refused\nok');
  });

  testRoot('mounts option rro: nor in what is mounted below', async () => {
    await using runtime = new Runtime();
    const script =
      'touch /mnt/shm/x 2>/dev/null || echo refused; touch /plain/shm/nsbox-try && echo ok && rm /plain/shm/nsbox-try';
    expect(
      await runtime.sh(script, (config) => {
        config.mounts.push(
          { ...bind('/dev', '/mnt'), options: ['rbind', 'rro'] },
          { ...bind('/dev', '/plain'), options: ['rbind'] },
        );
      }),
    ).toBe('refused\nok');
  });

  testRoot.each([
    ['rnosuid', 'nosuid'],
    ['rnodev', 'nodev'],
    ['rnoexec', 'noexec'],
    ['rnoatime', 'noatime'],
    ['rnodiratime', 'nodiratime'],
  ] as const)('mounts option %s: of the mount and of all below it', async (option, shown) => {
    await using runtime = new Runtime();
    const said = await runtime.sh(`${options('/mnt')}; ${options('/mnt/shm')}`, (config) => {
      config.mounts.push({ ...bind('/dev', '/mnt'), options: ['rbind', option] });
    });
    const [top = '', , ...below] = said.split('\n');
    expect(top.split(',')).toContain(shown);
    expect((below.at(-2) ?? '').split(',')).toContain(shown);
  });

  testRoot.each([
    ['rstrictatime', ['relatime', 'noatime']],
    ['rsuid', ['nosuid']],
    ['rdev', ['nodev']],
    ['rexec', ['noexec']],
    ['rrw', ['ro']],
    ['rdiratime', ['nodiratime']],
  ] as const)('mounts option %s: takes the opposite away, below too', async (option, gone) => {
    await using runtime = new Runtime();
    const said = await runtime.sh(`${options('/mnt')}; ${options('/mnt/shm')}`, (config) => {
      config.mounts.push({ ...bind('/dev', '/mnt'), options: ['rbind', option] });
    });
    const [top = '', , ...below] = said.split('\n');
    for (const word of gone) {
      expect(top.split(',')).not.toContain(word);
      expect((below.at(-2) ?? '').split(',')).not.toContain(word);
    }
  });

  testOursRoot('mounts option ratime: access times are written again, below too', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(`${options('/mnt')}; ${options('/mnt/shm')}`, (config) => {
      config.mounts.push({ ...bind('/dev', '/mnt'), options: ['rbind', 'ratime'] });
    });
    expect(said).not.toContain('noatime');
  });

  testRoot('mounts option rrelatime: of the mount and of all below it', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(`${options('/mnt')}; ${options('/mnt/shm')}`, (config) => {
      config.mounts.push({ ...bind('/dev', '/mnt'), options: ['rbind', 'rrelatime'] });
    });
    const [top = '', , ...below] = said.split('\n');
    expect(top.split(',')).toContain('relatime');
    expect((below.at(-2) ?? '').split(',')).toContain('relatime');
  });

  test.each(['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime', 'ro'] as const)(
    'mounts option %s: of a bind and of a tmpfs',
    async (option) => {
      await using runtime = new Runtime();
      const from = source(runtime);
      const said = await runtime.sh(`${options('/one')}; ${options('/two')}`, (config) => {
        // The kernel locks access times of what an ordinary user binds.
        const isLocked = !isRoot && option.includes('atime');
        config.mounts.push(bind(from, '/one', ...(isLocked ? [] : [option])), {
          destination: '/two',
          type: 'tmpfs',
          source: 'tmpfs',
          options: [option],
        });
      });
      const [one = '', , two = ''] = said.split('\n');
      if (isRoot || !option.includes('atime')) expect(one.split(',')).toContain(option);
      expect(two.split(',')).toContain(option);
    },
  );

  test.each([
    ['strictatime', ['relatime', 'noatime']],
    ['suid', ['nosuid']],
    ['dev', ['nodev']],
    ['exec', ['noexec']],
    ['rw', ['ro']],
    ['atime', ['noatime']],
    ['diratime', ['nodiratime']],
  ] as const)('mounts option %s: takes the opposite away that stood before it', async (option, gone) => {
    await using runtime = new Runtime();
    const said = await runtime.sh(options('/mnt'), (config) => {
      // An ordinary user cannot take away what its user namespace has locked; a tmpfs of its own has nothing locked.
      config.mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: [option] });
    });
    for (const word of gone) expect(said.split('\n')[0]?.split(',')).not.toContain(word);
  });

  testOurs('mounts option defaults: changes nothing', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(options('/mnt'), (config) => {
      config.mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['defaults'] });
    });
    expect(said.split('\n')[0]).toBe('rw,relatime');
  });

  testRoot.each(['sync', 'dirsync', 'mand', 'lazytime'] as const)(
    'mounts option %s: of the file system',
    async (option) => {
      await using runtime = new Runtime();
      const said = await runtime.sh(options('/mnt'), (config) => {
        config.mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: [option] });
      });
      const [, superblock = ''] = said.split('\n');
      // Mandatory locks are gone from Linux since 5.15; what is asked in vain is no error.
      if (option !== 'mand') expect(superblock.split(',')).toContain(option);
    },
  );

  test('mounts option nosymfollow: links there lead nowhere', async () => {
    await using runtime = new Runtime();
    const from = source(runtime);
    symlinkSync('file', `${from}/link`);
    expect(
      await runtime.sh('cat /mnt/link 2>/dev/null || echo refused; cat /mnt/file', (config) => {
        config.mounts.push(bind(from, '/mnt', 'nosymfollow'));
      }),
    ).toBe('refused\nfrom outside');
  });

  test('mounts option: a later one wins', async () => {
    await using runtime = new Runtime();
    const from = source(runtime);
    expect(
      await runtime.sh('touch /mnt/x && echo ok; touch /not/x 2>/dev/null || echo refused', (config) => {
        config.mounts.push(bind(from, '/mnt', 'ro', 'rw'), bind(from, '/not', 'rw', 'ro'));
      }),
    ).toBe('ok\nrefused');
  });

  test('mounts option: one that no file system knows is refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['nonsense=1'] });
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('/mnt');
  });
});

describe('propagation', () => {
  testRoot.each([
    ['private', /^-$/],
    ['rprivate', /^-$/],
    ['slave', /master:\d+/],
    ['rslave', /master:\d+/],
    ['shared', /shared:\d+/],
    ['rshared', /shared:\d+/],
    ['unbindable', /unbindable/],
    ['runbindable', /unbindable/],
  ] as const)('mounts option %s: the mount propagates so', async (option, shown) => {
    await using runtime = new Runtime();
    const from = source(runtime);
    const said = await runtime.sh(`awk '$5 == "/mnt" {print $7}' /proc/self/mountinfo`, (config) => {
      // Only what is shared outside can have a master.
      config.linux.rootfsPropagation =
        option.includes('slave') || option.includes('shared') ? 'rshared' : 'rprivate';
      config.mounts.push(bind(from, '/mnt', option));
    });
    if (option.includes('slave')) expect(said).toMatch(/^(-|master:\d+)$/);
    else expect(said).toMatch(shown);
  });
});

describe('mounts of type', () => {
  test('mounts of type tmpfs: size and mode are as given', async () => {
    await using runtime = new Runtime();
    expect(
      await runtime.sh('stat -c %a /mnt; df -k /mnt | tail -1 | awk "{print \\$2}"', (config) => {
        config.mounts.push({
          destination: '/mnt',
          type: 'tmpfs',
          source: 'tmpfs',
          options: ['size=2m', 'mode=1750'],
        });
      }),
    ).toBe('1750\n2048');
  });

  test('mounts of type tmpfs: without a mode it keeps that of the directory below', async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      config.process.args = ['stat', '-c', '%a', '/strange', '/tmp'];
      config.mounts.push({ destination: '/strange', type: 'tmpfs', source: 'tmpfs' });
      config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid'] });
    });
    mkdirSync(bundle.inside('strange'));
    chmodSync(bundle.inside('strange'), 0o2741);
    const { stdout } = await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
    expect(stdout.split('\n')[0]).toMatch(/^2?741$/);
    expect(stdout.split('\n')[1]).toBe('1777');
  });

  test('mounts of type tmpfs: with tmpcopyup it has what the directory had', async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      config.process.args = [
        'sh',
        '-c',
        'cat /data/a /data/sub/b; readlink /data/link; stat -c %a /data/a; echo new >/data/a; stat -f -c %T /data',
      ];
      config.mounts.push({ destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] });
    });
    mkdirSync(bundle.inside('data/sub'), { recursive: true });
    writeFileSync(bundle.inside('data/a'), 'A\n');
    chmodSync(bundle.inside('data/a'), 0o640);
    writeFileSync(bundle.inside('data/sub/b'), 'B\n');
    symlinkSync('/nowhere', bundle.inside('data/link'));
    const { stdout } = await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
    expect(stdout).toBe('A\nB\n/nowhere\n640\ntmpfs\n');
    expect(readFileSync(bundle.inside('data/a'), 'utf8')).toBe('A\n');
  });

  test('mounts of type tmpfs: a mode outranks that of the directory which tmpcopyup copies', async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      config.process.args = ['stat', '-c', '%a', '/data', '/data/sub'];
      config.mounts.push({
        destination: '/data',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['tmpcopyup', 'mode=700'],
      });
    });
    mkdirSync(bundle.inside('data/sub'), { recursive: true, mode: 0o755 });
    const { stdout } = await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
    expect(stdout).toBe('700\n755\n');
  });

  test('mounts of type proc: it is that of the container’s pid namespace', async () => {
    await using runtime = new Runtime();
    expect(await runtime.sh('ls -d /proc/[0-9]* | head -1; stat -f -c %t /proc')).toBe('/proc/1\n9fa0');
  });

  testRoot('mounts of type proc: its options are those given', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(options('/proc'), (config) => {
      config.mounts = config.mounts.filter(({ type }) => type !== 'proc');
      config.mounts.unshift({
        destination: '/proc',
        type: 'proc',
        source: 'proc',
        options: ['nosuid', 'noexec', 'nodev', 'hidepid=2'],
      });
    });
    const [flags = '', superblock = ''] = said.split('\n');
    expect(flags.split(',')).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'noexec']));
    expect(superblock).toMatch(/hidepid=(2|invisible)/);
  });

  testRoot('mounts of type sysfs: it is that of the container’s network namespace', async () => {
    await using runtime = new Runtime();
    expect(await runtime.sh('ls /sys/class/net; touch /sys/x 2>/dev/null || echo refused')).toBe(
      'lo\nrefused',
    );
  });

  test('mounts of type mqueue: it is the container’s own', async () => {
    await using runtime = new Runtime();
    expect(await runtime.sh('touch /dev/mqueue/q && ls /dev/mqueue')).toBe('q');
  });

  test('mounts of type devpts: it is an instance of the container’s own', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(`ls /dev/pts; readlink /dev/ptmx; ${options('/dev/pts')}`);
    const [list, link, flags = '', superblock = ''] = said.split('\n');
    expect([list, link]).toEqual(['ptmx', 'pts/ptmx']);
    expect(flags.split(',')).toEqual(expect.arrayContaining(['nosuid', 'noexec']));
    expect(superblock).toMatch(/mode=620,ptmxmode=666/);
    if (isRoot) expect(superblock).toMatch(/gid=5/);
  });

  testRoot('mounts of type ramfs: whatever the kernel has can be mounted', async () => {
    await using runtime = new Runtime();
    expect(
      await runtime.sh('stat -f -c %t /mnt', (config) => {
        config.mounts.push({ destination: '/mnt', type: 'ramfs', source: 'ramfs' });
      }),
    ).toBe('858458f6');
  });

  testRoot('mounts of type overlay: its layers are those given', async () => {
    await using runtime = new Runtime();
    const lower = source(runtime, 'lower');
    mkdirSync(`${runtime.folder}/upper`);
    mkdirSync(`${runtime.folder}/workdir`);
    const layers = `lowerdir=${lower},upperdir=${runtime.folder}/upper,workdir=${runtime.folder}/workdir`;
    expect(
      await runtime.sh('cat /mnt/file; echo new >/mnt/file', (config) => {
        config.mounts.push({ destination: '/mnt', type: 'overlay', source: 'overlay', options: [layers] });
      }),
    ).toBe('from outside');
    expect(readFileSync(`${runtime.folder}/upper/file`, 'utf8')).toBe('new\n');
  });

  test('mounts of type: an unknown one is refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.mounts.push({ destination: '/mnt', type: 'nonsensefs', source: 'none' });
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('/mnt');
  });
});
