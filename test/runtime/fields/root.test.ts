import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';
import { prepareCalls, resetCalls } from '../support/wrapped.js';

test('root.path: a relative one is the bundle’s, an absolute one is taken as it is', async () => {
  await using runtime = new Runtime();
  expect(await runtime.sh('ls /work | wc -l')).toBe('0');
  const other = runtime.bundle();
  writeFileSync(other.inside('work/mark'), '');
  expect(
    await runtime.sh('ls /work', (config) => {
      if (config.root) config.root.path = other.rootfs;
    }),
  ).toBe('mark');
});

test('root.path: one that is absent, empty, or a file is refused', async () => {
  await using runtime = new Runtime();
  for (const path of ['absent', '', 'config.json']) {
    const result = await runtime.run((config) => {
      if (config.root) config.root.path = path;
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).not.toBe('');
  }
});

testOurs('root.path: one that is a link leads to the directory', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['echo', 'here'];
    if (config.root) config.root.path = 'link';
  });
  symlinkSync('rootfs', `${bundle.path}/link`);
  const result = await runtime.call(['run', '--bundle', bundle.path, runtime.id()]);
  expect(result.stdout).toBe('here\n');
});

test('root.readonly: nothing can be written but where something else is mounted', async () => {
  await using runtime = new Runtime();
  const script =
    'touch /x 2>/dev/null || echo refused; touch /etc/x 2>/dev/null || echo refused; touch /dev/shm/x && echo ok';
  expect(
    await runtime.sh(script, (config) => {
      if (config.root) config.root.readonly = true;
    }),
  ).toBe('refused\nrefused\nok');
});

test('root.readonly: destinations of mounts are made before', async () => {
  await using runtime = new Runtime();
  expect(
    await runtime.sh('touch /new/place/x && echo ok', (config) => {
      if (config.root) config.root.readonly = true;
      config.mounts.push({ destination: '/new/place', type: 'tmpfs', source: 'tmpfs' });
    }),
  ).toBe('ok');
});

test('root: nothing of the host’s root can be seen', async () => {
  await using runtime = new Runtime();
  const mounts = await runtime.sh('cut -d" " -f5 /proc/self/mountinfo; ls /');
  expect(mounts).not.toContain(runtime.folder);
  expect(mounts.split('\n').filter((line) => line === 'usr' || line === 'home')).toEqual([]);
});

describe('linux.rootfsPropagation', () => {
  testOursRoot.each([
    ['private', /^-$/],
    ['slave', /^(-|master:\d+)$/],
    ['shared', /^shared:\d+/],
    ['unbindable', /^unbindable$/],
  ] as const)('linux.rootfsPropagation: %s', async (propagation, shown) => {
    await using runtime = new Runtime();
    const said = await runtime.sh(`awk '$5 == "/" {print $7}' /proc/self/mountinfo`, (config) => {
      config.linux.rootfsPropagation = propagation;
    });
    expect(said.split('\n').at(-1)).toMatch(shown);
  });

  test('linux.rootfsPropagation: without it, no mount of the container’s comes out', async () => {
    await using runtime = new Runtime();
    const before = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length;
    const container = await runtime.pause();
    expect(readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length).toBe(before);
    await container.kill();
  });

  // As systemd has it, everything is shared; here so in a mount namespace of the call's own.
  testOursRoot.each([
    ['pivot_root', 'private', []],
    ['pivot_root', 'slave', []],
    ['pivot_root', 'shared', []],
    ['pivot_root', 'rshared', []],
    ['pivot_root', 'unbindable', []],
    ['--no-pivot', 'private', ['--no-pivot']],
    ['--no-pivot', 'rshared', ['--no-pivot']],
  ] as const)(
    'linux.rootfsPropagation: where the host’s mounts are shared, they stay (%s, %s)',
    async (_how, propagation, flags) => {
      prepareCalls(`exec unshare --mount --propagation shared sh -c '
        before=$(wc -l </proc/self/mountinfo)
        "$@" && echo $(($(wc -l </proc/self/mountinfo) - before))' sh "$@"`);
      try {
        await using runtime = new Runtime();
        const result = await runtime.run(
          (config) => {
            config.process.args = ['echo', 'in'];
            config.linux.rootfsPropagation = propagation as 'shared';
          },
          { flags },
        );
        expect(result.stdout).toBe('in\n0\n');
      } finally {
        resetCalls();
      }
    },
  );

  testOurs('linux.rootfsPropagation: an unknown one is refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.linux.rootfsPropagation = 'nonsense' as 'shared';
    });
    expect(result.code).not.toBe(0);
  });
});

test('hostname: of the container’s own', async () => {
  await using runtime = new Runtime();
  const before = readFileSync('/proc/sys/kernel/hostname', 'utf8');
  expect(
    await runtime.sh('hostname', (config) => {
      config.hostname = 'a-name.of.its.own';
    }),
  ).toBe('a-name.of.its.own');
  expect(readFileSync('/proc/sys/kernel/hostname', 'utf8')).toBe(before);
});

testOurs('domainname: of the container’s own', async () => {
  await using runtime = new Runtime();
  expect(
    await runtime.sh('cat /proc/sys/kernel/domainname', (config) => {
      config.domainname = 'domain.example';
    }),
  ).toBe('domain.example');
});

test('hostname: without a uts namespace it is refused', async () => {
  await using runtime = new Runtime();
  const before = readFileSync('/proc/sys/kernel/hostname', 'utf8');
  const result = await runtime.run((config) => {
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'uts');
  });
  expect(result.code).not.toBe(0);
  expect(readFileSync('/proc/sys/kernel/hostname', 'utf8')).toBe(before);
});

describe('linux.maskedPaths and linux.readonlyPaths', () => {
  test('linux.maskedPaths: a file is empty, a directory is empty and cannot be written', async () => {
    await using runtime = new Runtime();
    const script =
      'wc -c </etc/passwd; ls -A /work | wc -l; touch /work/x 2>/dev/null || echo refused; echo x 2>/dev/null >/etc/passwd; wc -c </etc/passwd';
    const bundle = runtime.bundle((config) => {
      config.process.args = ['sh', '-c', script];
      config.linux.maskedPaths = ['/etc/passwd', '/work', '/absent/place'];
    });
    writeFileSync(bundle.inside('work/secret'), 'secret');
    const { stdout } = await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
    expect(stdout).toBe('0\n0\nrefused\n0\n');
  });

  test('linux.maskedPaths: what is in /proc and /sys', async () => {
    await using runtime = new Runtime();
    expect(
      await runtime.sh('wc -c </proc/cpuinfo; ls -A /sys/kernel | wc -l', (config) => {
        config.linux.maskedPaths = ['/proc/cpuinfo', '/sys/kernel'];
      }),
    ).toBe('0\n0');
  });

  test('linux.readonlyPaths: a file, a directory, and what is in /proc', async () => {
    await using runtime = new Runtime();
    const script =
      'for f in /etc/passwd /work/x /proc/sys/kernel/hostname /dev/shm/x; do (echo x >$f) 2>/dev/null && echo ok || echo refused; done';
    expect(
      await runtime.sh(script, (config) => {
        config.linux.readonlyPaths = ['/etc/passwd', '/work', '/proc/sys', '/absent'];
      }),
    ).toBe('refused\nrefused\nrefused\nok');
  });

  test('linux.readonlyPaths: the rest of the mount stays as it is', async () => {
    await using runtime = new Runtime();
    expect(
      await runtime.sh(
        'touch /work/x 2>/dev/null || echo refused; touch /tmp/x && echo ok; cat /etc/passwd | wc -l',
        (config) => {
          config.linux.readonlyPaths = ['/work'];
        },
      ),
    ).toBe('refused\nok\n2');
  });

  testOurs('linux.maskedPaths: without a mount namespace they are refused', async () => {
    await using runtime = new Runtime();
    const before = readFileSync('/proc/self/mountinfo', 'utf8');
    const result = await runtime.run((config) => {
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'mount');
      config.mounts = [];
    });
    expect(result.code).not.toBe(0);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before);
  });
});

describe('linux.devices', () => {
  const list = (...paths: string[]): string => `for f in ${paths.join(' ')}; do /testinit stat $f; done`;

  test('linux.devices: the default ones are there and work', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(
      `${list('/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty')}; head -c 3 /dev/zero | xxd -p; echo x >/dev/null; (echo x >/dev/full) 2>/dev/null || echo full; head -c 4 /dev/urandom | wc -c`,
    );
    const lines = said.split('\n');
    const owner = isRoot ? '0:0' : '\\d+:\\d+';
    for (const [i, device] of ['1,3', '1,5', '1,7', '1,8', '1,9', '5,0'].entries())
      expect(lines[i]).toMatch(new RegExp(`^char 666 ${owner} ${device} `));
    expect(lines.slice(6)).toEqual(['000000', 'full', '4']);
  });

  test('linux.devices: the default links', async () => {
    await using runtime = new Runtime();
    const links = 'for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done';
    expect(await runtime.sh(links)).toBe(
      '/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx',
    );
  });

  testRoot('linux.devices: a character device, a block device and a pipe as given', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(list('/dev/my/null', '/dev/disk', '/dev/pipe', '/run/fuse'), (config) => {
      config.linux.devices = [
        { type: 'c', path: '/dev/my/null', major: 1, minor: 3, fileMode: 0o640, uid: 12, gid: 34 },
        { type: 'b', path: '/dev/disk', major: 7, minor: 200, fileMode: 0o660 },
        { type: 'p', path: '/dev/pipe', fileMode: 0o622 },
        { type: 'u', path: '/run/fuse', major: 10, minor: 229, fileMode: 0o666 },
      ];
    });
    const lines = said.split('\n').map((line) => line.split(' ').slice(0, 4).join(' '));
    expect(lines).toEqual([
      'char 640 12:34 1,3',
      'block 660 0:0 7,200',
      'other 622 0:0 0',
      'char 666 0:0 10,229',
    ]);
  });

  testRoot('linux.devices: the mode is as given, whatever the caller’s umask', async () => {
    await using runtime = new Runtime();
    const before = process.umask(0o077);
    try {
      const said = await runtime.sh(list('/dev/mine', '/dev/null'), (config) => {
        config.linux.devices = [{ type: 'c', path: '/dev/mine', major: 1, minor: 5, fileMode: 0o666 }];
      });
      expect(said.split('\n').map((line) => line.split(' ')[1])).toEqual(['666', '666']);
    } finally {
      process.umask(before);
    }
  });

  test('linux.devices: in a user namespace the host’s own nodes are bound', async () => {
    await using runtime = new Runtime();
    const said = await runtime
      .sh('echo x >/dev/null && head -c 2 /dev/mine | xxd -p', (config) => {
        if (isRoot) {
          config.linux.namespaces.push({ type: 'user' });
          config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
          config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
        }
        config.linux.devices = [{ type: 'c', path: '/dev/mine', major: 1, minor: 5, fileMode: 0o666 }];
      })
      .catch((error: Error) => error.message);
    // The bind takes what the host has at that very path: a device of another name is not there.
    expect(said).toMatch(/0000|\/dev\/mine/);
  });

  testRoot('linux.devices: one of the defaults may be given anew', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(list('/dev/zero', '/dev/null'), (config) => {
      config.linux.devices = [
        { type: 'c', path: '/dev/zero', major: 1, minor: 5, fileMode: 0o600, uid: 7, gid: 8 },
      ];
    });
    expect(said).toMatch(/^char 600 7:8 1,5/);
  });

  testOurs('linux.devices: a type that is none, or a relative path, is refused', async () => {
    await using runtime = new Runtime();
    for (const device of [
      { type: 'x' as 'c', path: '/dev/x', major: 1, minor: 3 },
      { type: 'c', path: 'dev/../../x', major: 1, minor: 3 } as const,
    ]) {
      const result = await runtime.run((config) => {
        config.linux.devices = [device];
      });
      expect(result.code).not.toBe(0);
    }
  });
});
