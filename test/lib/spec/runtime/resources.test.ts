import { expect, test } from 'vitest';
import { validateResources } from '../../../../lib/spec/runtime/resources.js';

test.each<[object, string]>([
  [{ devices: [{}] }, 'devices[0].allow: required, but missing'],
  [{ devices: [{ allow: true, type: 'u' }] }, 'devices[0].type: expected one of a, b, c, got "u"'],
  [
    { devices: [{ allow: true, access: 'rr' }] },
    'devices[0].access: expected letters of rwm, each once, got "rr"',
  ],
  [
    { devices: [{ allow: true, access: 'x' }] },
    'devices[0].access: expected letters of rwm, each once, got "x"',
  ],
  [{ memory: { limit: -2 } }, 'memory.limit: expected a number from -1 to 9223372036854776000, got -2'],
  [
    { memory: { limit: 100, swap: 50 } },
    'memory.swap: counts memory too, so it cannot be below the memory limit',
  ],
  [{ memory: { swappiness: 101 } }, 'memory.swappiness: expected a number from 0 to 100, got 101'],
  [{ cpu: { quota: 1000, burst: 2000 } }, 'cpu.burst: cannot be above the quota'],
  [{ cpu: { idle: 2 } }, 'cpu.idle: expected a number from 0 to 1, got 2'],
  [{ cpu: { cpus: '0-3\n' } }, 'cpu.cpus: expected a list such as 0-3,7, got "0-3\\n"'],
  [{ pids: {} }, 'pids.limit: required, but missing'],
  [{ pids: { limit: 1.5 } }, 'pids.limit: expected a whole number, got 1.5'],
  [
    { blockIO: { weightDevice: [{ major: 8, minor: 0 }] } },
    'blockIO.weightDevice[0]: expected a weight or a leafWeight, got neither',
  ],
  [
    { blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0 }] } },
    'blockIO.throttleReadBpsDevice[0].rate: required, but missing',
  ],
  [
    { hugepageLimits: [{ pageSize: '2M', limit: 1 }] },
    'hugepageLimits[0].pageSize: expected a size such as 2MB, got "2M"',
  ],
  [
    { network: { classID: 2 ** 32 } },
    'network.classID: expected a number from 0 to 4294967295, got 4294967296',
  ],
  [{ rdma: { mlx: {} } }, 'rdma.mlx: expected hcaHandles or hcaObjects, got neither'],
  [
    { unified: { '../cgroup.procs': '1' } },
    'unified["../cgroup.procs"]: expected the name of a cgroup file, such as memory.high, got "../cgroup.procs"',
  ],
])('%j is refused', (resources, message) => {
  expect(() => validateResources(resources)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_CONFIG', message: `resources is not valid:\n${message}` }),
  );
});

test("podman's -1 for any number passes", () => {
  const resources = { devices: [{ allow: true, type: 'c', major: -1, minor: -1, access: 'rwm' }] };
  expect(validateResources(resources)).toEqual(resources);
});
