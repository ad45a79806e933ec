import { expect, test } from 'vitest';
import { checkConfig } from '../../../../lib/spec/runtime/config.js';
import { check } from '../../../../lib/spec/validate.js';

function issuesOf(config: object): readonly string[] {
  const checked = check(checkConfig, { ociVersion: '1.3.0', root: { path: 'rootfs' }, ...config });
  return checked.ok ? [] : checked.issues.map(({ path, message }) => `${path}: ${message}`);
}

const mappings = [{ containerID: 0, hostID: 1000, size: 10 }];
const process = (user: object) => ({ cwd: '/', args: ['sh'], user: { uid: 0, gid: 0, ...user } });

test.each<[object, string]>([
  [{ hostname: 'box' }, 'hostname: needs a uts namespace'],
  [{ domainname: 'box', linux: {} }, 'domainname: needs a uts namespace'],
  [{ linux: { uidMappings: mappings } }, 'linux.uidMappings: needs a user namespace'],
  [{ linux: { gidMappings: mappings } }, 'linux.gidMappings: needs a user namespace'],
  [{ linux: { timeOffsets: { boottime: { secs: 1 } } } }, 'linux.timeOffsets: needs a new time namespace'],
  [
    {
      linux: {
        timeOffsets: { boottime: { secs: 1 } },
        namespaces: [{ type: 'time', path: '/proc/1/ns/time' }],
      },
    },
    'linux.timeOffsets: needs a new time namespace',
  ],
  [
    { linux: { sysctl: { 'net.ipv4.ip_forward': '1' } } },
    'linux.sysctl["net.ipv4.ip_forward"]: needs a network namespace',
  ],
  [
    { linux: { sysctl: { 'net/core/somaxconn': '1' } } },
    'linux.sysctl["net/core/somaxconn"]: needs a network namespace',
  ],
  [{ linux: { sysctl: { 'kernel.shmmax': '1' } } }, 'linux.sysctl["kernel.shmmax"]: needs an ipc namespace'],
  [
    { linux: { sysctl: { 'fs.mqueue.msg_max': '1' } } },
    'linux.sysctl["fs.mqueue.msg_max"]: needs an ipc namespace',
  ],
  [
    { linux: { sysctl: { 'kernel.core_pattern': '|/x' } } },
    'linux.sysctl["kernel.core_pattern"]: belongs to no namespace and would change the host',
  ],
  [
    { linux: { namespaces: [{ type: 'uts' }], sysctl: { 'kernel/hostname': 'b' } } },
    'linux.sysctl["kernel/hostname"]: conflicts with the field hostname; use that',
  ],
  [
    { domainname: 'a', linux: { namespaces: [{ type: 'uts' }], sysctl: { 'kernel.domainname': 'b' } } },
    'linux.sysctl["kernel.domainname"]: says the same as domainname; keep one',
  ],
  [{ linux: { maskedPaths: ['/proc/kcore'] } }, 'linux.maskedPaths: needs a mount namespace'],
  [{ linux: { readonlyPaths: ['/proc/sys'] } }, 'linux.readonlyPaths: needs a mount namespace'],
  [{ linux: { netDevices: { eth0: {} } } }, 'linux.netDevices: needs a network namespace'],
  [
    {
      process: process({ uid: 10 }),
      linux: { namespaces: [{ type: 'user' }], uidMappings: mappings, gidMappings: mappings },
    },
    'process.user.uid: is not mapped into the user namespace',
  ],
  [
    {
      process: process({ additionalGids: [1, 20] }),
      linux: { namespaces: [{ type: 'user' }], uidMappings: mappings, gidMappings: mappings },
    },
    'process.user.additionalGids[1]: is not mapped into the user namespace',
  ],
  [
    { mounts: [{ destination: '/a', uidMappings: mappings }] },
    'mounts[0]: uidMappings and gidMappings come together or not at all',
  ],
  [
    { mounts: [{ destination: '/a', options: ['bind', 'idmap'] }] },
    'mounts[0].options: an idmapped mount needs mappings, its own or those of a user namespace',
  ],
])('%j is refused', (config, message) => {
  expect(issuesOf(config)).toEqual([message]);
});

test.each<[string, object]>([
  ['an empty hostname needs no namespace', { hostname: '' }],
  [
    'empty lists need no namespace',
    { linux: { uidMappings: [], maskedPaths: [], readonlyPaths: [], netDevices: {}, timeOffsets: {} } },
  ],
  // Podman maps something when it joins a user namespace, as runc asks for it.
  [
    'mappings beside a joined user namespace',
    {
      process: process({ uid: 5000 }),
      linux: {
        namespaces: [{ type: 'user', path: '/proc/1/ns/user' }],
        uidMappings: mappings,
        gidMappings: mappings,
      },
    },
  ],
  [
    'a user namespace whose mappings the runtime chooses',
    { process: process({ uid: 5 }), linux: { namespaces: [{ type: 'user' }] } },
  ],
  [
    'sysctls of a joined network namespace',
    {
      linux: {
        namespaces: [{ type: 'network', path: '/run/netns/a' }],
        sysctl: { 'net.core.somaxconn': '1' },
      },
    },
  ],
])('%s: passes', (_, config) => {
  expect(issuesOf(config)).toEqual([]);
});
