import { chmodSync, copyFileSync, mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { testinit } from './testinit.js';

/** A directory of one test's own, removed with `await using`. */
export class TemporaryDirectory implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'test-'));

  join(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** A root for boxes that holds `/testinit` and nothing else, but for empty directories. */
export class TemporaryRoot extends TemporaryDirectory {
  constructor(directories: readonly string[] = []) {
    super();
    chmodSync(this.path, 0o755);
    copyFileSync(testinit(), this.join('testinit'));
    for (const name of directories) mkdirSync(this.join(name), { recursive: true });
  }
}

/** One root for all tests of a file. */
export function sharedRoot(directories: readonly string[] = []): TemporaryRoot {
  const root = new TemporaryRoot(directories);
  afterAll(() => root[Symbol.asyncDispose]());
  return root;
}
