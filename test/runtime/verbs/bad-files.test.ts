import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { hasGroups, isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { refusal, refusalOfCreate } from '../support/expect.js';
import { fullDevice } from '../support/full-device.js';
import { type Container, type Patch, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

const testOurs = testWhere(isOurs);
const testOursRoot = testWhere(isRoot && isOurs);
const nothing: Patch = (config) => {
  config.process.args = ['true'];
};

/** By its groups a container is found without its state too; where there are none, nobody knows of it any more. */
async function isGone(box: Container): Promise<void> {
  if (!(isRoot && hasGroups)) process.kill(box.pid, 'SIGKILL');
  await box.ended();
}

// What a crash, a full disk or a hand in the wrong place may have made of a state file.
const DAMAGES: Readonly<Record<string, (text: string) => string | Uint8Array>> = {
  empty: () => '',
  'cut off': (text) => text.slice(0, text.length / 2),
  'an array': () => '[]',
  'an empty object': () => '{}',
  null: () => 'null',
  'zeros of a file system': (text) => new Uint8Array(text.length),
  'numbers as texts': (text) => text.replace(/:(\d+)/g, ':"$1"'),
  'negative numbers': (text) => text.replace(/:(\d+)/g, ':-$1'),
  'a huge pid': (text) => text.replace(/"(pid|init_process_pid)":\d+/g, '"$1":99999999999999999999'),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  testOurs(
    `state file: a damaged one makes each verb fail at once, and delete --force clears it (${what})`,
    async () => {
      await using runtime = new Runtime();
      const box = await runtime.pause();
      const file = join(runtime.root, box.id, 'state.json');
      writeFileSync(file, damage(readFileSync(file, 'utf8')));
      for (const verb of ['state', 'start', 'kill', 'ps', 'delete'])
        refusal(await runtime.call([verb, box.id]));
      expect((await box.exec(['true'])).code).toBe(255);
      expect(await runtime.call(['list', '-q'])).toMatchObject({ signal: undefined });
      await runtime.ok(['delete', '--force', box.id]);
      expect(runtime.states()).toEqual([]);
      await isGone(box);
    },
  );
}

testOurs('state file: where its copy is damaged too, delete --force still ends the process', async () => {
  await using runtime = new Runtime(['--cgroup-manager', 'disabled']);
  const box = await runtime.pause();
  for (const name of ['state.json', 'state.copy.json']) writeFileSync(join(runtime.root, box.id, name), '{');
  await runtime.ok(['delete', '--force', box.id]);
  expect(runtime.states()).toEqual([]);
  await box.ended();
});

testOurs(
  'state file: a missing one makes each verb fail, and delete --force clears the directory',
  async () => {
    await using runtime = new Runtime();
    const box = await runtime.create(nothing);
    process.kill(box.pid, 'SIGKILL');
    rmSync(join(runtime.root, box.id, 'state.json'));
    for (const verb of ['state', 'start', 'kill', 'delete']) refusal(await runtime.call([verb, box.id]));
    await runtime.ok(['delete', '--force', box.id]);
    expect(runtime.states()).toEqual([]);
  },
);

for (const [what, make] of Object.entries({
  'a FIFO': (path: string) => execFileSync('mkfifo', [path]),
  'a directory': (path: string) => mkdirSync(path),
})) {
  testOurs(`state file: ${what} in its place does not hang anything`, async () => {
    await using runtime = new Runtime();
    const box = await runtime.create(nothing);
    const file = join(runtime.root, box.id, 'state.json');
    rmSync(file);
    make(file);
    refusal(await runtime.call(['state', box.id]));
    await runtime.call(['list']);
    await runtime.ok(['delete', '--force', box.id]);
    expect(runtime.states()).toEqual([]);
    await isGone(box);
  });
}

testOurs('state file: a recycled pid is not taken for the container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  const file = join(runtime.root, box.id, 'state.json');
  // Another process has the number now.
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`${box.pid}`, `${process.pid}`));
  expect(await box.status()).toBe('stopped');
  expect(refusal(await runtime.call(['kill', box.id, 'TERM']))).toBe('container not running');
  await box.delete('--force');
});

test('state file: other files in --root are left alone', async () => {
  await using runtime = new Runtime();
  mkdirSync(runtime.root);
  writeFileSync(join(runtime.root, 'note'), 'mine');
  const box = await runtime.create(nothing);
  expect((await runtime.ok(['list', '-q'])).stdout).toBe(`${box.id}\n`);
  await box.delete();
  expect(readFileSync(join(runtime.root, 'note'), 'utf8')).toBe('mine');
});

for (const args of [
  ['state', 'ID'],
  ['list'],
  ['list', '-q'],
  ['features'],
  ['--version'],
  ['--help'],
  ['list', '-f', 'json'],
]) {
  testOurs(`output: what cannot be written is an error (${args.join(' ')} > /dev/full)`, async () => {
    await using runtime = new Runtime();
    const box = await runtime.create(nothing);
    const result = await runtime.call(
      args.map((word) => (word === 'ID' ? box.id : word)),
      { files: ['/dev/null', fullDevice(runtime.folder), join(runtime.folder, 'err')] },
    );
    expect(result.code).not.toBe(0);
    expect(result.signal).toBe(undefined);
    expect(readFileSync(join(runtime.folder, 'err'), 'utf8')).toMatch(/no space left on device/i);
  });
}

testOurs('output: a pid file on a full disk makes create fail, and nothing stays', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const full = fullDevice(runtime.folder);
  const result = await runtime.call(['create', '-b', bundle.path, '--pid-file', full, runtime.id()]);
  expect(refusal(result)).toMatch(/no space left on device/i);
  expect(statSync(full).isCharacterDevice()).toBe(true);
  expect(runtime.leftovers()).toEqual([]);
});

testOurs('output: a log that cannot be written does not keep a container from its life', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const log = ['--log', fullDevice(runtime.folder)];
  expect((await runtime.call([...log, 'start', box.id])).code).toBe(1);
  await runtime.ok([...log, 'delete', '--force', box.id]);
});

test('output: closed stdin, stdout and stderr do not confuse anything', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sh', '-c', 'echo lost; echo kept > /work/out'];
  });
  const id = runtime.id();
  const result = await runtime.call(['run', '--bundle', bundle.path, id], {
    through: ['sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh'],
  });
  expect(result.signal).toBe(undefined);
  if (result.code === 0) expect(readFileSync(bundle.inside('work/out'), 'utf8')).toBe('kept\n');
});

testOursRoot('full disk: create fails with a clear error, and leaves nothing', async () => {
  await using runtime = new Runtime();
  const small = join(runtime.folder, 'small');
  mkdirSync(small);
  const bundle = runtime.bundle(nothing);
  const id = runtime.id();
  // In a mount namespace of its own, so that nothing has to be cleared behind it.
  const script = `mount -t tmpfs -o size=16k none ${small} && dd if=/dev/zero of=${small}/fill bs=1k count=100 2>/dev/null; "$@"; code=$?; ls ${small} >&2; exit $code`;
  const result = await runtime.call(['--root', `${small}/state`, 'create', '--bundle', bundle.path, id], {
    through: ['unshare', '-m', 'sh', '-c', script, 'sh'],
  });
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/no space left on device/i);
  expect(runtime.leftovers()).toEqual([]);
});

testOursRoot('full disk: a disk that fills up while create writes leaves nothing that runs', async () => {
  await using runtime = new Runtime();
  const small = join(runtime.folder, 'small');
  mkdirSync(small);
  const bundle = runtime.bundle(nothing);
  for (const pages of [1, 2, 3, 4, 5, 6]) {
    const id = runtime.id();
    const script = `mount -t tmpfs -o nr_blocks=${pages} none ${small} && "$@"; code=$?; shift; [ $code = 0 ] && ${'"$0"'} --root ${small}/state delete --force ${id}; exit $code`;
    const result = await runtime.call(['--root', `${small}/state`, 'create', '--bundle', bundle.path, id], {
      through: [
        'unshare',
        '-m',
        'sh',
        '-c',
        script,
        (await import('../support/under-test.js')).underTest.path,
      ],
    });
    if (result.code !== 0) expect(result.stderr).toMatch(/no space left on device/i);
    expect(runtime.leftovers()).toEqual([]);
  }
});

testWhere(isRoot)('cgroup: one that cannot be written makes create fail, and nothing stays', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle(nothing);
  const script =
    'for m in $(awk \'$3 ~ /^cgroup2?$/ {print $2}\' /proc/self/mounts); do mount -o remount,bind,ro $m || exit 9; done; exec "$@"';
  const result = await runtime.call(['create', '--bundle', bundle.path, runtime.id()], {
    through: ['unshare', '-m', 'sh', '-c', script, 'sh'],
  });
  expect(refusal(result)).toMatch(/read-only file system/i);
  expect(runtime.leftovers()).toEqual([]);
});

testWhere(isRoot)(
  'cgroup: a limit that the kernel refuses makes create fail, and nothing stays',
  async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      nothing(config);
      config.linux.resources = { ...config.linux.resources, cpu: { cpus: '4000-4001' } };
    });
    expect(await refusalOfCreate(runtime, bundle)).toMatch(/cpuset\.cpus/);
    expect(runtime.leftovers()).toEqual([]);
  },
);

testOurs('--log: a FIFO that nobody reads does not hang anything', async () => {
  await using runtime = new Runtime();
  const log = join(runtime.folder, 'log');
  execFileSync('mkfifo', [log]);
  const result = await runtime.call(['--log', log, 'list']);
  expect(result).toMatchObject({ code: 1, signal: undefined });
  expect(result.stderr).toContain(`open the log ${log}`);
});

testOurs('delete --force: leaves alone what has got the name meanwhile', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create(nothing);
  const folder = join(runtime.root, box.id);
  const holder = spawn('flock', [folder, 'sleep', '1']);
  await delay(300);
  const deleting = runtime.ok(['delete', '--force', box.id]);
  await delay(300);
  renameSync(folder, `${folder}.old`);
  const bundle = runtime.bundle(nothing);
  await runtime.ok(['create', '--bundle', bundle.path, box.id]);
  await deleting;
  expect(holder.exitCode).toBe(0);
  expect(JSON.parse((await runtime.ok(['state', box.id])).stdout)).toMatchObject({ status: 'created' });
  await runtime.ok(['delete', '--force', box.id]);
});
