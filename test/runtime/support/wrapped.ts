import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { underTest } from './under-test.js';

const real = underTest.path;
let folder: string | undefined;
afterAll(() => {
  underTest.path = real;
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** From now on every call of the runtime in this file is made by a shell that has prepared something before; $0 and $@ are the call. */
export function prepareCalls(script: string): void {
  folder ??= mkdtempSync(join(tmpdir(), 'test-'));
  const path = join(folder, 'runtime');
  writeFileSync(path, `#!/bin/sh\nset -- ${real} "$@"\n${script}\n`, { mode: 0o755 });
  underTest.path = path;
}

/** Back to calls without preparation. */
export function resetCalls(): void {
  underTest.path = real;
}

/** A machine that has version 2 of cgroups alone, as the call sees it. */
export const PURE_VERSION_2 = `exec unshare --mount --propagation private sh -c '
if [ -d /sys/fs/cgroup/unified ]; then umount -R -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; fi
exec "$@"' sh "$@"`;

/** And one that has version 1 alone. */
export const PURE_VERSION_1 = `exec unshare --mount --propagation private sh -c '
umount -l /sys/fs/cgroup/unified
exec "$@"' sh "$@"`;
