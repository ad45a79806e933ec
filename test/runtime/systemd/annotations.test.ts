import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import {
  fileOf,
  groupOf,
  isLoaded,
  needSystemd,
  SystemdRuntime,
  show,
  withLimits,
} from '../support/systemd.js';
import { testOurs as test } from '../support/test.js';

test('annotation org.systemd.property.*: the scope has them, and they win over ours', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope((config) => {
    config.annotations = {
      'org.systemd.property.Description': "'of a test'",
      'org.systemd.property.TimeoutStopUSec': 'uint64 7000000',
      'org.systemd.property.CollectMode': "'inactive-or-failed'",
      'org.systemd.property.Documentation': "['man:sh(1)', 'man:sleep(1)']",
      'org.systemd.property.SendSIGHUP': 'true',
    };
  });
  const names = ['Description', 'TimeoutStopUSec', 'CollectMode', 'Documentation', 'SendSIGHUP'];
  expect(show(container.unit, ...names)).toEqual({
    Description: 'of a test',
    TimeoutStopUSec: '7s',
    CollectMode: 'inactive-or-failed',
    Documentation: expect.stringMatching(/man:sh\(1\).* .*man:sleep\(1\)/),
    SendSIGHUP: 'yes',
  });
});

test('annotation org.systemd.property.*: a duration in seconds becomes one in microseconds', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope((config) => {
    config.annotations = { 'org.systemd.property.TimeoutStopSec': '9' };
  });
  expect(show(container.unit, 'TimeoutStopUSec')).toEqual({ TimeoutStopUSec: '9s' });
});

test('annotation org.systemd.property.*: what systemd does not know or want is an error', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const wrong = {
    Nonsense: "'x'",
    TimeoutStopUSec: "'soon'",
    Description: 'no quotes',
    CollectMode: "'never'",
  };
  for (const [name, value] of Object.entries(wrong)) {
    const result = await runtime.runScope((config) => {
      config.annotations = { [`org.systemd.property.${name}`]: value };
    });
    expect([name, result.code]).toEqual([name, 1]);
    expect(result.stderr).not.toBe('');
    expect([runtime.states(), runtime.units()]).toEqual([[], []]);
  }
});

test('annotation run.oci.systemd.subgroup: the program is one group below the scope', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope((config) => {
    config.annotations = { 'run.oci.systemd.subgroup': 'inner' };
    withLimits({ pids: { limit: 77 } })(config);
  });
  const folder = groupOf(container.pid);
  expect(folder.endsWith(`/${container.unit}/inner`)).toBe(true);
  expect([fileOf(container, 'pids.max'), show(container.unit, 'TasksMax').TasksMax]).toEqual(['77', '77']);
  expect(await container.sh('cat /proc/self/cgroup')).toContain(`/${container.unit}/inner`);
  await runtime.ok(['update', '--pids-limit', '66', container.id]);
  expect([fileOf(container, 'pids.max'), show(container.unit, 'TasksMax').TasksMax]).toEqual(['66', '66']);
  await container.kill();
  await container.ended();
  await container.delete();
  expect([existsSync(folder), isLoaded(container.unit)]).toEqual([false, false]);
});

test('annotation run.oci.delegate-cgroup: a group of its own below the scope', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope((config) => {
    config.linux.namespaces.push({ type: 'cgroup' });
    config.annotations = { 'run.oci.delegate-cgroup': 'inner' };
  });
  expect(groupOf(container.pid).endsWith(`/${container.unit}/inner`)).toBe(true);
  expect((await container.exec(['true'])).code).toBe(0);
});
