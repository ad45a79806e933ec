import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { type Config, Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot, testRoot } from '../support/test.js';
import { isOurs } from '../support/under-test.js';
import { prepareCalls, resetCalls } from '../support/wrapped.js';

const KINDS = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'] as const;
const FILES = {
  pid: 'pid',
  network: 'net',
  ipc: 'ipc',
  uts: 'uts',
  mount: 'mnt',
  cgroup: 'cgroup',
  user: 'user',
  time: 'time',
};
type Kind = keyof typeof FILES;

const own = (kind: Kind): string => readlinkSync(`/proc/self/ns/${FILES[kind]}`);
const inside = (kind: Kind): string => `readlink /proc/self/ns/${FILES[kind]}`;

function without(config: Config, kind: Kind): void {
  config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== kind);
}

function renew(config: Config, kind: Kind, path?: string): void {
  without(config, kind);
  config.linux.namespaces.push(path === undefined ? { type: kind } : { type: kind, path });
}

describe.each(KINDS)('%s', (kind) => {
  test(`linux.namespaces: a new ${kind} namespace is not the caller's`, async () => {
    await using runtime = new Runtime();
    const link = await runtime.sh(inside(kind), (config) => {
      renew(config, kind);
    });
    expect(link).toMatch(new RegExp(`^${FILES[kind]}:\\[\\d+\\]$`));
    expect(link).not.toBe(own(kind));
  });
});

describe.each(['network', 'ipc', 'uts', 'cgroup'] as const)('%s', (kind) => {
  testRoot(`linux.namespaces: without a ${kind} namespace the container has the caller's`, async () => {
    await using runtime = new Runtime();
    const link = await runtime.sh(inside(kind), (config) => {
      without(config, kind);
      if (kind === 'uts') delete config.hostname;
      if (kind === 'ipc') config.mounts = config.mounts.filter(({ type }) => type !== 'mqueue');
    });
    expect(link).toBe(own(kind));
  });
});

describe.each(['pid', 'network', 'ipc', 'uts', 'cgroup'] as const)('%s', (kind) => {
  testRoot(`linux.namespaces: a ${kind} namespace by its path is the one that is joined`, async () => {
    await using runtime = new Runtime();
    const first = await runtime.pause((config) => renew(config, kind));
    const path = `/proc/${first.pid}/ns/${FILES[kind]}`;
    const link = await runtime.sh(inside(kind), (config) => {
      renew(config, kind, path);
      if (kind === 'uts') delete config.hostname;
    });
    expect(link).toBe(readlinkSync(path));
  });
});

testRoot('linux.namespaces: a container in the pid namespace of another sees its processes', async () => {
  await using runtime = new Runtime();
  const first = await runtime.pause();
  const script = 'cat /proc/1/cmdline | tr "\\0" " "; test $$ != 1 && echo guest';
  const said = await runtime.sh(script, (config) => renew(config, 'pid', `/proc/${first.pid}/ns/pid`));
  expect(said).toBe('sleep 1000 guest');
});

// So is everything of an ordinary user's podman.
testOursRoot(
  'linux.namespaces: the root of a user namespace joins a pid namespace, though none may return from it',
  async () => {
    await using runtime = new Runtime();
    const path = `${runtime.folder}/processes`;
    onTestFinished(resetCalls);
    prepareCalls(`exec unshare --user --map-root-user sh -c '
unshare --pid --fork sleep 1000 & other=$!
until child=$(cat /proc/$other/task/$other/children) && [ "$child" ]; do sleep 0.01; done
ln -s /proc/$other/ns/pid_for_children ${path}
"$@"; code=$?
kill $child
exit $code' sh "$@"`);
    const said = await runtime.sh('cat /proc/1/cmdline | tr "\\0" " "', (config) =>
      renew(config, 'pid', path),
    );
    expect(said).toBe('sleep 1000');
  },
);

testRoot('linux.namespaces: a mount namespace by its path is the one that is joined', async () => {
  await using runtime = new Runtime();
  const first = await runtime.pause((config) => {
    config.process.capabilities = {
      bounding: ['CAP_SYS_ADMIN'],
      effective: ['CAP_SYS_ADMIN'],
      permitted: ['CAP_SYS_ADMIN'],
    };
  });
  // A root made in a namespace that others use too is theirs as well, so this is refused or gets the namespace; never
  // anything else.
  const result = await runtime.run((config) => {
    renew(config, 'mount', `/proc/${first.pid}/ns/mnt`);
    config.process.args = ['sh', '-c', inside('mount')];
  });
  if (result.code === 0) expect(result.stdout.trim()).toBe(readlinkSync(`/proc/${first.pid}/ns/mnt`));
  else expect(result.stderr).not.toBe('');
  expect(await first.sh('echo alive')).toBe('alive');
});

testOursRoot('linux.namespaces: a user namespace by its path is the one that is joined', async () => {
  await using runtime = new Runtime();
  const mapped = (config: Config): void => {
    renew(config, 'user');
    config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
    config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
  };
  const first = await runtime.pause(mapped);
  const path = `/proc/${first.pid}/ns/user`;
  const said = await runtime.sh(`${inside('user')}; cat /proc/self/uid_map`, (config) =>
    renew(config, 'user', path),
  );
  const [link, map = ''] = said.split('\n');
  expect(link).toBe(readlinkSync(path));
  expect(map.trim().split(/\s+/)).toEqual(['0', '100000', '65536']);
});

testRoot(
  'linux.uidMappings and linux.gidMappings: the maps of the new user namespace, in their order',
  async () => {
    await using runtime = new Runtime();
    const maps = await runtime.sh('cat /proc/self/uid_map /proc/self/gid_map; id -u', (config) => {
      renew(config, 'user');
      config.linux.uidMappings = [
        { containerID: 0, hostID: 100000, size: 1000 },
        { containerID: 1000, hostID: 300000, size: 5 },
      ];
      config.linux.gidMappings = [{ containerID: 0, hostID: 200000, size: 10 }];
    });
    const rows = maps.split('\n').map((line) => line.trim().split(/\s+/).join(' '));
    expect(rows).toEqual(['0 100000 1000', '1000 300000 5', '0 200000 10', '0']);
  },
);

test('linux.uidMappings: what the namespace’s root makes belongs to the host’s id outside', async () => {
  await using runtime = new Runtime();
  const container = await runtime.pause((config) => {
    if (!isRoot) return;
    renew(config, 'user');
    config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
    config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
  });
  const [, real] = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${container.pid}/status`, 'utf8')) ?? [];
  expect(Number(real)).toBe(isRoot ? 100000 : process.getuid?.());
  expect(await container.sh('id -u; id -g')).toBe('0\n0');
});

testOurs('linux.timeOffsets: the clocks of a new time namespace are so far ahead', async () => {
  await using runtime = new Runtime();
  const before = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  const said = await runtime.sh(`cat /proc/self/timens_offsets /proc/uptime; ${inside('time')}`, (config) => {
    renew(config, 'time');
    config.linux.timeOffsets = { monotonic: { secs: 7777, nanosecs: 5 }, boottime: { secs: 1_000_000 } };
  });
  const [monotonic = '', boottime = '', uptime = '', link] = said.split('\n');
  expect(monotonic.split(/\s+/)).toEqual(['monotonic', '7777', '5']);
  expect(boottime.split(/\s+/)).toEqual(['boottime', '1000000', '0']);
  expect(Number(uptime.split(' ')[0])).toBeGreaterThanOrEqual(before + 1_000_000);
  expect(link).not.toBe(own('time'));
});

testOurs('linux.timeOffsets: a program that is executed later has them too', async () => {
  await using runtime = new Runtime();
  const container = await runtime.pause((config) => {
    renew(config, 'time');
    config.linux.timeOffsets = { boottime: { secs: 500_000 } };
  });
  expect(Number(await container.sh('cut -d. -f1 /proc/uptime'))).toBeGreaterThanOrEqual(500_000);
});

testOurs('linux.timeOffsets: without a time namespace they are refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.linux.timeOffsets = { boottime: { secs: 5 } };
  });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toMatch(/time/i);
});

testOursRoot('linux.namespaces: a time namespace by its path is the one that is joined', async () => {
  await using runtime = new Runtime();
  const first = await runtime.pause((config) => {
    renew(config, 'time');
    config.linux.timeOffsets = { boottime: { secs: 900_000 } };
  });
  const path = `/proc/${first.pid}/ns/time`;
  const said = await runtime.sh(`${inside('time')}; cut -d. -f1 /proc/uptime`, (config) =>
    renew(config, 'time', path),
  );
  const [link, uptime] = said.split('\n');
  expect(link).toBe(readlinkSync(path));
  expect(Number(uptime)).toBeGreaterThanOrEqual(900_000);
});

describe.each(Object.keys(FILES) as Kind[])('%s', (kind) => {
  test(`linux.namespaces: a ${kind} namespace at a path that is not there, or is of another kind, is refused`, async () => {
    await using runtime = new Runtime();
    const absent = await runtime.run((config) => renew(config, kind, '/nowhere/ns'));
    expect(absent.code).not.toBe(0);
    if (isOurs) expect(absent.stderr).toContain('/nowhere/ns');
    const other = kind === 'uts' ? 'ipc' : 'uts';
    const wrong = await runtime.run((config) => renew(config, kind, `/proc/self/ns/${other}`));
    expect(wrong.code).not.toBe(0);
  });
});

test('linux.namespaces: a path to an ordinary file is refused', async () => {
  await using runtime = new Runtime();
  const file = `${runtime.folder}/file`;
  writeFileSync(file, '');
  const result = await runtime.run((config) => renew(config, 'uts', file));
  expect(result.code).not.toBe(0);
  expect(result.stderr).not.toBe('');
});

test('linux.namespaces: the same type twice is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.linux.namespaces.push({ type: 'pid' });
  });
  expect(result.code).not.toBe(0);
});

test('linux.namespaces: a program executed later is in the namespaces of the first', async () => {
  await using runtime = new Runtime();
  const container = await runtime.pause((config) => renew(config, 'cgroup'));
  for (const kind of [...KINDS, 'user'] as const)
    expect(await container.sh(inside(kind))).toBe(readlinkSync(`/proc/${container.pid}/ns/${FILES[kind]}`));
});

test('linux.namespaces: the first program is process 1 of its pid namespace', async () => {
  await using runtime = new Runtime();
  expect(await runtime.sh('echo $$')).toBe('1');
});

testRoot('linux.namespaces: without a pid namespace the container’s processes are the host’s', async () => {
  await using runtime = new Runtime();
  const container = await runtime.pause((config) => without(config, 'pid'));
  const script = 'test -d /proc/$PPID && readlink /proc/self/ns/pid';
  expect(await container.sh(script)).toBe(own('pid'));
  await container.kill();
  await container.ended();
});
