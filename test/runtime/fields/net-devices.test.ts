import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { Runtime } from '../support/runtime.js';
import { testOursRoot } from '../support/test.js';
import { prepareCalls, resetCalls } from '../support/wrapped.js';

// A network namespace of this file's own is what the runtime takes for the host's.
let host: ChildProcess | undefined;

function outside(...args: string[]): string {
  return execFileSync('nsenter', [`--net=/proc/${host?.pid}/ns/net`, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

beforeAll(async () => {
  if (!isRoot) return;
  host = spawn('unshare', ['--net', 'sleep', '1000'], { stdio: 'ignore' });
  const own = readlinkSync('/proc/self/ns/net');
  await eventually(
    () => readlinkSync(`/proc/${host?.pid}/ns/net`),
    (link) => link !== own,
    5000,
  );
  prepareCalls(`exec nsenter --net=/proc/${host.pid}/ns/net "$@"`);
});

afterAll(() => {
  host?.kill('SIGKILL');
  resetCalls();
});

beforeEach(() => {
  if (!isRoot) return;
  try {
    outside('ip', 'link', 'delete', 'there');
  } catch {
    // The test before has not made it.
  }
  outside('ip', 'link', 'add', 'here0', 'type', 'veth', 'peer', 'name', 'there');
});

testOursRoot('linux.netDevices: the device moves into the container’s network namespace', async () => {
  await using runtime = new Runtime();
  const said = await runtime.sh('ip -o link', (config) => {
    config.linux.netDevices = { here0: {} };
  });
  expect(said).toMatch(/: here0@/);
  expect(said).toMatch(/here0.*[<,]UP[,>]/);
});

testOursRoot('linux.netDevices.name: it is renamed there', async () => {
  await using runtime = new Runtime();
  const said = await runtime.sh('ip -o link', (config) => {
    config.linux.netDevices = { here0: { name: 'eth7' } };
  });
  expect(said).toMatch(/: eth7@/);
  expect(said).not.toContain('here0');
});

testOursRoot(
  'linux.netDevices: its addresses, its size of packets and its hardware address stay',
  async () => {
    outside('ip', 'address', 'add', '192.0.2.7/24', 'dev', 'here0');
    outside('ip', 'address', 'add', '2001:db8::7/64', 'dev', 'here0', 'nodad');
    outside('ip', 'link', 'set', 'here0', 'mtu', '1400', 'address', '02:00:00:00:00:77');
    outside('ip', 'link', 'set', 'here0', 'up');
    await using runtime = new Runtime();
    const said = await runtime.sh('ip address show eth7', (config) => {
      config.linux.netDevices = { here0: { name: 'eth7' } };
    });
    expect(said).toContain('192.0.2.7/24');
    expect(said).toContain('2001:db8::7/64');
    expect(said).toContain('mtu 1400');
    expect(said).toContain('02:00:00:00:00:77');
  },
);

testOursRoot('linux.netDevices: one that is not there stops the start', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.linux.netDevices = { absent9: {} };
  });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toContain('absent9');
});

testOursRoot(
  'linux.netDevices: a name that is taken in the container, or no name at all, is refused',
  async () => {
    await using runtime = new Runtime();
    for (const name of ['lo', '../x', 'a name', 'x'.repeat(16), 'a/b']) {
      const result = await runtime.run((config) => {
        config.linux.netDevices = { here0: { name } };
      });
      expect([name, result.code]).not.toEqual([name, 0]);
      expect(outside('ip', '-o', 'link')).toContain('here0');
    }
  },
);

testOursRoot(
  'linux.netDevices: without a network namespace of the container’s own they are refused',
  async () => {
    await using runtime = new Runtime();
    const result = await runtime.run((config) => {
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'network');
      config.linux.netDevices = { here0: {} };
    });
    expect(result.code).not.toBe(0);
    expect(outside('ip', '-o', 'link')).toContain('here0');
  },
);
