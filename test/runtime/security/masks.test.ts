import { readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { isRoot, isSlow } from '../../support/mode.js';
import { empower, Treasure, unmount } from '../support/attack.js';
import { type Bundle, Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';

const PATTERN = '/proc/sys/kernel/core_pattern';

/** What an image may have in the place of its null device. */
const NULLS: readonly (readonly [string, (bundle: Bundle) => void])[] = [
  ['a file', (bundle) => writeFileSync(bundle.inside('dev/null'), 'not null')],
  ['a link to a file', (bundle) => symlinkSync('/etc/passwd', bundle.inside('dev/null'))],
  ['a link into /proc', (bundle) => symlinkSync(PATTERN, bundle.inside('dev/null'))],
  ['a link to nowhere', (bundle) => symlinkSync('/nowhere', bundle.inside('dev/null'))],
];

describe('the null device', () => {
  testOurs.each(NULLS)(
    'masked files are the real null device where /dev/null of the image is %s',
    async (_name, prepare) => {
      await using runtime = new Runtime();
      const before = readFileSync(PATTERN, 'utf8');
      const result = await runtime.runPrepared(
        `/testinit stat /etc/group; wc -c </etc/group; echo evil >/etc/group; cat ${PATTERN}`,
        (bundle, config) => {
          unmount(config, '/dev');
          config.linux.maskedPaths = ['/etc/group'];
          prepare(bundle);
        },
      );
      expect(readFileSync(PATTERN, 'utf8')).toBe(before);
      // To refuse such an image is as good.
      if (result.code !== 0 && result.stdout === '') return;
      expect(result.stdout).toMatch(/^char 666 \d+:\d+ 1,3 \d+\n0\n/);
      expect(result.stdout).toContain(before);
    },
  );

  testOursRoot('masked files of /proc hold where /dev/null of the image is a link', async () => {
    await using runtime = new Runtime();
    const result = await runtime.runPrepared(
      `wc -c <${PATTERN}; (echo evil >${PATTERN}) 2>/dev/null; echo ran`,
      (bundle, config) => {
        unmount(config, '/dev');
        empower(config);
        symlinkSync('/proc/version', bundle.inside('dev/null'));
        config.linux.maskedPaths = [PATTERN];
        config.linux.readonlyPaths = [];
      },
    );
    if (result.code === 0) expect(result.stdout).toBe('0\nran\n');
    expect(readFileSync(PATTERN, 'utf8')).not.toContain('evil');
  });

  testOurs('standard streams are not replaced by what the image has at /dev/null', async () => {
    await using runtime = new Runtime();
    const treasure = new Treasure(runtime);
    const volume = `${runtime.folder}/volume`;
    await runtime.runPrepared('echo evil; echo evil >&0; readlink /proc/self/fd/0', (bundle, config) => {
      unmount(config, '/dev');
      if (isRoot) config.process.user = { uid: 1000, gid: 1000 };
      writeFileSync(volume, 'of the host', { mode: 0o600 });
      writeFileSync(bundle.inside('file'), '');
      config.mounts.push({ destination: '/file', type: 'bind', source: volume, options: ['bind'] });
      symlinkSync('/file', bundle.inside('dev/null'));
    });
    expect(readFileSync(volume, 'utf8')).toBe('of the host');
    expect(statSync(volume).uid).toBe(process.getuid?.());
    treasure.expectUntouched();
  });

  testRoot('masks hold while the image’s null device is swapped for a link', async () => {
    await using runtime = new Runtime();
    // The directory of devices is a volume that another container swaps names in.
    const racing = await runtime.start((config) => {
      config.process.args = [
        'sh',
        '-c',
        'cd /volume; mknod null c 1 3; chmod 666 null; ln -s /proc/version other; exec /testinit swap /volume/null /volume/other',
      ];
      empower(config);
      config.mounts.push({ destination: '/volume', type: 'tmpfs', source: 'tmpfs', options: ['dev'] });
    });
    await racing.says('ready');
    for (let round = 0; round < (isSlow ? 5 : 40); round++) {
      const result = await runtime.run((config) => {
        unmount(config, '/dev');
        config.mounts.push({
          destination: '/dev',
          type: 'bind',
          source: `/proc/${racing.pid}/root/volume`,
          options: ['bind'],
        });
        config.linux.maskedPaths = ['/etc/group'];
        config.linux.devices = [];
        config.process.args = ['/bin/busybox', 'wc', '-c', '/etc/group'];
      });
      if (result.code === 0) expect(result.stdout).toBe('0 /etc/group\n');
    }
  });
});

describe('masked and read-only paths', () => {
  test('a path that is a link of the image masks nothing outside the root', async () => {
    await using runtime = new Runtime();
    const treasure = new Treasure(runtime);
    await runtime.runPrepared('echo ran', (bundle, config) => {
      symlinkSync(treasure.path, bundle.inside('way'));
      config.linux.maskedPaths = ['/way', '/way/secret', `/../../../../../..${treasure.path}`];
      config.linux.readonlyPaths = ['/way/deep'];
    });
    treasure.expectUntouched();
  });

  testOurs('a path that is a link masks what it leads to in the root, or the start is refused', async () => {
    await using runtime = new Runtime();
    const result = await runtime.runPrepared(
      'cat /etc/group; touch /work/x 2>/dev/null || echo refused',
      (bundle, config) => {
        symlinkSync('/etc/group', bundle.inside('masked'));
        symlinkSync('/work', bundle.inside('fixed'));
        config.linux.maskedPaths = ['/masked'];
        config.linux.readonlyPaths = ['/fixed'];
      },
    );
    if (result.code === 0) expect(result.stdout).toBe('refused\n');
    else expect(result.stderr).not.toBe('');
  });

  testRoot('a mask holds over the view of cgroups, however its path is written', async () => {
    await using runtime = new Runtime();
    for (const path of ['/sys/fs/cgroup', '/sys//fs/cgroup', '/sys/kernel/../fs/./cgroup']) {
      const seen = await runtime.sh('ls /sys/fs/cgroup', (config) => {
        config.linux.maskedPaths = [path];
      });
      expect([path, seen]).toEqual([path, '']);
    }
  });

  test('a masked path cannot be unmounted or remounted by the container’s root', async () => {
    await using runtime = new Runtime();
    const script =
      'umount /etc/group 2>/dev/null; mount -o remount,rw /proc/sys 2>/dev/null; wc -c </etc/group; (echo x >/proc/sys/kernel/core_pattern) 2>/dev/null || echo refused';
    const result = await runtime.runPrepared(script, (_bundle, config) => {
      empower(config);
      config.linux.maskedPaths = ['/etc/group'];
    });
    expect(result.stdout).toBe('0\nrefused\n');
  });

  testOurs('/dev/pts of the image cannot lead the console to another file', async () => {
    await using runtime = new Runtime();
    const treasure = new Treasure(runtime);
    const result = await runtime.runPrepared(
      'stat -c %t:%T /dev/console 2>/dev/null; echo ran',
      (bundle, config) => {
        unmount(config, '/dev');
        config.process.terminal = false;
        rmSync(bundle.inside('dev/pts'), { recursive: true, force: true });
        symlinkSync(treasure.path, bundle.inside('dev/pts'));
        symlinkSync('/proc/sysrq-trigger', bundle.inside('dev/ptmx'));
      },
    );
    treasure.expectUntouched();
    if (result.code === 0) expect(result.stdout).toContain('ran');
  });
});
