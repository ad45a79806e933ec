import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { directories, groups, names, processTable, read } from '../support/leaks.js';
import { isLong, isSlow } from '../support/mode.js';
import { eventually } from '../support/polling.js';
import { TemporaryDirectory, TemporaryRoot } from '../support/temporary.js';

const library = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;

// Starts and ends sandboxes of all kinds without end.
const BUSY = `
import { Sandbox } from ${JSON.stringify(library)};
const rootfs = process.argv[2];
console.log('up');
const held = await Sandbox.create({ rootfs });
held.exec(['/testinit', 'pause']).nothrow();
const point = await held.snapshot();
for (;;) {
  const fork = await point.start();
  await Promise.all([
    Sandbox.run(['/testinit', 'print', 'x', ''], { rootfs }).nothrow(),
    Sandbox.run(['true']).nothrow(),
    fork.exec(['/testinit', 'print', 'x', '']).nothrow(),
  ]);
  await fork[Symbol.asyncDispose]();
}
`;

/** What a killed process could have left; the dead who wait for a reaper do not count. */
function leftBy(pid: number, known: ReadonlySet<string>): string[] {
  const living = processTable().filter(
    ({ pid: one, name, parent }) =>
      name.startsWith('nsbox-') &&
      (parent === pid || (parent === 1 && !known.has(`process ${one}`))) &&
      !isZombie(one),
  );
  return [
    ...living.map(({ pid: one, name }) => `process ${one} (${name})`),
    ...groups((name) => name.startsWith(`nsbox-${pid}-`)),
    ...directories().filter((path) => !known.has(path) && isOf(path)),
  ];
}

// Others may be at work on this machine: a snapshot's directory is ours when it lies in our own place for such.
function isOf(path: string): boolean {
  return path.startsWith(`${process.env.TMPDIR}/`);
}

function isZombie(pid: number): boolean {
  return / [ZX] /.test(read(`/proc/${pid}/stat`).replace(/^.*\)/s, ')'));
}

function snapshotOf(): ReadonlySet<string> {
  return new Set([...directories(), ...processTable().map(({ pid }) => `process ${pid}`)]);
}

async function killAfter(child: ChildProcess, ms: number): Promise<void> {
  await once(child.stdout ?? child, 'data');
  // The moment is what is tested: any will do, and none is waited for.
  await new Promise((resolve) => setTimeout(resolve, ms));
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const rounds = isLong ? 200 : isSlow ? 3 : 12;

test(`nothing is left of a process that is killed at any of ${rounds} moments`, async () => {
  await using root = new TemporaryRoot();
  await using folder = new TemporaryDirectory();
  const program = folder.join('busy.mjs');
  writeFileSync(program, BUSY);
  for (let i = 0; i < rounds; i++) {
    const known = snapshotOf();
    const child = spawn(process.execPath, [program, root.path], { stdio: ['ignore', 'pipe', 'ignore'] });
    await killAfter(child, Math.random() * (isSlow ? 3000 : 200));
    await eventually(
      () => leftBy(child.pid ?? 0, known),
      (left) => left.length === 0,
      10_000,
    );
  }
}, 600_000);

test('a process that ends without disposing of its sandboxes leaves nothing', async () => {
  await using root = new TemporaryRoot();
  await using folder = new TemporaryDirectory();
  const program = folder.join('careless.mjs');
  writeFileSync(
    program,
    `import { Sandbox } from ${JSON.stringify(library)};
     const box = await Sandbox.create({ rootfs: process.argv[2] });
     await box.exec(['/testinit', 'print', 'x', '']);
     await box.snapshot();
     process.exit(0);`,
  );
  const known = snapshotOf();
  const child = spawn(process.execPath, [program, root.path], { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  await eventually(
    () => leftBy(child.pid ?? 0, known),
    (left) => left.length === 0,
  );
});

test('a held sandbox that nobody waits for does not keep a process alive', async () => {
  await using root = new TemporaryRoot();
  await using folder = new TemporaryDirectory();
  const program = folder.join('idle.mjs');
  writeFileSync(
    program,
    `import { Sandbox } from ${JSON.stringify(library)};
     await Sandbox.create({ rootfs: process.argv[2] });`,
  );
  const child = spawn(process.execPath, [program, root.path], { stdio: 'ignore' });
  expect((await once(child, 'exit'))[0]).toBe(0);
});

test('lives leave no descriptor, mount, group or thread behind', async () => {
  const { Sandbox } = await import('nsbox');
  await using root = new TemporaryRoot();
  const live = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await Sandbox.run(['/testinit', 'print', 'x', ''], { rootfs: root.path });
  };
  const count = () => ({
    descriptors: names('/proc/self/fd').length,
    threads: names('/proc/self/task').length,
    mounts: read('/proc/self/mountinfo').split('\n').length,
  });
  await live(20);
  const before = count();
  await live(isLong ? 10_000 : isSlow ? 30 : 400);
  expect(count()).toEqual(before);
}, 600_000);
