import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { Sandbox } from 'nsbox';
import { describe, expect, test } from 'vitest';
import { isRoot } from '../support/mode.js';
import { TemporaryDirectory, TemporaryRoot } from '../support/temporary.js';

/** A bundle as `runc spec` writes it, with a root that holds testinit. */
class Bundle extends TemporaryDirectory {
  readonly root = new TemporaryRoot(['etc', 'work']);

  constructor(change: (config: ReturnType<typeof spec>) => object = (config) => config) {
    super();
    this.write(JSON.stringify(change(spec(this.root.path))));
  }

  write(config: string): void {
    writeFileSync(this.join('config.json'), config);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.root[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

function spec(root: string) {
  const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/bin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: root, readonly: true },
    hostname: 'runc',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
      },
      {
        destination: '/dev/mqueue',
        type: 'mqueue',
        source: 'mqueue',
        options: ['nosuid', 'noexec', 'nodev'],
      },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    ],
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: [{ type: 'pid' }, { type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
      maskedPaths: ['/proc/acpi', '/proc/kcore', '/proc/keys', '/sys/firmware'],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

describe('a bundle', () => {
  test('is run as its config.json says', async () => {
    await using bundle = new Bundle();
    await using box = await Sandbox.create({ bundle: bundle.path });
    const say = async (...args: readonly string[]) =>
      (await box.exec(['/testinit', ...args]).nothrow()).stdout;
    expect(await say('hostname')).toBe('runc');
    expect((await say('env')).split('\0').filter(Boolean)).toEqual(['PATH=/usr/bin:/bin', 'TERM=xterm']);
    expect(await say('mkdir', '/new')).toBe('EROFS');
    expect(await say('rlimit', '7')).toBe('1024 1024');
    expect(await say('caps')).toMatch(/CapEff:\t0000000020000420/);
    expect(await say('ifaces')).toBe('lo');
    expect(await say('write', '/proc/sys/kernel/hostname', 'x')).toBe('EROFS');
    expect(await say('cat', '/proc/keys')).toBe('');
  });

  test('takes variables, mounts and a directory beside', async () => {
    await using bundle = new Bundle();
    const run = (args: readonly string[]) =>
      Sandbox.run(['/testinit', ...args], {
        bundle: bundle.path,
        env: { MORE: '1' },
        cwd: '/work',
        mounts: [{ type: 'tmpfs', target: '/work' }],
      });
    expect((await run(['env'])).stdout).toContain('MORE=1');
    expect((await run(['pwd'])).stdout).toBe('/work');
    expect((await run(['write', '/work/x', 'x'])).stdout).toBe('ok');
  });

  test('a root that is relative lies in it', async () => {
    await using bundle = new Bundle((config) => ({ ...config, root: { path: 'rootfs' } }));
    const { copyFileSync } = await import('node:fs');
    mkdirSync(bundle.join('rootfs'));
    copyFileSync(bundle.root.join('testinit'), bundle.join('rootfs/testinit'));
    expect((await Sandbox.run(['/testinit', 'pwd'], { bundle: bundle.path })).stdout).toBe('/');
  });

  test('its umask, its filter and its user count', async () => {
    await using bundle = new Bundle((config) => ({
      ...config,
      process: { ...config.process, user: { uid: 0, gid: 0, umask: 0o77 } },
      linux: {
        ...config.linux,
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['rmdir', 'unlinkat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }],
        },
      },
    }));
    await using box = await Sandbox.create({ bundle: bundle.path });
    expect((await box.exec(['/testinit', 'ids'])).stdout).toContain('umask=77');
    expect((await box.exec(['/testinit', 'rmdir', '/dev/shm/x']).nothrow()).stdout).toBe('EOPNOTSUPP');
  });

  test('its process is the default of every command, which may have its own', async () => {
    await using bundle = new Bundle((config) => ({
      ...config,
      process: { ...config.process, cwd: '/work', env: ['PATH=/bin', 'COLOUR=red'] },
    }));
    await using box = await Sandbox.create({ bundle: bundle.path });
    expect((await box.exec(['/testinit', 'pwd'])).stdout).toBe('/work');
    const { stdout } = await box.exec(['/testinit', 'env'], { env: { COLOUR: 'blue' } });
    expect(stdout.split('\0').filter(Boolean).sort()).toEqual(['COLOUR=blue', 'PATH=/bin']);
    expect((await box.exec(['/testinit', 'pwd'], { cwd: '/etc' })).stdout).toBe('/etc');
  });

  test.runIf(isRoot)('its user is the commands’ own', async () => {
    await using bundle = new Bundle((config) => ({
      ...config,
      process: { ...config.process, user: { uid: 12, gid: 34, additionalGids: [56] } },
    }));
    await using box = await Sandbox.create({ bundle: bundle.path });
    expect((await box.exec(['/testinit', 'ids'])).stdout).toMatch(/^uid=12 gid=34 .* groups=56 /);
  });

  test('is copy-on-write: its root is never changed', async () => {
    await using bundle = new Bundle((config) => ({ ...config, root: { path: config.root.path } }));
    await using box = await Sandbox.create({ bundle: bundle.path });
    expect((await box.exec(['/testinit', 'write', '/work/new', 'x'])).stdout).toBe('ok');
    await box.fs.rm('/etc', { recursive: true });
    expect(readdirSync(bundle.root.path).sort()).toEqual(['etc', 'testinit', 'work']);
    expect(readdirSync(bundle.root.join('work'))).toEqual([]);
    const found: string[] = [];
    for await (const { kind, path } of box.changes()) found.push(`${kind} ${path}`);
    expect(found.sort()).toEqual(['added /work/new', 'deleted /etc']);
  });

  test('a read-only one stays unchanged too, even where mounts go', async () => {
    await using bundle = new Bundle();
    await using box = await Sandbox.create({ bundle: bundle.path });
    for (const path of ['/x', '/etc/x', '/work/x'])
      expect((await box.exec(['/testinit', 'write', path, 'x']).nothrow()).stdout).toBe('EROFS');
    await box.exec(['/testinit', 'write', '/dev/shm/x', 'x']);
    expect(readdirSync(bundle.root.path).sort()).toEqual(['etc', 'testinit', 'work']);
  });

  test('a source that is relative lies in it; another is the machine’s', async () => {
    await using folder = new TemporaryDirectory();
    writeFileSync(folder.join('file'), 'elsewhere');
    await using bundle = new Bundle((config) => ({
      ...config,
      mounts: [
        ...config.mounts,
        { destination: '/data', type: 'bind', source: 'data', options: ['rbind', 'ro'] },
        { destination: '/other', type: 'bind', source: folder.path, options: ['bind'] },
      ],
    }));
    mkdirSync(bundle.join('data'));
    writeFileSync(bundle.join('data/file'), 'beside');
    await using box = await Sandbox.create({ bundle: bundle.path });
    expect((await box.exec(['/testinit', 'cat', '/data/file', '/other/file'])).stdout).toBe(
      'besideelsewhere',
    );
    expect((await box.exec(['/testinit', 'write', '/data/x', 'x']).nothrow()).stdout).toBe('EROFS');
  });

  test.runIf(isRoot)('a cgroup mount shows its own group alone, and read-only', async () => {
    await using bundle = new Bundle((config) => ({
      ...config,
      mounts: [
        ...config.mounts,
        {
          destination: '/sys/fs/cgroup',
          type: 'cgroup',
          source: 'cgroup',
          options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
        },
      ],
      linux: { ...config.linux, namespaces: [...config.linux.namespaces, { type: 'cgroup' }] },
    }));
    await using box = await Sandbox.create({ bundle: bundle.path });
    const { stdout } = await box.exec(['/testinit', 'cat', '/proc/self/mountinfo']);
    const lines = stdout.split('\n').filter((line) => / - cgroup2? /.test(line));
    expect(lines.length).toBeGreaterThan(0);
    // Its root is the box's own group.
    for (const line of lines) expect(line.split(' ')[3]).toBe('/');
    for (const line of lines) expect(line.split(' ')[5]).toMatch(/^ro,/);
  });

  test('masked paths hide, whatever they are', async () => {
    await using bundle = new Bundle((config) => ({
      ...config,
      linux: { ...config.linux, maskedPaths: ['/etc/secret', '/work', '/not/there'] },
    }));
    writeFileSync(bundle.root.join('etc/secret'), 'secret');
    writeFileSync(bundle.root.join('work/file'), '');
    await using box = await Sandbox.create({ bundle: bundle.path });
    expect((await box.exec(['/testinit', 'cat', '/etc/secret']).nothrow()).stdout).toBe('');
    expect((await box.exec(['/testinit', 'ls', '/work'])).stdout).toBe('');
  });
});

describe('a bundle is refused', () => {
  test('that is not there', async () => {
    await expect(Sandbox.create({ bundle: '/nonexistent' })).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: expect.stringContaining('/nonexistent/config.json'),
    });
  });

  test.each<[string, string, RegExp]>([
    ['no JSON', '{', /config\.json/],
    ['no object', '[]', /config\.json/],
    ['no version', '{"root":{"path":"r"}}', /ociVersion/],
    [
      'a wrong type',
      '{"ociVersion":"1.0.2","root":{"path":"r"},"process":{"args":[3]}}',
      /process\.args\[0\]: expected a string, got a number/,
    ],
  ])('with %s', async (_, config, message) => {
    await using bundle = new Bundle();
    bundle.write(config);
    await expect(Sandbox.create({ bundle: bundle.path })).rejects.toMatchObject({
      code: 'ERR_INVALID_CONFIG',
      message: expect.stringMatching(message),
    });
  });

  test('with every place that is wrong', async () => {
    await using bundle = new Bundle((config) => ({
      ...config,
      hostname: 3,
      process: { ...config.process, args: ['sh', 7], cwd: 'relative' },
    }));
    const error = await Sandbox.create({ bundle: bundle.path }).then(
      () => undefined,
      (reason: Error) => reason,
    );
    for (const place of ['hostname', 'process.args[1]', 'process.cwd'])
      expect(error?.message).toContain(place);
  });

  test.each(['workspace', 'network', 'hostname', 'readOnly', 'rootfs'])(
    'beside the option %s',
    async (name) => {
      await using bundle = new Bundle();
      const values = {
        workspace: '/tmp',
        network: 'none',
        hostname: 'x',
        readOnly: true,
        rootfs: bundle.root.path,
      };
      const options = { bundle: bundle.path, [name]: values[name as keyof typeof values] };
      await expect(Sandbox.create(options)).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
        message: expect.stringContaining('contradict'),
      });
    },
  );

  test('that wants what a sandbox does not do', async () => {
    for (const change of [
      { hooks: { prestart: [{ path: '/bin/true' }] } },
      { linux: { namespaces: [{ type: 'mount' }] } },
      { linux: { namespaces: [{ type: 'pid', path: '/proc/1/ns/pid' }, { type: 'mount' }] } },
      { process: undefined },
    ]) {
      await using bundle = new Bundle((config) => ({ ...config, ...change }));
      await expect(Sandbox.create({ bundle: bundle.path })).rejects.toMatchObject({
        code: 'ERR_INVALID_CONFIG',
      });
    }
  });

  test('with a root that is not there', async () => {
    await using bundle = new Bundle((config) => ({ ...config, root: { path: 'nothing' } }));
    await expect(Sandbox.create({ bundle: bundle.path })).rejects.toThrow(/nothing/);
  });
});
