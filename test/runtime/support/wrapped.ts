import { underTest } from './under-test.js';

/**
 * From now on every call of the runtime is made by a shell that has prepared something before; $@ is the call. Whoever says
 * so takes it back at the end of the test, or of the file: others may run in the same process.
 */
export function prepareCalls(script: string): void {
  underTest.through = ['sh', '-c', script, 'sh'];
}

/** Back to calls without preparation. */
export function resetCalls(): void {
  underTest.through = [];
}

/** A machine that has version 2 of cgroups alone, as the call sees it. */
export const PURE_VERSION_2 = `exec unshare --mount --propagation private sh -c '
if [ -d /sys/fs/cgroup/unified ]; then umount -R -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; fi
exec "$@"' sh "$@"`;

/** And one that has version 1 alone. */
export const PURE_VERSION_1 = `exec unshare --mount --propagation private sh -c '
umount -l /sys/fs/cgroup/unified
exec "$@"' sh "$@"`;
