import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { refusal, refusalOfCreate } from '../support/expect.js';
import { type Bundle, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

const nothing = (config: Bundle['config']): void => {
  config.process.args = ['true'];
};

// Before it runs, the process of a container is closed to an ordinary user: it is still the runtime's own.
test.runIf(isRoot)('create: makes a container whose program does not run before start', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create((config) => {
    config.process.args = ['sh', '-c', 'touch /work/ran'];
  });
  expect(await box.status()).toBe('created');
  expect(await box.sh('ls /work')).toBe('');
});

test('create: prints nothing when all is well', async () => {
  await using runtime = new Runtime();
  const { stdout, stderr } = await runtime.create(nothing);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});

test('create: --bundle names the bundle', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const id = runtime.id();
  await runtime.ok(['create', '--bundle', bundle.path, id]);
  expect(JSON.parse((await runtime.ok(['state', id])).stdout).bundle).toBe(bundle.path);
});

test('create: -b and --bundle=… are the same flag', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  await runtime.ok(['create', '-b', bundle.path, runtime.id()]);
  delete bundle.config.linux.cgroupsPath;
  bundle.write();
  await runtime.ok(['create', `--bundle=${bundle.path}`, runtime.id()]);
});

test('create: without --bundle, the working directory is the bundle', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const id = runtime.id();
  await runtime.ok(['create', id], { cwd: bundle.path });
  expect(JSON.parse((await runtime.ok(['state', id])).stdout).bundle).toBe(bundle.path);
});

test('create: a relative --bundle is relative to the working directory', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const id = runtime.id();
  await runtime.ok(['create', '--bundle', bundle.path.replace(/.*\//, ''), id], { cwd: runtime.folder });
  expect(JSON.parse((await runtime.ok(['state', id])).stdout).bundle).toBe(bundle.path);
});

test.runIf(isOurs && isRoot)('create: --config names another file than config.json', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const other = join(runtime.folder, 'other.json');
  writeFileSync(other, JSON.stringify({ ...bundle.config, hostname: 'another' }));
  const id = runtime.id();
  await runtime.ok(['create', '--bundle', bundle.path, '--config', other, id]);
  expect((await runtime.ok(['exec', id, 'hostname'])).stdout).toBe('another\n');
});

test.runIf(isOurs && isRoot)('create: -f is --config', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  writeFileSync(join(bundle.path, 'other.json'), JSON.stringify({ ...bundle.config, hostname: 'another' }));
  const id = runtime.id();
  await runtime.ok(['create', '-b', bundle.path, '-f', join(bundle.path, 'other.json'), id]);
  expect((await runtime.ok(['exec', id, 'hostname'])).stdout).toBe('another\n');
});

test('create: --pid-file gets the pid, without a newline', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create(nothing);
  const text = readFileSync(join(box.bundle.path, 'pid'), 'utf8');
  expect(text).toMatch(/^\d+$/);
  expect((await box.state()).pid).toBe(Number(text));
});

test("create: a --pid-file is relative to the caller's directory", async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const id = runtime.id();
  await runtime.ok(['create', '--bundle', bundle.path, '--pid-file', 'here.pid', id], {
    cwd: runtime.folder,
  });
  expect(readFileSync(join(runtime.folder, 'here.pid'), 'utf8')).toMatch(/^\d+$/);
});

test('create: a --pid-file that cannot be written is refused, and nothing stays', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const result = await runtime.call([
    'create',
    '-b',
    bundle.path,
    '--pid-file',
    '/nothing/here/pid',
    runtime.id(),
  ]);
  expect(refusal(result)).toMatch(/no such file or directory/i);
  expect(runtime.leftovers()).toEqual([]);
});

test('create: the container has its program’s stdin, stdout and stderr from the caller', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create(
    (config) => {
      config.process.args = ['sh', '-c', 'cat; echo wrong >&2'];
    },
    { input: 'typed' },
  );
  await box.start();
  await box.ended();
  expect({ stdout: box.stdout, stderr: box.stderr }).toEqual({ stdout: 'typed', stderr: 'wrong\n' });
});

test('create: an ID that exists is refused, and the container is not disturbed', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create(nothing);
  const other = runtime.bundle(nothing);
  const result = await runtime.call(['create', '--bundle', other.path, box.id]);
  expect(refusal(result)).toContain('container with given ID already exists');
  expect(await box.status()).toBe('created');
  expect(box.isAlive()).toBe(true);
});

test('create: a program that is not in $PATH is refused with "executable file not found in $PATH"', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['no-such-program'];
  });
  expect(await refusalOfCreate(runtime, bundle)).toContain(
    'exec: "no-such-program": executable file not found in $PATH',
  );
  expect(runtime.leftovers()).toEqual([]);
});

test('create: the container’s $PATH is searched, not the caller’s', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['true'];
    config.process.env = ['PATH=/nowhere'];
  });
  expect(await refusalOfCreate(runtime, bundle)).toContain('executable file not found in $PATH');
});

test('create: an absolute program that is absent is refused with "no such file or directory"', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['/bin/no-such-program'];
  });
  expect(await refusalOfCreate(runtime, bundle)).toMatch(
    /\/bin\/no-such-program.*no such file or directory/i,
  );
  expect(runtime.leftovers()).toEqual([]);
});

test('create: a program that may not be executed is refused with "permission denied"', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['/etc/passwd'];
  });
  expect(await refusalOfCreate(runtime, bundle)).toMatch(/\/etc\/passwd.*permission denied/);
  expect(runtime.leftovers()).toEqual([]);
});

test('create: a directory as program is refused with "permission denied" or "is a directory"', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['/bin'];
  });
  expect(await refusalOfCreate(runtime, bundle)).toMatch(/permission denied|is a directory/);
});

test('create: a terminal without --console-socket is refused', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.terminal = true;
  });
  expect(await refusalOfCreate(runtime, bundle)).toMatch(
    /cannot allocate tty if \w+ will detach without setting console socket/,
  );
});

test('create: --console-socket without a terminal is refused', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const result = await runtime.call([
    'create',
    '-b',
    bundle.path,
    '--console-socket',
    '/tmp/no.sock',
    runtime.id(),
  ]);
  expect(refusal(result)).toMatch(
    /cannot use console socket if \w+ will not detach or allocate tty|no\.sock/,
  );
});

test('create: a --console-socket that nobody listens on is refused', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.terminal = true;
  });
  const result = await runtime.call([
    'create',
    '--bundle',
    bundle.path,
    '--console-socket',
    join(runtime.folder, 'no.sock'),
    runtime.id(),
  ]);
  expect(refusal(result)).toMatch(/no such file or directory/i);
  expect(runtime.leftovers()).toEqual([]);
});

test('create: an absent bundle is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.call(['create', '--bundle', '/no/such/bundle', runtime.id()]);
  expect(refusal(result)).toMatch(/\/no\/such\/bundle: .*no such file or directory/i);
});

test('create: without an ID it is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.call(['create']);
  expect(refusal(result)).toContain('"create" requires exactly 1 argument(s)');
});

test('create: with two IDs it is refused', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const result = await runtime.call(['create', '--bundle', bundle.path, 'one', 'two']);
  expect(refusal(result)).toContain('"create" requires exactly 1 argument(s)');
  expect(runtime.states()).toEqual([]);
});

test('create: an unknown flag is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.call(['create', '--no-such-flag', runtime.id()]);
  expect(refusal(result)).toContain('flag provided but not defined: -no-such-flag');
});

test('create: a flag without its value is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.call(['create', '--bundle']);
  expect(refusal(result)).toContain('flag needs an argument: -bundle');
});

test('create: --preserve-fds hands further descriptors to the program', async () => {
  await using runtime = new Runtime();
  const file = join(runtime.folder, 'handed');
  writeFileSync(file, 'handed over');
  const fd = openSync(file, 'r');
  try {
    const box = await runtime.start(
      (config) => {
        config.process.args = ['sh', '-c', 'cat <&4'];
      },
      { flags: ['--preserve-fds', '2'], descriptors: [fd, fd] },
    );
    await box.ended();
    expect(box.stdout).toBe('handed over');
  } finally {
    closeSync(fd);
  }
});

test('create: as containerd calls it', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const [log, pidFile, id] = [join(bundle.path, 'log.json'), join(bundle.path, 'init.pid'), runtime.id()];
  const globals = ['--log', log, '--log-format', 'json'];
  await runtime.ok([...globals, 'create', '--bundle', bundle.path, '--pid-file', pidFile, id]);
  await runtime.ok([...globals, 'start', id]);
  await runtime.ok([...globals, 'delete', '--force', id]);
});

test.runIf(isRoot)('create: --no-pivot changes the root without pivot_root', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create(nothing, { flags: ['--no-pivot'] });
  expect(await box.sh('ls -d /work && hostname')).toBe('/work\ninside');
});

test('create: --no-new-keyring leaves the session keyring of the caller', async () => {
  await using runtime = new Runtime();
  const keys = (config: Bundle['config']): void => {
    config.linux.maskedPaths = [];
    config.process.args = ['cat', '/proc/keys'];
  };
  const fresh = await runtime.start(keys);
  const inherited = await runtime.start(keys, { flags: ['--no-new-keyring'] });
  await fresh.ended();
  await inherited.ended();
  expect(fresh.stdout).toContain(`_ses.${fresh.id}`);
  expect(inherited.stdout).not.toContain(`_ses.${inherited.id}`);
});

testWhere(isRoot && isOurs)('create: a cgroup that is not empty is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const other = runtime.bundle((config) => {
    config.process.args = ['true'];
    const path = box.bundle.config.linux.cgroupsPath;
    if (path !== undefined) config.linux.cgroupsPath = path;
  });
  const result = await runtime.call(['create', '--bundle', other.path, runtime.id()]);
  expect(refusal(result)).toMatch(/cgroup is not empty/);
  expect(await box.sh('echo still there')).toBe('still there');
});

testWhere(isRoot)('create: a cgroup that exists and is empty is used', async () => {
  await using runtime = new Runtime();
  const path = runtime.groupPath('made');
  mkdirSync(`/sys/fs/cgroup/pids${path}`);
  const box = await runtime.create((config) => {
    config.process.args = ['true'];
    config.linux.cgroupsPath = path;
  });
  expect(readFileSync(`/proc/${box.pid}/cgroup`, 'utf8')).toContain(path);
});
