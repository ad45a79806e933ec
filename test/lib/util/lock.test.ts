import { readdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withLock } from '../../../lib/util/lock.js';
import { TemporaryDirectory } from '../../support/temporary.js';

test('of several locks in one folder, each holds back its own', async () => {
  await using folder = new TemporaryDirectory();
  const order: string[] = [];
  let same: Promise<unknown> | undefined;
  await withLock(
    folder.path,
    async () => {
      same = withLock(folder.path, async () => order.push('same'), { name: 'one' });
      await withLock(folder.path, async () => order.push('other'), { name: 'two' });
      order.push('first');
    },
    { name: 'one' },
  );
  await same;
  expect(order).toEqual(['other', 'first', 'same']);
  expect(readdirSync(folder.path)).toEqual([]);
});

test('who has waited long enough, or is told to stop, gives up', async () => {
  await using folder = new TemporaryDirectory();
  await withLock(folder.path, async () => {
    await expect(withLock(folder.path, async () => {}, { patienceMs: 1 })).rejects.toMatchObject({
      code: 'ERR_IN_USE',
    });
    const signal = AbortSignal.timeout(1);
    await expect(withLock(folder.path, async () => {}, { signal })).rejects.toThrow('timeout');
  });
});

test('the lock of a process that is dead holds nobody back', async () => {
  await using folder = new TemporaryDirectory();
  writeFileSync(folder.join('lock'), '999999999-1-00000000-1-000000000000');
  expect(await withLock(folder.path, async () => 'done')).toBe('done');
});
