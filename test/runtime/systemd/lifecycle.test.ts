import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import {
  DEFAULT_SLICE,
  groupOf,
  isLoaded,
  needSystemd,
  SystemdRuntime,
  show,
  systemctl,
} from '../support/systemd.js';
import { testOurs as test } from '../support/test.js';

test('--systemd-cgroup: create makes a scope with its properties, and delete removes it', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const { path, unit } = runtime.name();
  const container = await runtime.create((config) => {
    config.process.args = ['sleep', '1000'];
    config.linux.cgroupsPath = path;
  });
  const names = ['ActiveState', 'SubState', 'Transient', 'Slice', 'Delegate', 'Description', 'ControlGroup'];
  const { ControlGroup, ...properties } = show(unit, ...names, 'MemoryAccounting', 'TasksAccounting');
  expect(properties).toEqual({
    ActiveState: 'active',
    SubState: 'running',
    Transient: 'yes',
    Slice: DEFAULT_SLICE,
    Delegate: 'yes',
    Description: `nsbox container ${container.id}`,
    MemoryAccounting: 'yes',
    TasksAccounting: 'yes',
  });
  const folder = groupOf(container.pid);
  expect(folder).toBe(`/sys/fs/cgroup${ControlGroup}`);
  expect(folder.endsWith(`/${DEFAULT_SLICE}/${unit}`)).toBe(true);
  await container.start();
  expect(await container.status()).toBe('running');
  expect(groupOf(container.pid)).toBe(folder);
  await container.kill();
  await container.ended();
  await container.delete();
  expect([isLoaded(unit), existsSync(folder)]).toEqual([false, false]);
});

test('--systemd-cgroup: exec is in the same group', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope();
  const pidFile = `${container.bundle.path}/exec.pid`;
  const result = await container.exec(['sleep', '1000'], ['--detach', '--pid-file', pidFile]);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(groupOf(Number(readFileSync(pidFile, 'utf8')))).toBe(groupOf(container.pid));
});

test('--systemd-cgroup: run removes its scope at the end', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const { path, unit } = runtime.name();
  const result = await runtime.run((config) => {
    config.process.args = ['cat', '/proc/self/cgroup'];
    config.linux.cgroupsPath = path;
  });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.stdout).toContain(`/${DEFAULT_SLICE}/${unit}`);
  expect(isLoaded(unit)).toBe(false);
});

test('--cgroup-manager systemd: without a slice, and without a path at all', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const { path, unit } = runtime.name('');
  for (const cgroupsPath of [path, undefined]) {
    const container = await runtime.pause((config) => {
      if (cgroupsPath === undefined) delete config.linux.cgroupsPath;
      else config.linux.cgroupsPath = cgroupsPath;
    });
    const expected = cgroupsPath === undefined ? `nsbox-${container.id}.scope` : unit;
    expect(groupOf(container.pid).endsWith(`/${DEFAULT_SLICE}/${expected}`)).toBe(true);
    await container.delete('--force');
    expect(isLoaded(expected)).toBe(false);
  }
});

test('--systemd-cgroup: in a slice of its own, one below the other', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const slice = `nsboxtester-${process.pid}.slice`;
  const { path, unit } = runtime.name(slice);
  try {
    const container = await runtime.pause((config) => {
      config.linux.cgroupsPath = path;
    });
    expect(groupOf(container.pid).endsWith(`/nsboxtester.slice/${slice}/${unit}`)).toBe(true);
    await container.delete('--force');
    expect(isLoaded(unit)).toBe(false);
  } finally {
    // systemd makes slices as they are named, and keeps them.
    systemctl('stop', slice, 'nsboxtester.slice');
  }
});

test('--systemd-cgroup: a unit of that name is refused, and stays as it is', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope();
  const result = await runtime.run((config) => {
    config.linux.cgroupsPath = container.bundle.config.linux.cgroupsPath ?? '';
  });
  expect(result.code).toBe(1);
  expect(result.stderr).toContain(container.unit);
  expect(runtime.states()).toEqual([container.id]);
  expect(await container.status()).toBe('running');
  expect(groupOf(container.pid).endsWith(container.unit)).toBe(true);
});

test('--systemd-cgroup: a path that is none of systemd’s is refused', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  for (const cgroupsPath of [
    '/plain/path',
    'two:parts',
    'a.slice:b:',
    'no-slice:a:b',
    'a--b.slice:c:d',
    'a.slice:b/c:d',
  ]) {
    const result = await runtime.run((config) => {
      config.linux.cgroupsPath = cgroupsPath;
    });
    expect([cgroupsPath, result.code]).toEqual([cgroupsPath, 1]);
    expect(result.stderr).toMatch(/systemd|slice/);
    expect(runtime.states()).toEqual([]);
  }
});

test('--systemd-cgroup: pause, resume, ps, kill --all', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope((config) => {
    config.process.args = ['sh', '-c', 'sleep 1000 & sleep 1000'];
  });
  await runtime.ok(['pause', container.id]);
  expect(readFileSync(`${groupOf(container.pid)}/cgroup.events`, 'utf8')).toContain('frozen 1');
  expect(await container.status()).toBe('paused');
  await runtime.ok(['resume', container.id]);
  expect(readFileSync(`${groupOf(container.pid)}/cgroup.events`, 'utf8')).toContain('frozen 0');
  const { stdout } = await runtime.ok(['ps', '--format', 'json', container.id]);
  expect(JSON.parse(stdout)).toContain(container.pid);
  await runtime.ok(['kill', '--all', container.id, 'KILL']);
  await container.ended();
  await container.delete();
  expect(isLoaded(container.unit)).toBe(false);
});

test('--systemd-cgroup: delete --force ends a paused container and its scope', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope();
  await runtime.ok(['pause', container.id]);
  await container.delete('--force');
  expect([container.isAlive(), isLoaded(container.unit)]).toEqual([false, false]);
});

test('--systemd-cgroup: a scope that systemd has stopped is a stopped container', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope();
  systemctl('kill', '--signal=KILL', container.unit);
  await container.ended();
  expect(await container.status()).toBe('stopped');
  await container.delete();
  expect(isLoaded(container.unit)).toBe(false);
});

test('--systemd-cgroup: a scope that has failed is cleared away', async (context) => {
  needSystemd(context);
  await using runtime = new SystemdRuntime();
  const container = await runtime.scope((config) => {
    // The first process of its pid namespace has nothing to do with SIGTERM.
    config.annotations = {
      'org.systemd.property.RuntimeMaxUSec': 'uint64 1000000',
      'org.systemd.property.TimeoutStopUSec': 'uint64 500000',
    };
  });
  await container.ended(60_000);
  await eventually(
    () => show(container.unit, 'ActiveState').ActiveState,
    (state) => state === 'failed',
    20_000,
  );
  await container.delete();
  expect(isLoaded(container.unit)).toBe(false);
});

test('--systemd-cgroup: without a bus, the error says so and nothing is left', async (context) => {
  needSystemd(context);
  // The way of the system's manager is fixed.
  if (isRoot) return;
  await using runtime = new SystemdRuntime();
  const bundle = runtime.bundle();
  const result = await runtime.call(['run', '--bundle', bundle.path, runtime.id()], {
    env: { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus', XDG_RUNTIME_DIR: '/nonexistent' },
  });
  // /run/user has it still.
  if (result.code !== 0) expect(result.stderr).toMatch(/systemd|bus/);
  expect(runtime.states()).toEqual([]);
});
