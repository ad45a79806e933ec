import { addon } from '../../native/load.js';
import { type ContainerStats, statsOf } from '../stats.js';
import { aborted, fromRuntime } from './failure.js';
import type { Place } from './place.js';

/** What happens to a container. The last is always `exit`. */
export type ContainerEvent =
  | { readonly type: 'oom'; readonly kills: number }
  | { readonly type: 'stats'; readonly stats: ContainerStats }
  | { readonly type: 'exit' };

/** Settles when the container's first process has ended. */
export async function untilEnded(place: Place, signal: AbortSignal | undefined, what: string): Promise<void> {
  if (signal?.aborted) throw aborted(what, signal);
  const pidfd = await openInit(place);
  if (pidfd < 0) return;
  try {
    await new Promise<void>((resolve, reject) => {
      const watch = new (addon().PidfdWatch)(pidfd, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        watch.close();
        reject(aborted(what, signal));
      };
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  } finally {
    addon().closeFd(pidfd);
  }
}

async function openInit({ root, id }: Place): Promise<number> {
  try {
    return await addon().ociOpenInit(root, id);
  } catch (error) {
    throw fromRuntime(error);
  }
}

export async function statsNow({ root, id }: Place): Promise<ContainerStats> {
  try {
    return statsOf(await addon().ociStats(root, id));
  } catch (error) {
    throw fromRuntime(error);
  }
}

/** The events of one container, from now on until it ends. */
export async function* eventsOf(
  place: Place,
  intervalMs: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ContainerEvent, void, undefined> {
  const queue: ContainerEvent[] = [];
  let wake: () => void = () => {};
  const give = (event: ContainerEvent): void => {
    queue.push(event);
    wake();
  };
  const stop = new AbortController();
  const closeWatch = watchMemory(place, (kills) => give({ type: 'oom', kills }));
  const timer =
    intervalMs === undefined
      ? undefined
      : setInterval(() => {
          // Gone meanwhile: the end is told by itself.
          statsNow(place).then(
            (stats) => give({ type: 'stats', stats }),
            () => {},
          );
        }, intervalMs);
  const any = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  let failure: { readonly error: unknown } | undefined;
  untilEnded(place, any, 'events').then(
    () => setTimeout(() => give({ type: 'exit' }), LAST_KILL_MS),
    (error) => {
      failure = { error };
      wake();
    },
  );
  try {
    for (;;) {
      const event = queue.shift();
      if (event) yield event;
      if (event?.type === 'exit') return;
      if (queue.length > 0) continue;
      if (failure) throw failure.error;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    closeWatch();
    clearInterval(timer);
    stop.abort();
  }
}

// The kernel tells of a kill a moment after the process that it killed is gone.
const LAST_KILL_MS = 20;
const LOOK_MS = 2;
const LOOKS = 50;

/** Tells of each kill for want of memory; nothing is told where the container has no group that counts memory. */
function watchMemory({ root, id }: Place, onKill: (kills: number) => void): () => void {
  let told = 0;
  let isOpen = true;
  const tell = (kills: number, looksLeft = LOOKS): void => {
    if (!isOpen) return;
    if (kills > told) {
      told = kills;
      onKill(kills);
      return;
    }
    // cgroup v1 tells of the lack of memory, and counts the kill a moment later.
    if (looksLeft > 0) setTimeout(() => void look(looksLeft - 1), LOOK_MS).unref();
  };
  const look = async (looksLeft: number): Promise<void> => {
    const stats = await statsNow({ root, id }).catch(() => undefined);
    if (stats) tell(stats.memory.oomKills ?? 0, looksLeft);
  };
  try {
    const watcher = new (addon().OomWatcher)(root, id, (kills) => tell(kills));
    return () => {
      isOpen = false;
      watcher.close();
    };
  } catch {
    return () => {};
  }
}
