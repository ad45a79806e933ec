import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Sandbox } from 'nsbox';
import { expect, test } from 'vitest';
import { processTable } from '../support/leaks.js';
import { eventually } from '../support/polling.js';
import { sharedRoot } from '../support/temporary.js';

const root = sharedRoot();
const library = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;

function worker(body: string): Worker {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      const { Sandbox } = await import(workerData.library);
      ${body}
    })().catch((error) => parentPort.postMessage({ error: String(error) }));`;
  return new Worker(code, { eval: true, workerData: { library, rootfs: root.path } });
}

test('worker threads have sandboxes of their own, all at once', async () => {
  const workers = Array.from({ length: 4 }, () =>
    worker(`
      const outputs = [];
      for (let i = 0; i < 5; i++)
        outputs.push((await Sandbox.run(['/testinit', 'print', String(i), ''], { rootfs: workerData.rootfs })).stdout);
      parentPort.postMessage(outputs);`),
  );
  const answers = await Promise.all(workers.map(async (one) => (await once(one, 'message'))[0]));
  for (const answer of answers) expect(answer).toEqual(['0', '1', '2', '3', '4']);
  await Promise.all(workers.map((one) => one.terminate()));
});

test('a sandbox ends with the worker that made it', async () => {
  const one = worker(`
    const box = await Sandbox.create({ rootfs: workerData.rootfs });
    box.exec(['/testinit', 'pause']).nothrow();
    parentPort.postMessage(box.pid);
    setInterval(() => {}, 1000);`);
  const [pid] = await once(one, 'message');
  expect(processTable().some((entry) => entry.pid === pid)).toBe(true);
  await one.terminate();
  await eventually(() => !processTable().some((entry) => entry.pid === pid));
});

test('this thread’s sandboxes go on when a worker ends', async () => {
  await using box = await Sandbox.create({ rootfs: root.path });
  const one = worker(`
    const box = await Sandbox.create({ rootfs: workerData.rootfs });
    parentPort.postMessage('made');
    setInterval(() => {}, 1000);`);
  await once(one, 'message');
  await one.terminate();
  expect((await box.exec(['/testinit', 'print', 'still', ''])).stdout).toBe('still');
});

test('no descriptor of this process reaches a sandbox', async () => {
  // One that the library did not open, and that Node marks close-on-exec; a hundred more while boxes start.
  const opened = Array.from({ length: 100 }, () => openSync('/etc/passwd', 'r'));
  const results = await Promise.all(
    Array.from({ length: 10 }, () => Sandbox.run(['/testinit', 'fds'], { rootfs: root.path })),
  );
  const { closeSync } = await import('node:fs');
  for (const fd of opened) closeSync(fd);
  for (const { stdout } of results) expect(stdout).not.toContain('passwd');
});

test('the library loads nothing from the registry', async () => {
  const { readFileSync } = await import('node:fs');
  const text = readFileSync(join(import.meta.dirname, '../../dist/index.js'), 'utf8');
  const imports = [...text.matchAll(/^import .* from "([^"]+)"/gm)].map(([, name]) => name);
  expect(imports.filter((name) => !name?.startsWith('node:') && !isBuiltin(name))).toEqual([]);
});

function isBuiltin(name: string | undefined): boolean {
  return ['fs', 'path', 'module', 'url', 'os', 'crypto', 'util', 'string_decoder'].includes(name ?? '');
}
