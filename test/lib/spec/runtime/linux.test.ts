import { expect, test } from 'vitest';
import { checkLinux } from '../../../../lib/spec/runtime/linux.js';
import { check } from '../../../../lib/spec/validate.js';

function issuesOf(linux: object): readonly string[] {
  const checked = check(checkLinux, linux);
  return checked.ok ? [] : checked.issues.map(({ path, message }) => `${path}: ${message}`);
}

test.each<[object, string]>([
  [{ namespaces: [{ type: 'pid' }, { type: 'pid' }] }, 'namespaces[1].type: pid is there twice'],
  [
    { namespaces: [{ type: 'mnt' }] },
    'namespaces[0].type: expected one of pid, network, mount, ipc, uts, user, cgroup, time, got "mnt"',
  ],
  [{ namespaces: [{ type: 'pid', path: 'ns' }] }, 'namespaces[0].path: expected an absolute path, got "ns"'],
  [
    { uidMappings: [{ containerID: 4_294_967_290, hostID: 0, size: 10 }] },
    'uidMappings[0].containerID: the range goes beyond the last id, 4294967294',
  ],
  [
    {
      gidMappings: [
        { containerID: 0, hostID: 100, size: 10 },
        { containerID: 9, hostID: 200, size: 10 },
      ],
    },
    'gidMappings[1].containerID: overlaps another range',
  ],
  [
    {
      uidMappings: Array.from({ length: 341 }, (_, index) => ({
        containerID: index,
        hostID: index,
        size: 1,
      })),
    },
    'uidMappings: expected at most 340 ranges, got 341',
  ],
  [
    { timeOffsets: { monotonic: { nanosecs: 1e9 } } },
    'timeOffsets.monotonic.nanosecs: expected a number from 0 to 999999999, got 1000000000',
  ],
  [{ devices: [{ type: 'c', path: '/dev/a', major: 1 }] }, 'devices[0].minor: required, but missing'],
  [
    { devices: [{ type: 'c', path: 'dev/a', major: 1, minor: 1 }] },
    'devices[0].path: expected an absolute path, got "dev/a"',
  ],
  [
    { devices: [{ type: 'p', path: '/dev/a', fileMode: 0o1777 }] },
    'devices[0].fileMode: expected a number from 0 to 511, got 1023',
  ],
  [{ netDevices: { 'a/b': {} } }, 'netDevices["a/b"]: expected the name of a network interface, got "a/b"'],
  [
    { netDevices: { eth0: { name: 'a-name-that-is-too-long' } } },
    'netDevices.eth0.name: expected the name of a network interface, got "a-name-that-is-too-long"',
  ],
  [
    { netDevices: { eth0: { name: 'x' }, eth1: { name: 'x' } } },
    'netDevices.eth1: two devices would be called x in the container',
  ],
  [{ cgroupsPath: '/a/../../b' }, 'cgroupsPath: expected a path without .., got "/a/../../b"'],
  [{ maskedPaths: ['proc/kcore'] }, 'maskedPaths[0]: expected an absolute path, got "proc/kcore"'],
  [{ readonlyPaths: ['/proc/sys\0'] }, 'readonlyPaths[0]: expected a string without NUL bytes'],
  [{ intelRdt: { closID: '..' } }, 'intelRdt.closID: expected a name without slashes, or / alone, got ".."'],
  [{ intelRdt: { schemata: ['a\nb'] } }, 'intelRdt.schemata[0]: expected a single line, got "a\\nb"'],
  [
    { intelRdt: { memBwSchema: 'L3:0=f' } },
    'intelRdt.memBwSchema: expected a line that begins with MB:, got "L3:0=f"',
  ],
  [{ memoryPolicy: { mode: 'MPOL_BIND' } }, 'memoryPolicy.nodes: MPOL_BIND needs nodes'],
  [{ memoryPolicy: { mode: 'MPOL_LOCAL', nodes: '0' } }, 'memoryPolicy.nodes: MPOL_LOCAL takes no nodes'],
  [
    {
      memoryPolicy: {
        mode: 'MPOL_BIND',
        nodes: '0',
        flags: ['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES'],
      },
    },
    'memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other',
  ],
  [
    { personality: { domain: 'LINUX', flags: ['X'] } },
    'personality.flags: the specification defines no flags yet',
  ],
  [{ personality: { domain: 'BSD' } }, 'personality.domain: expected one of LINUX, LINUX32, got "BSD"'],
])('%j is refused', (linux, message) => {
  expect(issuesOf(linux)).toEqual([message]);
});

test.each([
  'net..ipv4',
  '../kernel',
  'net.ipv4/../x',
  '/net/ipv4',
  'net.',
  'a b',
  'net.ipv4\nkernel',
  '',
  'a\0b',
  '.',
])('%j is no name of a sysctl', (name) => {
  expect(issuesOf({ sysctl: { [name]: '1' } })).toHaveLength(1);
});

test('a sysctl cannot bring a second line', () => {
  expect(issuesOf({ sysctl: { 'net.a': '1\nkernel.core_pattern=|/evil' } })).toHaveLength(1);
});

test("the r… forms of rootfsPropagation are Docker's and pass", () => {
  expect(issuesOf({ rootfsPropagation: 'rslave' })).toEqual([]);
  expect(issuesOf({ rootfsPropagation: 'none' })).toHaveLength(1);
});
