import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { refusal, refusalOfCreate } from '../support/expect.js';
import { type Bundle, type Patch, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

type Tree = { [name: string]: unknown };

/** Creates with a config.json of this text; a refusal leaves nothing. */
async function refused(text: (bundle: Bundle) => string | Uint8Array, words: RegExp = /./): Promise<void> {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  bundle.write(text(bundle));
  const message = await refusalOfCreate(runtime, bundle);
  expect(message).toMatch(words);
  expect(message.length).toBeLessThan(2000);
  expect(runtime.leftovers()).toEqual([]);
}

const nothing: Patch = (config) => {
  config.process.args = ['true'];
};

/** The configuration with the value at a path, `process.user.uid`, replaced; `undefined` takes it away. */
function withValue(bundle: Bundle, path: string, value: unknown): string {
  const config: Tree = structuredClone(bundle.config) as unknown as Tree;
  const names = path.split('.');
  const last = names.pop() ?? '';
  let place: Tree = config;
  for (const name of names) {
    place[name] ??= {};
    place = place[name] as Tree;
  }
  place[last] = value;
  return JSON.stringify(config);
}

const refusedWith =
  (path: string, value: unknown, words?: RegExp): (() => Promise<void>) =>
  () =>
    refused((bundle) => withValue(bundle, path, value), words);

test('config.json: a missing one is refused with "JSON specification file config.json not found"', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  rmSync(join(bundle.path, 'config.json'));
  expect(await refusalOfCreate(runtime, bundle)).toContain('JSON specification file config.json not found');
});

test('config.json: an empty one is refused', () => refused(() => ''));
test('config.json: half a one is refused', () => refused(() => '{"ociVersion": "1.0'));
test('config.json: an array is refused', () => refused(() => '[]'));
test('config.json: a number is refused', () => refused(() => '17'));
test.runIf(isOurs)('config.json: null is refused', () => refused(() => 'null'));
test('config.json: an empty object is refused', () => refused(() => '{}'));
test.runIf(isOurs)('config.json: a second document behind the first is refused', () =>
  refused((bundle) => `${JSON.stringify(bundle.config)}{}`),
);
test.runIf(isOurs)('config.json: words behind the document are refused', () =>
  refused((bundle) => `${JSON.stringify(bundle.config)}\nrm -rf`),
);
test('config.json: a comma before the end is refused', () => refused(() => '{"ociVersion": "1.0.0",}'));
test('config.json: a comment is refused', () => refused(() => '// hello\n{}'));
test.runIf(isOurs)('config.json: bytes that are not UTF-8 are refused', () =>
  refused((bundle) => {
    const text = Buffer.from(withValue(bundle, 'hostname', 'a\u00e9b'), 'utf8');
    return Buffer.from(text.toString('latin1').replace('\u00c3\u00a9', '\u00e9\u00e9'), 'latin1');
  }),
);
test.runIf(isOurs)('config.json: a NUL byte is refused', () =>
  refused((bundle) => `${JSON.stringify(bundle.config)}\0{}`),
);
test('config.json: binary data is refused', () =>
  refused(() => Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3])));
test('config.json: a hundred thousand open brackets are refused', () =>
  refused((bundle) =>
    withValue(bundle, 'unknown', 0).replace('"unknown":0', `"unknown":${'['.repeat(100_000)}`),
  ));
test.runIf(isOurs)('config.json: a value that is nested a hundred thousand deep is refused', () =>
  refused((bundle) =>
    withValue(bundle, 'unknown', 0).replace(
      '"unknown":0',
      `"unknown":${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    ),
  ),
);
test('config.json: objects nested a hundred thousand deep are refused', () =>
  refused(() => '{"a":'.repeat(100_000)));

test('root: a missing one is refused', refusedWith('root', undefined, /root/));
test(
  'root.path: a path that is absent is refused',
  refusedWith('root.path', 'no-such', /no such file or directory/i),
);
test(
  'root.path: a path that is a file is refused',
  refusedWith('root.path', 'config.json', /not a directory/i),
);
test('root.path: an empty path is refused', () =>
  refused((bundle) => withValue(bundle, 'root.path', bundle.path.replace(/.*/, ''))));
test('root.path: a path with a NUL is refused', refusedWith('root.path', 'root\0fs'));

const wrong: readonly (readonly [path: string, value: unknown])[] = [
  ['ociVersion', 1],
  ['root', 'rootfs'],
  ['root', []],
  ['root.path', 7],
  ['root.readonly', 'yes'],
  ['hostname', 3],
  ['hostname', ['a']],
  ['process', 'sh'],
  ['process', []],
  ['process.terminal', 'yes'],
  ['process.args', 'sh'],
  ['process.args', [1]],
  ['process.args', [['sh']]],
  ['process.env', { A: '1' }],
  ['process.env', [1]],
  ['process.cwd', 1],
  ['process.user', 'root'],
  ['process.user.uid', '0'],
  ['process.user.uid', -1],
  ['process.user.uid', 1.5],
  ['process.user.uid', 4294967296],
  ['process.user.gid', 1e300],
  ['process.user.additionalGids', [-1]],
  ['process.user.additionalGids', 5],
  ['process.user.umask', -1],
  ['process.capabilities', []],
  ['process.capabilities.bounding', 'CAP_KILL'],
  ['process.rlimits', {}],
  ['process.rlimits', [{ type: 1, hard: 1, soft: 1 }]],
  ['process.rlimits', [{ type: 'RLIMIT_NOFILE', hard: -1, soft: 1 }]],
  ['process.rlimits', [{ type: 'RLIMIT_NOFILE', hard: 1.5, soft: 1 }]],
  ['process.noNewPrivileges', 1],
  ['process.oomScoreAdj', 'low'],
  ['mounts', {}],
  ['mounts', ['/proc']],
  ['mounts', [{ destination: 1 }]],
  ['mounts', [{ destination: '/x', type: 1 }]],
  ['mounts', [{ destination: '/x', type: 'tmpfs', options: 'ro' }]],
  ['hooks', []],
  ['hooks.prestart', {}],
  ['hooks.prestart', [{ path: 1 }]],
  ['hooks.prestart', [{ path: '/bin/true', timeout: 'soon' }]],
  ['annotations', []],
  ['annotations', { a: 1 }],
  ['linux', []],
  ['linux.namespaces', {}],
  ['linux.namespaces', ['pid']],
  ['linux.namespaces', [{ type: 1 }]],
  ['linux.uidMappings', [{ containerID: -1, hostID: 0, size: 1 }]],
  ['linux.uidMappings', [{ containerID: 0, hostID: 0, size: 4294967296 }]],
  ['linux.uidMappings', [{ containerID: 0, hostID: '0', size: 1 }]],
  ['linux.devices', {}],
  ['linux.devices', [{ path: 1 }]],
  ['linux.cgroupsPath', 5],
  ['linux.sysctl', []],
  ['linux.sysctl', { 'net.ipv4.ip_forward': 1 }],
  ['linux.maskedPaths', '/proc'],
  ['linux.readonlyPaths', [1]],
  ['linux.resources', []],
  ['linux.resources.memory.limit', '64M'],
  ['linux.resources.memory.limit', 1.5],
  ['linux.resources.memory.limit', 1e30],
  ['linux.resources.pids.limit', 'many'],
  ['linux.resources.cpu.shares', -1],
  ['linux.resources.devices', {}],
  ['linux.seccomp', []],
  ['linux.seccomp.defaultAction', 1],
];
for (const [path, value] of wrong) {
  test(
    `config.json: a field of a wrong type or range is refused (${path} = ${JSON.stringify(value)})`,
    refusedWith(path, value),
  );
}

test('config.json: what is wrong is named', refusedWith('process.user.uid', 'root', /uid/));

test('process.args: none are refused', refusedWith('process.args', []));
test('process.args: an empty program is refused', refusedWith('process.args', ['']));
test('process.args: a NUL is refused', refusedWith('process.args', ['true\0x']));
test('process.env: a NUL is refused', refusedWith('process.env', ['PATH=/bin', 'A=b\0c']));
test('process.env: a variable without = is refused', refusedWith('process.env', ['PATH=/bin', 'NAME']));
test('process.cwd: a relative one is refused', refusedWith('process.cwd', 'work', /cwd.* an absolute path/i));
test('process.cwd: an empty one is refused', refusedWith('process.cwd', ''));
test(
  'process.rlimits: an unknown name is refused',
  refusedWith('process.rlimits', [{ type: 'RLIMIT_FOO', hard: 1, soft: 1 }], /RLIMIT_FOO/),
);
test(
  'process.rlimits: soft above hard is refused',
  refusedWith('process.rlimits', [{ type: 'RLIMIT_CORE', hard: 1, soft: 2 }]),
);
test('hostname: without a uts namespace it is refused', () =>
  refused((bundle) => {
    const namespaces = bundle.config.linux.namespaces.filter(({ type }) => type !== 'uts');
    return withValue(bundle, 'linux.namespaces', namespaces);
  }));
test('linux.namespaces: an unknown type is refused', () =>
  refused(
    (bundle) => withValue(bundle, 'linux.namespaces', [...bundle.config.linux.namespaces, { type: 'foo' }]),
    /foo/,
  ));
test('linux.namespaces: a type twice is refused', () =>
  refused((bundle) =>
    withValue(bundle, 'linux.namespaces', [...bundle.config.linux.namespaces, { type: 'uts' }]),
  ));
test('linux.namespaces: a path that is absent is refused', () =>
  refused((bundle) =>
    withValue(
      bundle,
      'linux.namespaces',
      bundle.config.linux.namespaces.map((one) =>
        one.type === 'uts' ? { ...one, path: '/no/such/ns' } : one,
      ),
    ),
  ));
test('linux.namespaces: a path of another type is refused', () =>
  refused((bundle) =>
    withValue(
      bundle,
      'linux.namespaces',
      bundle.config.linux.namespaces.map((one) =>
        one.type === 'uts' ? { ...one, path: '/proc/self/ns/ipc' } : one,
      ),
    ),
  ));
test('mounts: an empty destination is refused', refusedWith('mounts', [{ destination: '', type: 'tmpfs' }]));
test(
  'mounts: an unknown type is refused',
  refusedWith('mounts', [{ destination: '/work', type: 'no-such-fs', source: 'x' }]),
);
test('mounts: a source that is absent is refused by its name', () =>
  refused(
    (bundle) =>
      withValue(bundle, 'mounts', [
        ...bundle.config.mounts,
        { destination: '/work', type: 'bind', source: '/no/such/source', options: ['bind'] },
      ]),
    /\/no\/such\/source.*no such file or directory/i,
  ));
test(
  'linux.sysctl: one of the host’s is refused',
  refusedWith('linux.sysctl', { 'kernel.panic': '1' }, /kernel\.panic/),
);
test('linux.sysctl: a path is refused', refusedWith('linux.sysctl', { 'net/../../etc/passwd': '1' }));
test(
  'linux.seccomp: an unknown action is refused',
  refusedWith('linux.seccomp', { defaultAction: 'SCMP_ACT_FOO' }, /SCMP_ACT_FOO/),
);
test(
  'linux.seccomp: an unknown architecture is refused',
  refusedWith(
    'linux.seccomp',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_FOO'],
      syscalls: [{ names: ['ptrace'], action: 'SCMP_ACT_ERRNO' }],
    },
    /SCMP_ARCH_FOO/,
  ),
);
test(
  'linux.seccomp: an unknown operator is refused',
  refusedWith(
    'linux.seccomp',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [
        { names: ['ptrace'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 1, op: 'SCMP_CMP_FOO' }] },
      ],
    },
    /SCMP_CMP_FOO/,
  ),
);
test(
  'linux.rootfsPropagation: an unknown one is refused',
  refusedWith('linux.rootfsPropagation', 'sideways'),
);
test.runIf(isOurs)(
  'linux.devices: an unknown type is refused',
  refusedWith('linux.devices', [{ path: '/dev/x', type: 'q', major: 1, minor: 3 }]),
);

test.runIf(isOurs)('ociVersion: nonsense is refused', refusedWith('ociVersion', 'nonsense', /nonsense/));
test.runIf(isOurs)('ociVersion: 2.0.0 is refused', refusedWith('ociVersion', '2.0.0', /2\.0\.0/));
test.runIf(isOurs)(
  'ociVersion: a missing one is refused',
  refusedWith('ociVersion', undefined, /ociVersion/),
);

for (const version of ['1.0.0', '1.0.2-dev', '1.1.0+dev', '1.2.1', '1.3.0', '1.9.9']) {
  test(`ociVersion: any 1.x is accepted (${version})`, async () => {
    await using runtime = new Runtime();
    await runtime.create((config) => {
      nothing(config);
      config.ociVersion = version;
    });
  });
}

test('config.json: unknown fields are ignored, at any depth', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const { config } = bundle;
  const extra = { 'org.example': [1, { deep: null }], zzz: 1.5e300 };
  bundle.write(
    JSON.stringify({
      ...config,
      ...extra,
      process: { ...config.process, ...extra },
      linux: { ...config.linux, ...extra },
      windows: { layerFolders: [] },
    }),
  );
  await runtime.ok(['create', '--bundle', bundle.path, runtime.id()]);
});

test('config.json: null stands for what is not there', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const { config } = bundle;
  bundle.write(
    JSON.stringify({ ...config, hooks: null, annotations: null, linux: { ...config.linux, sysctl: null } }),
  );
  await runtime.ok(['create', '--bundle', bundle.path, runtime.id()]);
});

test('config.json: escapes of JSON are read', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['echo', 'XX'];
  });
  bundle.write(JSON.stringify(bundle.config).replace('XX', 'a\\u00e9\\ud83d\\ude00\\n\\"\\/'));
  const { stdout } = await runtime.ok(['run', '--bundle', bundle.path, runtime.id()]);
  expect(stdout).toBe('aé😀\n"/\n');
});

test('config.json: one of a megabyte is read', async () => {
  await using runtime = new Runtime();
  await runtime.create((config) => {
    nothing(config);
    config.annotations = { 'org.example.large': 'x'.repeat(1_000_000) };
  });
});

// A file where a reader would wait for ever.
for (const [what, make] of Object.entries({
  'a FIFO': (path: string) => execFileSync('mkfifo', [path]),
  'a directory': (path: string) => mkdirSync(path),
  'a link to /dev/zero': (path: string) => symlinkSync('/dev/zero', path),
  'a link to itself': (path: string) => symlinkSync('config.json', path),
})) {
  test.runIf(isOurs || /directory|itself/.test(what))(
    `config.json: ${what} in its place is refused at once`,
    async () => {
      await using runtime = new Runtime();
      const bundle = runtime.bundle(nothing);
      const path = join(bundle.path, 'config.json');
      rmSync(path);
      make(path);
      await refusalOfCreate(runtime, bundle);
      expect(runtime.leftovers()).toEqual([]);
    },
  );
}

for (const file of ['passwd', 'group']) {
  test.runIf(isOurs)(`config.json: a FIFO as the image's /etc/${file} does not hang anything`, async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle(nothing);
    rmSync(bundle.inside('etc', file));
    execFileSync('mkfifo', [bundle.inside('etc', file)]);
    const result = await runtime.call(['run', '--bundle', bundle.path, runtime.id()]);
    if (result.code !== 0) refusal(result);
  });

  test.runIf(isOurs)(`config.json: an image's /etc/${file} of nonsense does not matter`, async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle(nothing);
    writeFileSync(
      bundle.inside('etc', file),
      `:::\nroot\n\0\xff:x:${'9'.repeat(100)}:::\n${'y'.repeat(100_000)}`,
    );
    const result = await runtime.call(['run', '--bundle', bundle.path, runtime.id()]);
    expect(result.code).toBe(0);
  });
}
