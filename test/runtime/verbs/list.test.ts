import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { refusal } from '../support/expect.js';
import { Runtime } from '../support/runtime.js';
import { isRunc } from '../support/under-test.js';

test('list: without containers it prints the header alone', async () => {
  await using runtime = new Runtime();
  expect((await runtime.ok(['list'])).stdout).toBe(
    'ID          PID         STATUS      BUNDLE      CREATED     OWNER\n',
  );
});

test('list: a table whose columns are as wide as they must be', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const { created = '' } = await box.state();
  const row = [box.id, `${box.pid}`, 'running', box.bundle.path, created, userInfo().username];
  const names = ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'];
  const widths = names.map((name, index) => Math.max(12, name.length + 3, (row[index]?.length ?? 0) + 3));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => (index === cells.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('');
  expect((await runtime.ok(['list'])).stdout).toBe(`${line(names)}\n${line(row)}\n`);
});

test('list: --format json prints what state prints, with the owner', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create((config) => {
    config.annotations = { 'org.example.one': '1' };
  });
  const state = await box.state();
  const { stdout } = await runtime.ok(['list', '--format', 'json']);
  expect(JSON.parse(stdout)).toEqual([{ ...state, owner: userInfo().username }]);
  expect(stdout.trimEnd()).not.toContain('\n');
});

test('list: -f json without containers prints null, as runc does', async () => {
  await using runtime = new Runtime();
  expect((await runtime.ok(['list', '-f', 'json'])).stdout.trim()).toBe('null');
});

test('list: -q prints the IDs alone', async () => {
  await using runtime = new Runtime();
  const one = await runtime.create(undefined, { id: 'one' });
  const two = await runtime.create(undefined, { id: 'two' });
  expect((await runtime.ok(['list', '-q'])).stdout.split('\n').sort()).toEqual(['', one.id, two.id]);
  expect((await runtime.ok(['list', '--quiet'])).stdout.split('\n')).toHaveLength(3);
});

test('list: shows created, running and stopped containers', async () => {
  await using runtime = new Runtime();
  const created = await runtime.create();
  const running = await runtime.pause();
  const stopped = await runtime.pause();
  await stopped.kill();
  await stopped.ended();
  const entries: { id: string; status: string }[] = JSON.parse(
    (await runtime.ok(['list', '-f', 'json'])).stdout,
  );
  expect(new Map(entries.map(({ id, status }) => [id, status]))).toEqual(
    new Map([
      [created.id, 'created'],
      [running.id, 'running'],
      [stopped.id, 'stopped'],
    ]),
  );
});

test('list: an unknown --format is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['list', '--format', 'yaml']))).toBe('invalid format option');
});

test.skipIf(isRunc)('list: a damaged state is told and does not hide the others', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  mkdirSync(join(runtime.root, 'damaged'));
  writeFileSync(join(runtime.root, 'damaged/state.json'), '{"half');
  const result = await runtime.call(['list', '-q']);
  expect(result.stdout).toContain(box.id);
  expect(result.stderr).toContain('damaged');
});

test('list: a root that does not exist has no containers', async () => {
  await using runtime = new Runtime();
  expect((await runtime.call(['--root', join(runtime.folder, 'none'), 'list', '-q'])).code).toBe(0);
});
