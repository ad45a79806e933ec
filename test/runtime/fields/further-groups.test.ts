import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test as plain } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { type Container, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

const HIERARCHIES = '/sys/fs/cgroup';
const hasVersion1 = ['freezer', 'cpuset', 'cpu', 'blkio'].every((name) =>
  existsSync(`${HIERARCHIES}/${name}`),
);
const test = plain.skipIf(!isOurs || !isRoot || !hasVersion1);

/** The controllers in whose hierarchies a process is in this group. */
function controllersOf(container: Container, pid = container.pid): string[] {
  const path = container.bundle.config.linux.cgroupsPath ?? '';
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([, , own]) => own === path)
    .flatMap(([, names = '']) => names.split(','));
}

test('linux.cgroupsPath in version 1: groups are made where they limit, count, or are spoken of', async () => {
  await using runtime = new Runtime();
  const silent = await runtime.pause((config) => {
    config.linux.resources = {};
  });
  expect(controllersOf(silent).sort()).toEqual(['cpuacct', 'devices', 'memory', 'pids']);
  const spoken = await runtime.pause((config) => {
    config.linux.resources = { cpu: {}, blockIO: {} };
  });
  expect(controllersOf(spoken)).toEqual(expect.arrayContaining(['cpu', 'blkio', 'memory', 'devices']));
  expect(controllersOf(spoken)).not.toContain('freezer');
});

test('mounts of type cgroup in version 1: shows no hierarchy where the container has no group', async () => {
  await using runtime = new Runtime();
  const seen = await runtime.sh('ls /sys/fs/cgroup; ls /sys/fs/cgroup/memory/tasks');
  expect(seen.split('\n')).toEqual(
    expect.arrayContaining(['memory', 'devices', '/sys/fs/cgroup/memory/tasks']),
  );
  // Those without a controller are the host's too: systemd's, and version 2 beside version 1.
  for (const name of ['freezer', 'systemd', 'unified']) expect(seen.split('\n')).not.toContain(name);
});

test('linux.cgroupsPath in version 1: a group that somebody has prepared is used, and one above it too', async () => {
  await using runtime = new Runtime();
  const prepared = `${HIERARCHIES}/cpuset${runtime.groupPath('own')}`;
  const above = `${HIERARCHIES}/freezer${runtime.groupPath('above')}`;
  mkdirSync(prepared);
  for (const file of ['cpuset.cpus', 'cpuset.mems'])
    writeFileSync(`${prepared}/${file}`, readFileSync(`${HIERARCHIES}/cpuset/${file}`, 'utf8'));
  mkdirSync(above);
  const first = await runtime.pause((config) => {
    config.linux.cgroupsPath = runtime.groupPath('own');
  });
  const second = await runtime.pause((config) => {
    config.linux.cgroupsPath = `${runtime.groupPath('above')}/inner`;
  });
  expect(controllersOf(first)).toContain('cpuset');
  expect(controllersOf(second)).toContain('freezer');
  expect(controllersOf(second)).not.toContain('cpuset');
  await second.delete('--force');
  for (const controller of ['freezer', 'memory', 'cpuacct', 'pids', 'devices'])
    rmdirSync(`${HIERARCHIES}/${controller}${runtime.groupPath('above')}`);
});

test('pause: where the container had no group to freeze it gets one, with all of its processes', async () => {
  await using runtime = new Runtime();
  const container = await runtime.start((config) => {
    config.process.args = ['sh', '-c', 'sleep 1000 & sleep 1001 & wait'];
  });
  await runtime.ok(['exec', '--detach', container.id, 'sleep', '1002']);
  expect(controllersOf(container)).not.toContain('freezer');
  await runtime.ok(['pause', container.id]);
  expect(await container.status()).toBe('paused');
  const inside = container.groupFile('memory', 'cgroup.procs').split('\n');
  expect(inside.length).toBe(4);
  for (const pid of inside) expect(controllersOf(container, Number(pid))).toContain('freezer');
  await runtime.ok(['resume', container.id]);
  expect(await container.status()).toBe('running');
  // And what comes later is in it too.
  await runtime.ok(['exec', '--detach', container.id, 'sleep', '1003']);
  expect(container.groupFile('freezer', 'cgroup.procs').split('\n').length).toBe(5);
  await container.delete('--force');
  expect(existsSync(container.groupFolder('freezer'))).toBe(false);
});

test('update: a limit of another hierarchy makes the group there', async () => {
  await using runtime = new Runtime();
  const container = await runtime.pause();
  expect(controllersOf(container)).not.toContain('cpuset');
  await runtime.ok(['update', '--cpuset-cpus', '0', '--cpu-share', '512', container.id]);
  expect(container.groupFile('cpuset', 'cpuset.cpus')).toBe('0');
  expect(container.groupFile('cpu', 'cpu.shares')).toBe('512');
  expect(controllersOf(container)).toEqual(expect.arrayContaining(['cpu', 'cpuset']));
  await container.delete('--force');
  expect(existsSync(container.groupFolder('cpuset'))).toBe(false);
});

test('update: a program that is executed meanwhile comes into the new groups too', async () => {
  await using runtime = new Runtime();
  for (let round = 0; round < 2; round++) {
    const container = await runtime.pause();
    const execs = [1, 2, 3].map(() => runtime.ok(['exec', '--detach', container.id, 'sleep', '1000']));
    await delay(round % 5);
    await runtime.ok(['update', '--cpuset-cpus', '0', container.id]);
    await Promise.all(execs);
    const inside = (controller: string) => container.groupFile(controller, 'cgroup.procs').split('\n').sort();
    expect(inside('cpuset')).toEqual(inside('pids'));
    await container.delete('--force');
  }
});
