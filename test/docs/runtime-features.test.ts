import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

test('docs/runtime-features.md is what the tests of the runtime say, and every feature that is promised has one', async () => {
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ['scripts/runtime-features.mjs', '--check'],
    { cwd: root },
  );
  expect(stderr).toBe('');
});
