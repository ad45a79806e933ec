import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';

const outside = (name: string): string =>
  readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim();

testRoot.each([
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv4.ip_local_port_range', '2000\t3000'],
  ['kernel.shmmax', '65536000'],
  ['kernel.msgmax', '4096'],
  ['kernel.sem', '100\t32000\t50\t64'],
  ['fs.mqueue.msg_max', '77'],
] as const)('linux.sysctl: %s, which a namespace has, is set inside and not outside', async (name, value) => {
  await using runtime = new Runtime();
  const before = outside(name);
  expect(
    await runtime.sh(`cat /proc/sys/${name.replaceAll('.', '/')}`, (config) => {
      config.linux.sysctl = { [name]: value.replaceAll('\t', ' ') };
    }),
  ).toBe(value);
  expect(outside(name)).toBe(before);
});

testOurs('linux.sysctl: a name may be written with slashes', async () => {
  await using runtime = new Runtime();
  expect(
    await runtime.sh('cat /proc/sys/fs/mqueue/msg_max', (config) => {
      config.linux.sysctl = { 'fs/mqueue/msg_max': '78' };
    }),
  ).toBe('78');
});

test.each([
  'kernel.core_pattern',
  'kernel.panic',
  'vm.swappiness',
  'fs.file-max',
  'kernel.modprobe',
  'kernel.randomize_va_space',
])('linux.sysctl: %s, which belongs to the host, is refused', async (name) => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.linux.sysctl = { [name]: '0' };
  });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toContain(name);
});

testRoot('linux.sysctl: one of a namespace that is not the container’s own is refused', async () => {
  await using runtime = new Runtime();
  const before = outside('net.ipv4.ip_forward');
  const network = await runtime.run((config) => {
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'network');
    config.linux.sysctl = { 'net.ipv4.ip_forward': before };
  });
  expect(network.code).not.toBe(0);
  const ipc = await runtime.run((config) => {
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'ipc');
    config.mounts = config.mounts.filter(({ type }) => type !== 'mqueue');
    config.linux.sysctl = { 'kernel.shmmax': '65536000' };
  });
  expect(ipc.code).not.toBe(0);
});

testOursRoot('linux.sysctl: kernel.domainname is set in a uts namespace of the container’s own', async () => {
  await using runtime = new Runtime();
  expect(
    await runtime.sh('cat /proc/sys/kernel/domainname', (config) => {
      config.linux.sysctl = { 'kernel.domainname': 'some.example' };
    }),
  ).toBe('some.example');
});

test('linux.sysctl: kernel.hostname is refused, as the field hostname is for that', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.linux.sysctl = { 'kernel.hostname': 'other' };
  });
  expect(result.code).not.toBe(0);
});

test('linux.sysctl: a value that the kernel refuses stops the start', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.linux.sysctl = isRoot
      ? { 'net.ipv4.ip_forward': 'nonsense' }
      : { 'fs.mqueue.msg_max': 'nonsense' };
  });
  expect(result.code).not.toBe(0);
  expect(result.stdout).toBe('');
});
