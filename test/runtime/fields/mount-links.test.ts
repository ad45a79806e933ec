import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { bind, source } from '../support/mounts.js';
import { Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';

// Mounts whose source or destination is a link, and mounts with ids of their own.

/** A directory outside with a file and two links in it. */
function linked(runtime: Runtime): string {
  const path = source(runtime);
  symlinkSync('file', `${path}/link`);
  symlinkSync('/nowhere', `${path}/dangling`);
  return path;
}

describe('links', () => {
  test('mounts: without further options a source that is a link is followed', async () => {
    await using runtime = new Runtime();
    const from = linked(runtime);
    expect(
      await runtime.sh('cat /mnt/name; test -L /mnt/name || echo file', (config) => {
        config.mounts.push(bind(`${from}/link`, '/mnt/name'));
      }),
    ).toBe('from outside\nfile');
  });

  testOurs('mounts option copy-symlink: a source that is a link is copied as one', async () => {
    await using runtime = new Runtime();
    const from = linked(runtime);
    const result = await runtime.runPrepared('readlink /mnt/one; readlink /mnt/two', (_bundle, config) => {
      config.mounts.push(bind(`${from}/link`, '/mnt/one', 'copy-symlink'));
      config.mounts.push(bind(`${from}/dangling`, '/mnt/two', 'copy-symlink'));
    });
    expect(result.stdout).toBe('file\n/nowhere\n');
  });

  testOurs('mounts option copy-symlink: what is no link is bound', async () => {
    await using runtime = new Runtime();
    const from = linked(runtime);
    expect(
      await runtime.sh('cat /mnt/file', (config) => {
        config.mounts.push(bind(from, '/mnt', 'copy-symlink'));
      }),
    ).toBe('from outside');
  });

  testOurs('mounts option copy-symlink: another link that is already there is refused', async () => {
    await using runtime = new Runtime();
    const from = linked(runtime);
    const result = await runtime.runPrepared('readlink /name', (bundle, config) => {
      symlinkSync('elsewhere', bundle.inside('name'));
      config.mounts.push(bind(`${from}/link`, '/name', 'copy-symlink'));
    });
    if (result.code === 0) expect(result.stdout.trim()).toBe('file');
    else expect(result.stderr).toContain('/name');
  });

  testOursRoot('mounts option src-nofollow: a source that is a link is bound itself', async () => {
    await using runtime = new Runtime();
    const from = linked(runtime);
    const result = await runtime.runPrepared('readlink /name', (bundle, config) => {
      symlinkSync('elsewhere', bundle.inside('name'));
      config.mounts.push(bind(`${from}/link`, '/name', 'src-nofollow', 'dest-nofollow'));
    });
    expect(result.stderr).toBe('');
    expect(result.stdout.trim()).toBe('file');
  });

  testOurs(
    'mounts option dest-nofollow: a destination that is a link is mounted over, not followed',
    async () => {
      await using runtime = new Runtime();
      const from = linked(runtime);
      const result = await runtime.runPrepared('cat /etc/passwd | head -1', (bundle, config) => {
        symlinkSync('etc/passwd', bundle.inside('name'));
        config.mounts.push(bind(`${from}/file`, '/name', 'dest-nofollow'));
      });
      // The file below must be untouched; whether a file may stand on a link is the kernel's to say.
      if (result.code === 0) expect(result.stdout).toMatch(/^root:/);
      else expect(result.stderr).toContain('/name');
    },
  );
});

describe('ids', () => {
  const shifted = [{ containerID: 0, hostID: 100000, size: 65536 }];

  testOursRoot('mounts option idmap: with mappings of its own the mount’s owners are others', async () => {
    await using runtime = new Runtime();
    const from = source(runtime);
    expect(
      await runtime.sh('stat -c %u:%g /mnt/file; touch /mnt/made', (config) => {
        config.mounts.push({
          ...bind(from, '/mnt', 'idmap'),
          uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
          gidMappings: [{ containerID: 0, hostID: 2000, size: 1 }],
        });
        config.process.user = { uid: 1000, gid: 2000 };
      }),
    ).toBe('1000:2000');
  });

  testOursRoot('mounts option idmap: without mappings those of the user namespace are used', async () => {
    await using runtime = new Runtime();
    const from = source(runtime);
    expect(
      await runtime.sh('stat -c %u:%g /work/file; echo new >/work/made', (config) => {
        config.linux.namespaces.push({ type: 'user' });
        config.linux.uidMappings = [...shifted];
        config.linux.gidMappings = [...shifted];
        config.mounts.push(bind(from, '/work', 'idmap'));
      }),
    ).toBe('0:0');
    expect(readFileSync(`${from}/made`, 'utf8')).toBe('new\n');
  });

  testOursRoot('mounts: mappings without an option map the mount as idmap does', async () => {
    await using runtime = new Runtime();
    const from = source(runtime);
    expect(
      await runtime.sh('stat -c %u:%g /mnt/file', (config) => {
        config.mounts.push({
          ...bind(from, '/mnt'),
          uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
          gidMappings: [{ containerID: 0, hostID: 2000, size: 1 }],
        });
      }),
    ).toBe('1000:2000');
  });

  testOursRoot('mounts option ridmap: of the mount and of all below it', async () => {
    await using runtime = new Runtime();
    const result = await runtime.runPrepared('stat -c %u /mnt /mnt/below', (_bundle, config) => {
      const from = source(runtime);
      mkdirSync(`${from}/below`);
      config.mounts.push({
        ...bind(from, '/mnt'),
        options: ['rbind', 'ridmap'],
        uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
        gidMappings: [{ containerID: 0, hostID: 2000, size: 1 }],
      });
    });
    expect(result.stderr).toBe('');
    expect(result.stdout).toBe('1000\n1000\n');
  });

  testOursRoot(
    'mounts option idmap: without mappings and without a user namespace it is refused',
    async () => {
      await using runtime = new Runtime();
      const from = source(runtime);
      const result = await runtime.run((config) => {
        config.mounts.push(bind(from, '/mnt', 'idmap'));
      });
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/map/i);
    },
  );

  testOursRoot('mounts option idmap: of what the kernel cannot map it is refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.mounts.push({
        ...bind('/proc', '/mnt', 'idmap'),
        uidMappings: [...shifted],
        gidMappings: [...shifted],
      });
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('/mnt');
  });
});

describe('cgroup', () => {
  const view = 'ls /sys/fs/cgroup; touch /sys/fs/cgroup/x 2>/dev/null || echo refused';

  testRoot('mounts of type cgroup: it shows the controllers of the host’s version, read-only', async () => {
    await using runtime = new Runtime();
    const said = (await runtime.sh(view)).split('\n');
    const outside = readFileSync('/proc/self/mountinfo', 'utf8');
    if (/ - cgroup /.test(outside)) expect(said).toEqual(expect.arrayContaining(['memory', 'devices']));
    else expect(said).toContain('cgroup.procs');
    expect(said.at(-1)).toBe('refused');
  });

  testRoot('mounts of type cgroup: it shows the container’s own group and none above it', async () => {
    await using runtime = new Runtime();
    const container = await runtime.pause();
    const folder = (
      await container.sh('test -d /sys/fs/cgroup/memory && echo /sys/fs/cgroup/memory || echo /sys/fs/cgroup')
    ).trim();
    expect((await container.sh(`cat ${folder}/cgroup.procs`)).split('\n')).toContain('1');
    const names = (await container.sh(`ls ${folder}`)).split('\n');
    expect(names.filter((name) => name.startsWith('nsbox'))).toEqual([]);
  });

  testRoot('mounts of type cgroup: with a cgroup namespace too', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh(
      'cat /proc/self/cgroup; cat /sys/fs/cgroup/memory/cgroup.procs /sys/fs/cgroup/cgroup.procs 2>/dev/null; true',
      (config) => {
        config.linux.namespaces.push({ type: 'cgroup' });
      },
    );
    const lines = said.split('\n');
    expect(lines.filter((line) => line.includes(':')).every((line) => line.endsWith(':/'))).toBe(true);
    expect(lines).toContain('1');
  });

  testRoot('mounts of type cgroup: with the option rw, the container’s own group is writable', async () => {
    await using runtime = new Runtime();
    const script =
      'mkdir /sys/fs/cgroup/memory/own && rmdir /sys/fs/cgroup/memory/own && echo ok || (mkdir /sys/fs/cgroup/own && rmdir /sys/fs/cgroup/own && echo ok)';
    expect(
      await runtime.sh(script, (config) => {
        config.linux.namespaces.push({ type: 'cgroup' });
        for (const mount of config.mounts)
          if (mount.type === 'cgroup') mount.options = ['rw', 'nosuid', 'noexec', 'nodev'];
      }),
    ).toBe('ok');
  });

  testOursRoot('mounts of type cgroup2: it is the one hierarchy of version 2', async () => {
    await using runtime = new Runtime();
    const said = await runtime.sh('stat -f -c %t /mnt; ls /mnt', (config) => {
      config.mounts.push({ destination: '/mnt', type: 'cgroup2', source: 'cgroup2', options: ['ro'] });
    });
    expect(said.split('\n')).toEqual(expect.arrayContaining(['63677270', 'cgroup.procs']));
  });
});
