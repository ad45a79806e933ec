import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { built } from './fixtures.js';

const run = promisify(execFile);

/** What stopwatch.c does: it tells. */
export type Action = 'time' | 'peak' | 'left' | 'reap';

/** One line of a plan: an action, a name for its result, and the command. */
export type Step = readonly [action: Action, name: string, ...command: readonly string[]];

export interface Lap {
  readonly name: string;
  readonly ms: number;
  readonly kb: number;
  /** As wait(2) gives it: 0 is success. */
  readonly status: number;
  readonly error?: string;
}

/** Where the folder of a {@link View} is in it. */
export const INSIDE = '/run/bench';

/**
 * What the programs of a plan see of the machine: cgroups without the unified hierarchy of a hybrid (crun refuses that),
 * an empty tmpfs at /run, which nobody else writes to, and `folder` in it. `root`: another root, with the same below.
 */
export interface View {
  readonly folder: string;
  readonly root: string | undefined;
}

// Not a mere chroot: who enters a container's mount namespace later begins at that namespace's own root.
const ENTER = `
root=$1 folder=$2
shift 2
if [ -n "$root" ]; then
  mount --bind "$root" "$root"
  for name in proc sys dev; do mount --rbind "/$name" "$root/$name"; done
fi
mkdir -p "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir "$root${INSIDE}"
mount --bind "$folder" "$root${INSIDE}"
umount -l "$root/sys/fs/cgroup/unified" 2>/dev/null
cd "$root/"
if [ -n "$root" ]; then
  pivot_root . tmp
  ${INSIDE}/rootfs/bin/busybox umount -l /tmp
fi
exec "$@"
`;

/** Runs a command in the view, and answers its output. */
export async function runIn(
  { folder, root = '' }: View,
  command: readonly string[],
  input = '',
): Promise<string> {
  const line = ['-m', 'sh', '-c', ENTER, 'sh', root, folder, ...command];
  const running = run('unshare', line, { maxBuffer: 2 ** 26 });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** Carries a plan out, in the view. */
export async function carryOut(view: View, plan: readonly Step[]): Promise<readonly Lap[]> {
  cpSync(built('stopwatch'), join(view.folder, 'stopwatch'));
  const text = plan.map((step) => `${step.join('\t')}\n`).join('');
  return JSON.parse(await runIn(view, [join(INSIDE, 'stopwatch')], text)) as Lap[];
}
