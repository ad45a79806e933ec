import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Container, type ContainerEvent } from 'nsbox';
import { expect, test } from 'vitest';
import type { Patch } from '../../../runtime/support/config.js';
import { Runtime } from '../../../runtime/support/runtime.js';
import { hasGroups } from '../../../support/mode.js';
import { eventually } from '../../../support/polling.js';
import { codeOf } from './support.js';

test('a further process has a terminal of its own', async () => {
  await using runtime = new Runtime();
  await using container = await started(runtime);
  const shell = container.exec(['sh', '-c', 'tty; stty size; read line; echo "got $line"'], {
    tty: { columns: 91, rows: 17 },
  });
  await shell.started;
  shell.stdin.write('words\n');
  const { exitCode, stdout } = await shell;
  expect(exitCode).toBe(0);
  expect(stdout).toContain('/dev/pts/');
  expect(stdout).toContain('got words');
});

test('a terminal learns its new size', async () => {
  await using runtime = new Runtime();
  await using container = await started(runtime);
  const shell = container.exec(['sh', '-c', 'read line; stty size'], { tty: true });
  // What is written first says that the terminal is there.
  const echoed = once(shell.stdout, 'data');
  shell.stdin.write('words');
  await echoed;
  shell.resize(123, 45);
  shell.stdin.write('\n');
  expect((await shell).stdout).toContain('45 123');
});

test.each(['run', 'create'] as const)('a container of %s has a terminal', async (verb) => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.terminal = true;
    config.process.args = ['sh', '-c', 'read line; stty size; echo "got $line"'];
  });
  const options = { root: runtime.root, bundle: bundle.path };
  if (verb === 'run') {
    const shell = Container.run('tty', options);
    await shell.started;
    shell.resize(80, 24);
    shell.stdin.write('words\n');
    expect((await shell).stdout).toMatch(/24 80\r\ngot words/);
    return;
  }
  await using container = await Container.create('tty', options);
  const chunks: Buffer[] = [];
  container.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  container.resize(80, 24);
  await container.start();
  container.stdin.write('words\n');
  await container.wait();
  await eventually(() => /24 80\r\ngot words/.test(Buffer.concat(chunks).toString()));
});

test('what is aborted leaves nothing', async () => {
  await using runtime = new Runtime();
  const { root } = runtime;
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sleep', '1000'];
    config.hooks = { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '1000'] }] };
  });
  const options = { root, bundle: bundle.path };
  expect(await codeOf(Container.create('a', { ...options, signal: AbortSignal.abort() }))).toBe(
    'ERR_ABORTED',
  );
  expect(await codeOf(Container.create('a', { ...options, signal: AbortSignal.timeout(300) }))).toBe(
    'ERR_ABORTED',
  );
  expect(runtime.states()).toEqual([]);
  expect(await codeOf(Container.run('a', { ...options, signal: AbortSignal.timeout(300) }))).toBe(
    'ERR_ABORTED',
  );
  expect(runtime.states()).toEqual([]);

  await using container = await started(runtime);
  const stop = new AbortController();
  const long = container.exec(['sleep', '1000'], { signal: stop.signal });
  await long.started;
  stop.abort();
  expect(await codeOf(long)).toBe('ERR_ABORTED');
  expect(existsSync(`/proc/${long.pid}`)).toBe(false);
  expect(await codeOf(container.wait({ signal: AbortSignal.timeout(50) }))).toBe('ERR_ABORTED');
  expect(await container.state()).toMatchObject({ status: 'running' });
});

test('an abort while another of the same name is there leaves that one alone', async () => {
  await using runtime = new Runtime();
  await using container = await started(runtime);
  const bundle = runtime.bundle();
  const stop = new AbortController();
  const second = Container.create(container.id, {
    root: runtime.root,
    bundle: bundle.path,
    signal: stop.signal,
  });
  setTimeout(() => stop.abort(), 1);
  expect(['ERR_ABORTED', 'ERR_ALREADY_EXISTS']).toContain(await codeOf(second));
  expect(await container.state()).toMatchObject({ status: 'running' });
});

test('events tell of the end, and of what is used until then', async () => {
  await using runtime = new Runtime();
  await using container = await started(runtime);
  const seen = new Set<string>();
  for await (const event of container.events({ interval: 20 })) {
    seen.add(event.type);
    if (event.type === 'stats') await container.kill('SIGKILL').catch(() => {});
  }
  expect([...seen]).toEqual(['stats', 'exit']);
  expect(await codeOf(container.events({ signal: AbortSignal.abort() })[Symbol.asyncIterator]().next())).toBe(
    'ERR_ABORTED',
  );
});

test.skipIf(!hasGroups)('events tell of processes that were killed for want of memory', async () => {
  await using runtime = new Runtime();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sh', '-c', 'read go; tail /dev/zero; sleep 0.2'];
    config.linux.resources = { memory: { limit: 16 * 1024 * 1024, swap: 16 * 1024 * 1024 } };
  });
  await using container = await Container.create('oom', {
    root: runtime.root,
    bundle: bundle.path,
    stdin: 'pipe',
  });
  await container.start();
  const events: ContainerEvent[] = [];
  const reading = (async () => {
    for await (const event of container.events()) events.push(event);
  })();
  setTimeout(() => container.stdin.end('\n'), 50);
  await reading;
  expect(events).toEqual([{ type: 'oom', kills: 1 }, { type: 'exit' }]);
});

async function started(runtime: Runtime, patch: Patch = () => {}): Promise<Container> {
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sleep', '1000'];
    patch(config);
  });
  const container = await Container.create(runtime.id(), { root: runtime.root, bundle: bundle.path });
  await container.start();
  return container;
}
