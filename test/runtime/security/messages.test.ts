import { describe, expect } from 'vitest';
import { Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';

// What one part of a runtime tells another is as long as the configuration makes it: a length that overflows must not
// become other settings than those asked for.

describe('lengths', () => {
  // 2^16 and a little more: what a length of 16 bits would take for a few bytes.
  const LONG = [65_534, 65_536, 65_540, 131_080, 1_000_000];

  test.each(LONG)('a path of a namespace of %i bytes is refused', async (length) => {
    await using runtime = new Runtime();
    for (const type of ['network', 'uts', 'pid'] as const) {
      const result = await runtime.run((config) => {
        config.process.args = ['echo', 'ran'];
        config.linux.namespaces = config.linux.namespaces.filter((one) => one.type !== type);
        config.linux.namespaces.push({ type, path: `/${'n'.repeat(length)}` });
      });
      expect([result.code === 0, result.stdout]).toEqual([false, '']);
    }
  });

  testRoot.each([341, 6000])('%i mappings of ids are refused, and no part of them is used', async (count) => {
    await using runtime = new Runtime();
    const mappings = Array.from({ length: count }, (_, i) => ({
      containerID: i,
      hostID: i,
      size: 1,
    }));
    const result = await runtime.run((config) => {
      config.process.args = ['cat', '/proc/self/uid_map'];
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = mappings;
      config.linux.gidMappings = mappings;
    });
    expect([result.code === 0, result.stdout]).toEqual([false, '']);
  });

  testOursRoot('340 mappings of ids, as many as the kernel takes, are set', async () => {
    await using runtime = new Runtime();
    const mappings = Array.from({ length: 340 }, (_, i) => ({
      containerID: i,
      hostID: i,
      size: 1,
    }));
    const said = await runtime.sh('wc -l </proc/self/uid_map', (config) => {
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = mappings;
      config.linux.gidMappings = mappings;
    });
    expect(said).toBe('340');
  });

  testOursRoot('65,537 groups are refused, 60,000 are set', async () => {
    await using runtime = new Runtime();
    const groups = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
    const tooMany = await runtime.run((config) => {
      config.process.args = ['echo', 'ran'];
      config.process.user = { uid: 0, gid: 0, additionalGids: groups(65_537) };
    });
    expect([tooMany.code === 0, tooMany.stdout]).toEqual([false, '']);
    const said = await runtime.sh("sed -n 's/^Groups:\\t//p' /proc/self/status | wc -w", (config) => {
      config.process.user = { uid: 0, gid: 0, additionalGids: groups(60_000) };
    });
    expect(said).toBe('60000');
  });

  test('a variable of 100,000 bytes and 2,000 arguments arrive whole', async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.process.args = [
        'sh',
        '-c',
        'echo $(printf %s "$LONG" | wc -c) $#',
        'sh',
        ...Array.from({ length: 2000 }, (_, i) => `${i}`),
      ];
      config.process.env = ['PATH=/bin', `LONG=${'x'.repeat(100_000)}`];
    });
    expect(result.stdout).toBe('100000 2000\n');
  });

  testOurs('a text with a NUL in it is refused', async () => {
    await using runtime = new Runtime();
    const patches: Parameters<Runtime['run']>[0][] = [
      (config) => {
        config.process.args = ['echo', 'ran\0'];
      },
      (config) => {
        config.process.env = ['A=1\0B=2'];
      },
      (config) => {
        config.process.cwd = '/\0etc';
      },
      (config) => {
        config.mounts.push({ destination: '/x\0/y', type: 'tmpfs', source: 'tmpfs' });
      },
      (config) => {
        config.hostname = 'a\0b';
      },
    ];
    for (const patch of patches) {
      const result = await runtime.run(patch);
      expect(result.code).not.toBe(0);
      expect(result.stdout).toBe('');
    }
  });
});
