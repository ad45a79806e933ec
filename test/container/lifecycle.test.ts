import { linkSync } from 'node:fs';
import { NsboxError, Sandbox } from 'nsbox';
import { expect, test } from 'vitest';
import { names, processTable, read } from '../support/leaks.js';
import { eventually } from '../support/polling.js';
import { TemporaryRoot } from '../support/temporary.js';

const PAUSE = ['/testinit', 'pause'];

function isThere(pid: number): boolean {
  return processTable().some((entry) => entry.pid === pid);
}

/** The pids, on this machine, of the processes whose parent is the given one. */
function childrenOf(pid: number): number[] {
  return processTable().flatMap((entry) => (entry.parent === pid ? [entry.pid] : []));
}

test('one command runs in a sandbox of its own', async () => {
  await using root = new TemporaryRoot();
  const result = await Sandbox.run(['/testinit', 'print', 'out', 'err'], { rootfs: root.path });
  expect(result).toMatchObject({
    command: ['/testinit', 'print', 'out', 'err'],
    exitCode: 0,
    signal: null,
    stdout: 'out',
    stderr: 'err',
    failed: false,
    timedOut: false,
    isCanceled: false,
    oomKilled: false,
  });
  expect(result.durationMs).toBeGreaterThan(0);
  expect(result.usage.memoryPeak).toBeGreaterThan(0);
});

test('a held sandbox runs many commands on one set of files', async () => {
  await using root = new TemporaryRoot();
  await using box = await Sandbox.create({ rootfs: root.path });
  await box.exec(['/testinit', 'write', '/note', 'kept']);
  expect((await box.exec(['/testinit', 'cat', '/note'])).stdout).toBe('kept');
  expect(names(root.path)).toEqual(['testinit']);
});

test('commands of one sandbox run at the same time', async () => {
  await using root = new TemporaryRoot();
  await using box = await Sandbox.create({ rootfs: root.path });
  const results = await Promise.all(
    Array.from({ length: 10 }, (_, i) => box.exec(['/testinit', 'print', String(i)])),
  );
  expect(results.map(({ stdout }) => stdout)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});

test('the exit code comes back', async () => {
  await using root = new TemporaryRoot();
  const failing = Sandbox.run(['/testinit', 'exit', '42'], { rootfs: root.path });
  await expect(failing).rejects.toMatchObject({
    name: 'CommandError',
    code: 'ERR_COMMAND_FAILED',
    exitCode: 42,
    signal: null,
    failed: true,
  });
});

test('the signal that ended a command comes back', async () => {
  await using root = new TemporaryRoot();
  const result = await Sandbox.run(['/testinit', 'raise', '15'], { rootfs: root.path, reject: false });
  expect(result).toMatchObject({ exitCode: null, signal: 'SIGTERM', failed: true });
});

test('disposing ends every process, and returns when they are gone', async () => {
  await using root = new TemporaryRoot();
  const box = await Sandbox.create({ rootfs: root.path });
  const running = box.exec(['/testinit', 'fork', '3', 'wait']).nothrow();
  for await (const line of running.stdout) if (String(line).includes('3')) break;
  const inside = childrenOf(box.pid);
  expect(inside).toHaveLength(1);
  await box[Symbol.asyncDispose]();
  expect([box.pid, ...inside].filter(isThere)).toEqual([]);
  expect(await running).toMatchObject({ signal: 'SIGKILL' });
});

test('what a command leaves running ends with its sandbox', async () => {
  await using root = new TemporaryRoot();
  // A name of its own: other tests run at the same time.
  const name = `left-${process.pid}`;
  linkSync(root.join('testinit'), root.join(name));
  await Sandbox.run([`/${name}`, 'orphan'], { rootfs: root.path });
  expect(processTable().filter((entry) => entry.name === name)).toEqual([]);
});

test('init reaps what others have left', async () => {
  await using root = new TemporaryRoot();
  await using box = await Sandbox.create({ rootfs: root.path });
  for (let i = 0; i < 5; i++) await box.exec(['/testinit', 'orphan', 'ends']);
  await eventually(
    () => childrenOf(box.pid),
    (pids) => pids.length === 0,
  );
});

test('kill() ends the sandbox, and wait() tells of it', async () => {
  await using root = new TemporaryRoot();
  const box = await Sandbox.create({ rootfs: root.path });
  box.kill();
  await box.wait();
  expect(isThere(box.pid)).toBe(false);
  expect(() => box.exec(PAUSE)).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
  await expect(box.fs.readFile('/testinit')).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  await expect(box.pause()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  await expect(box.snapshot()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
});

test('killing and disposing twice is no error', async () => {
  await using root = new TemporaryRoot();
  await using box = await Sandbox.create({ rootfs: root.path });
  box.kill();
  box.kill();
  await box[Symbol.asyncDispose]();
  await box[Symbol.asyncDispose]();
});

test('an aborted signal ends the sandbox', async () => {
  await using root = new TemporaryRoot();
  const controller = new AbortController();
  const box = await Sandbox.create({ rootfs: root.path, signal: controller.signal });
  const running = box.exec(PAUSE);
  controller.abort(new Error('enough'));
  await expect(running).rejects.toMatchObject({ signal: 'SIGKILL' });
  await box.wait();
});

test('a signal that is aborted already makes nothing', async () => {
  const signal = AbortSignal.abort();
  await expect(Sandbox.create({ signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect(() => Sandbox.run(['true'], { signal })).toThrow(expect.objectContaining({ code: 'ERR_ABORTED' }));
});

test('an abort while the sandbox is made leaves nothing of it', async () => {
  await using root = new TemporaryRoot();
  const controller = new AbortController();
  const making = Sandbox.create({ rootfs: root.path, signal: controller.signal });
  controller.abort();
  await expect(making).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

test('the time limit of a sandbox counts for each of its commands', async () => {
  await using root = new TemporaryRoot();
  await using box = await Sandbox.create({ rootfs: root.path, timeout: '50ms' });
  await expect(box.exec(PAUSE)).rejects.toMatchObject({ code: 'ERR_TIMEOUT', timedOut: true });
  await box.exec(['/testinit', 'true'], { timeout: '1m' });
});

test('a hundred sandboxes at once are a hundred', async () => {
  await using root = new TemporaryRoot();
  const count = 100;
  const results = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      Sandbox.run(['/testinit', 'print', String(i)], { rootfs: root.path }),
    ),
  );
  expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(count);
});

test('the sandbox has the name that it was given, inside too', async () => {
  await using root = new TemporaryRoot();
  await using box = await Sandbox.create({ rootfs: root.path, id: 'my-box' });
  expect(box.id).toBe('my-box');
  expect((await box.exec(['/testinit', 'hostname'])).stdout).toBe('my-box');
  await expect(Sandbox.create({ rootfs: root.path, id: 'my-box' })).rejects.toMatchObject({
    code: 'ERR_ALREADY_EXISTS',
  });
});

test('a name is free again when its sandbox has gone', async () => {
  await using root = new TemporaryRoot();
  for (let i = 0; i < 3; i++) {
    await using box = await Sandbox.create({ rootfs: root.path, id: 'again' });
    expect(box.id).toBe('again');
  }
  await expect(Sandbox.create({ rootfs: '/nonexistent', id: 'again' })).rejects.toBeInstanceOf(NsboxError);
  await Sandbox.run(['/testinit', 'true'], { rootfs: root.path, id: 'again' });
});

test('the machine sees init under its own name', async () => {
  await using root = new TemporaryRoot();
  await using box = await Sandbox.create({ rootfs: root.path });
  expect(read(`/proc/${box.pid}/comm`).trim()).toBe('nsbox-init');
});
