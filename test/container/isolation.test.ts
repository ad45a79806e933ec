import { readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { Sandbox } from 'nsbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mode } from '../support/mode.js';
import { sharedRoot } from '../support/temporary.js';

const root = sharedRoot();
const box = await Sandbox.create({ rootfs: root.path });
afterAll(() => box[Symbol.asyncDispose]());
const hostBox = await Sandbox.create();
afterAll(() => hostBox[Symbol.asyncDispose]());

/** What testinit says, line by line. */
async function say(...args: readonly string[]): Promise<string[]> {
  return (await box.exec(['/testinit', ...args]).nothrow()).stdout.split('\n');
}

describe('processes', () => {
  test('a box sees its own alone, under pids of its own', async () => {
    const pids = (await say('ps')).map(Number);
    expect(pids).toContain(1);
    expect(pids.length).toBeLessThanOrEqual(3);
  });

  test('no process of the machine is seen', async () => {
    await expect(box.exec(['/testinit', 'stat', `/proc/${process.pid}`])).rejects.toMatchObject({
      stdout: 'ENOENT',
    });
  });

  test('init cannot be killed from inside', async () => {
    await box.exec(['/testinit', 'try', 'kill-init']);
    expect(await say('true')).toEqual(['']);
  });

  test('a command leads a session of its own, and is init’s child', async () => {
    const [line = ''] = await say('ids');
    const pid = /pid=(\d+)/.exec(line)?.[1];
    expect(line).toContain(`sid=${pid}`);
    expect(line).toContain('ppid=1 ');
  });
});

test.each(['pid', 'mnt', 'ipc', 'uts', 'net', 'cgroup'])('the %s namespace is its own', async (name) => {
  const { stdout } = await hostBox.exec(['readlink', `/proc/self/ns/${name}`]);
  expect(stdout).toMatch(new RegExp(`^${name}:\\[\\d+\\]$`));
  expect(stdout).not.toBe(readlinkSync(`/proc/self/ns/${name}`));
});

test('the user namespace is its own for all but root', async () => {
  const { stdout } = await hostBox.exec(['readlink', '/proc/self/ns/user']);
  expect(stdout === readlinkSync('/proc/self/ns/user')).toBe(mode === 'root');
});

describe('what a command inherits', () => {
  test('no variable of this process, but PATH and HOME of the box', async () => {
    process.env.NSBOX_TEST_SECRET = 'secret';
    const { stdout } = await box.exec(['/testinit', 'env']);
    delete process.env.NSBOX_TEST_SECRET;
    const names = stdout
      .split('\0')
      .map((one) => one.split('=')[0])
      .filter(Boolean);
    expect(names.sort()).toEqual(['HOME', 'PATH']);
  });

  test('stdin, stdout and stderr, and no further descriptor', async () => {
    const held = (await say('fds')).map((line) => line.split(' ')[0]);
    expect(held).toEqual(['0', '1', '2']);
    const alone = await Sandbox.run(['/testinit', 'fds'], { rootfs: root.path });
    expect(alone.stdout.split('\n').map((line) => line.split(' ')[0])).toEqual(['0', '1', '2']);
  });

  test('no blocked and no ignored signal', async () => {
    expect(await say('signals')).toEqual(['blocked', 'ignored']);
  });

  test('the usual umask, root’s ids, no further group', async () => {
    expect(await say('ids')).toEqual([expect.stringMatching(/^uid=0 gid=0 euid=0 .* groups=0? umask=22$/)]);
  });
});

test('the host name is the box’s, and the machine keeps its own', async () => {
  await using named = await Sandbox.create({ rootfs: root.path, hostname: 'elsewhere.example' });
  expect((await named.exec(['/testinit', 'hostname'])).stdout).toBe('elsewhere.example');
  expect(hostname()).not.toBe('elsewhere.example');
});

test('a box is at the root of its own cgroups', async () => {
  const lines = (await say('cat', '/proc/self/cgroup')).filter(Boolean);
  if (mode === 'root') expect(lines.filter((line) => !line.endsWith(':/'))).toEqual([]);
  else expect(lines.filter((line) => line.includes('nsbox-'))).toEqual([]);
});

describe('network', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    port = typeof address === 'object' && address ? address.port : 0;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test('there is a loopback interface, and nothing else', async () => {
    expect(await say('ifaces')).toEqual(['lo']);
  });

  test('loopback is up, and is not the machine’s', async () => {
    expect(await say('connect', '127.0.0.1', String(port))).toEqual(['ECONNREFUSED']);
  });

  test('no address elsewhere is reached', async () => {
    expect(await say('connect', '192.0.2.1', '80')).toEqual(['ENETUNREACH']);
  });

  test("network: 'host' is the machine’s own", async () => {
    await using open = await Sandbox.create({ rootfs: root.path, network: 'host' });
    expect((await open.exec(['/testinit', 'connect', '127.0.0.1', String(port)])).stdout).toBe('ok');
  });
});

test('two boxes share no files and no memory', async () => {
  await using one = await Sandbox.create({ rootfs: root.path });
  await using other = await Sandbox.create({ rootfs: root.path });
  for (const path of ['/note', '/dev/shm/note']) {
    await one.fs.writeFile(path, 'mine');
    expect(await other.fs.exists(path)).toBe(false);
  }
});
