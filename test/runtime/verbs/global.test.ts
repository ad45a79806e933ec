import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { errorLines, refusal } from '../support/expect.js';
import { type Patch, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

const nothing: Patch = (config) => {
  config.process.args = ['true'];
};

test('--root: holds the state of the containers', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create(nothing);
  expect(runtime.states()).toEqual([box.id]);
  expect((await runtime.call(['--root', join(runtime.folder, 'other'), 'state', box.id])).code).toBe(1);
});

test('--root: containers of the same ID in two roots do not know each other', async () => {
  await using one = new Runtime();
  await using two = new Runtime();
  await one.create(nothing, { id: 'same' });
  await two.create(nothing, { id: 'same' });
  await one.ok(['delete', 'same']);
  expect((await two.call(['state', 'same'])).code).toBe(0);
});

test('--root: is made where it is absent, for its owner alone', async () => {
  await using runtime = new Runtime();
  await runtime.create(nothing);
  const { statSync } = await import('node:fs');
  expect(statSync(runtime.root).mode & 0o077 & ~0o011).toBe(0);
});

test('--root: a relative one is relative to the working directory', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const id = runtime.id();
  // The last --root counts.
  await runtime.ok(['--root', 'state', 'create', '--bundle', bundle.path, id], { cwd: runtime.folder });
  expect(runtime.states()).toEqual([id]);
});

testWhere(isRoot && isOurs)('--root: is /run/nsbox where nothing is said', async () => {
  await using runtime = new Runtime();
  const { stdout } = await runtime.ok(['--help']);
  expect(stdout).toContain('/run/nsbox');
});

testWhere(!isRoot && isOurs)('--root: is $XDG_RUNTIME_DIR/nsbox for an ordinary user', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const id = runtime.id();
  const env = { XDG_RUNTIME_DIR: runtime.folder };
  const { Call } = await import('../support/call.js');
  const call = async (...args: string[]): Promise<number | undefined> =>
    (await new Call(runtime.folder, args, { env }).result).code;
  expect(await call('create', '--bundle', bundle.path, id)).toBe(0);
  expect(existsSync(join(runtime.folder, 'nsbox', id))).toBe(true);
  expect(await call('delete', '--force', id)).toBe(0);
});

test('--log: gets the error, in logrus’s text form, and stderr the bare words', async () => {
  await using runtime = new Runtime();
  const log = join(runtime.folder, 'log');
  const result = await runtime.call(['--log', log, 'state', 'no-such']);
  expect(result).toMatchObject({ code: 1, stderr: 'container does not exist\n' });
  expect(readFileSync(log, 'utf8')).toMatch(
    /^time="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)" level=error msg="container does not exist"\n$/,
  );
});

test('--log: is appended to', async () => {
  await using runtime = new Runtime();
  const log = join(runtime.folder, 'log');
  writeFileSync(log, 'before\n');
  await runtime.call(['--log', log, 'state', 'no-such']);
  await runtime.call(['--log', log, 'state', 'no-such']);
  const text = readFileSync(log, 'utf8');
  expect(text.startsWith('before\n')).toBe(true);
  expect(errorLines(text)).toHaveLength(2);
});

test('--log: a file that cannot be opened is refused', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const result = await runtime.call([
    '--log',
    '/no/such/log',
    'create',
    '--bundle',
    bundle.path,
    runtime.id(),
  ]);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('/no/such/log');
  expect(runtime.leftovers()).toEqual([]);
});

test('--log: stays empty when all is well', async () => {
  await using runtime = new Runtime();
  const log = join(runtime.folder, 'log');
  const bundle = runtime.bundle(nothing);
  await runtime.ok(['--log', log, '--log-format', 'json', 'create', '--bundle', bundle.path, runtime.id()]);
  expect(existsSync(log) ? readFileSync(log, 'utf8') : '').toBe('');
});

test('--log-format json: one object a line, with level, msg and time, as containerd reads it', async () => {
  await using runtime = new Runtime();
  const log = join(runtime.folder, 'log.json');
  const bundle = runtime.bundle((config) => {
    config.process.args = ['no-such-program'];
  });
  const args = ['--log', log, '--log-format', 'json', 'create', '--bundle', bundle.path, runtime.id()];
  expect((await runtime.call(args)).code).toBe(1);
  const lines: { level: string; msg: string; time: string }[] = readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const last = lines.findLast(({ level }) => level === 'error');
  expect(last?.msg).toContain('exec: "no-such-program": executable file not found in $PATH');
  expect(Date.parse(last?.time ?? '')).toBeGreaterThan(0);
});

test('--log-format json: on stderr too, where no --log is given', async () => {
  await using runtime = new Runtime();
  const { stderr } = await runtime.call(['--log-format', 'json', 'state', 'no-such']);
  expect(JSON.parse(stderr)).toEqual({
    level: 'error',
    msg: 'container does not exist',
    time: expect.any(String),
  });
});

test('--log-format json: what a user wrote is quoted as JSON wants it', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const { stderr } = await runtime.call(['--log-format', 'json', 'kill', box.id, 'a"b\\c\nd\u0001e\u00e9']);
  expect(JSON.parse(stderr.trim()).msg).toContain('unknown signal');
});

test('--log-format text: what a user wrote cannot make a line of its own', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const result = await runtime.call(['kill', box.id, 'a\ntime="x" level=error msg="forged"']);
  expect(result.code).toBe(1);
  expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
});

test('--log-format: an unknown one is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.call(['--log-format', 'xml', 'list']);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('xml');
});

test('--debug: tells more', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const result = await runtime.ok(['--debug', 'create', '--bundle', bundle.path, runtime.id()]);
  expect(result.stderr).toContain('level=debug');
});

test.runIf(isOurs)('--log-level: debug tells more, error less', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['true'];
    config.process.capabilities = { bounding: ['CAP_NO_SUCH' as 'CAP_CHOWN'] };
  });
  const id = runtime.id();
  const stderr = async (level: string): Promise<string> => {
    const result = await runtime.ok(['--log-level', level, 'create', '--bundle', bundle.path, id]);
    await runtime.ok(['delete', id]);
    return result.stderr;
  };
  expect(await stderr('debug')).toContain('level=debug');
  expect(await stderr('warning')).toMatch(/^time=.* level=warning .*CAP_NO_SUCH/);
  expect(await stderr('error')).toBe('');
});

test.runIf(isOurs)('--log-level: an unknown one is refused', async () => {
  await using runtime = new Runtime();
  expect((await runtime.call(['--log-level', 'loud', 'list'])).code).toBe(1);
});

test('--criu: is accepted', async () => {
  await using runtime = new Runtime();
  await runtime.ok(['--criu', '/usr/sbin/criu', 'list']);
});

for (const value of ['true', 'false', 'auto']) {
  test(`--rootless: ${value} is accepted`, async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle(nothing);
    const id = runtime.id();
    if (!isRoot && value === 'false') return;
    await runtime.ok(['--rootless', value, 'create', '--bundle', bundle.path, id]);
    await runtime.ok(['--rootless', value, 'delete', id]);
  });
}

test('--rootless: what is neither is refused', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  expect(
    (await runtime.call(['--rootless', 'perhaps', 'create', '--bundle', bundle.path, runtime.id()])).code,
  ).toBe(1);
  expect(runtime.states()).toEqual([]);
});

test.runIf(isOurs)('--cgroup-manager: disabled makes no cgroup', async () => {
  await using runtime = new Runtime(['--cgroup-manager', 'disabled']);
  const box = await runtime.create(nothing);
  expect(readFileSync(`/proc/${box.pid}/cgroup`, 'utf8')).toBe(readFileSync('/proc/self/cgroup', 'utf8'));
});

test.runIf(isOurs)('--cgroup-manager: cgroupfs is the default', async () => {
  await using runtime = new Runtime(['--cgroup-manager=cgroupfs']);
  const box = await runtime.create(nothing);
  const path = box.bundle.config.linux.cgroupsPath ?? '';
  expect(readFileSync(`/proc/${box.pid}/cgroup`, 'utf8')).toContain(path);
});

test.runIf(isOurs)('--cgroup-manager: an unknown one is refused', async () => {
  await using runtime = new Runtime();
  expect((await runtime.call(['--cgroup-manager', 'openrc', 'list'])).code).toBe(1);
});

testWhere(isRoot && !existsSync('/run/systemd/system'))(
  '--systemd-cgroup: without systemd it is refused',
  async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      config.process.args = ['true'];
      config.linux.cgroupsPath = 'system.slice:nsbox:test';
    });
    const result = await runtime.call(['--systemd-cgroup', 'create', '--bundle', bundle.path, runtime.id()]);
    expect(refusal(result)).toMatch(/systemd/);
    expect(runtime.leftovers()).toEqual([]);
  },
);

testWhere(isRoot && isOurs && !existsSync('/run/systemd/system'))(
  '--cgroup-manager: systemd is --systemd-cgroup',
  async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      config.process.args = ['true'];
      config.linux.cgroupsPath = 'system.slice:nsbox:test';
    });
    const args = ['--cgroup-manager', 'systemd', 'create', '--bundle', bundle.path, runtime.id()];
    expect(refusal(await runtime.call(args))).toMatch(/systemd/);
  },
);

test('--version: tells the name, the version and that of the specification', async () => {
  await using runtime = new Runtime();
  const { stdout } = await runtime.ok(['--version']);
  expect(stdout).toMatch(/^[\w-]+ version \d+\.\d+\.\d+.*\n(.*\n)*spec: 1\.\d+\.\d+/);
  expect((await runtime.ok(['-v'])).stdout).toBe(stdout);
});

test('--help: tells the verbs and the global flags', async () => {
  await using runtime = new Runtime();
  const { stdout } = await runtime.ok(['--help']);
  for (const word of [
    'create',
    'start',
    'kill',
    'delete',
    'exec',
    'events',
    '--root',
    '--log',
    '--systemd-cgroup',
  ])
    expect(stdout).toContain(word);
  expect((await runtime.ok(['-h'])).stdout).toBe(stdout);
});

const verbs =
  'create start state kill delete run exec ps list pause resume update events checkpoint restore features spec';
for (const verb of verbs.split(' ')) {
  test(`--help: ${verb} -h and ${verb} --help tell how ${verb} is used, and do nothing`, async () => {
    await using runtime = new Runtime();
    const { stdout, stderr } = await runtime.ok([verb, '--help']);
    expect(stdout).toContain(verb);
    expect(stderr).toBe('');
    expect((await runtime.ok([verb, '-h'])).stdout).toBe(stdout);
  });
}

test('--help: an unknown verb is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.call(['no-such-verb']);
  expect(result.code).not.toBe(0);
  expect(result.stderr).toContain('no-such-verb');
});

test('--help: an unknown global flag is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['--no-such-flag', 'list']))).toContain(
    'flag provided but not defined: -no-such-flag',
  );
});

test('--root: an empty directory of another’s, not writable, is refused', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const file = join(runtime.folder, 'file');
  writeFileSync(file, '');
  const result = await runtime.call(['--root', file, 'create', '--bundle', bundle.path, runtime.id()]);
  expect(refusal(result)).toMatch(/not a directory/i);
  rmSync(file);
  mkdirSync(file);
});
