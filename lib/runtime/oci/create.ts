import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../../native/load.js';
import { callError, ended, launch, Scratch } from './executable.js';
import { aborted } from './failure.js';
import { type ContainerCreateOptions, makeFlags, readSource } from './options.js';
import type { Place } from './place.js';
import { Receiver } from './receiver.js';
import { Streams } from './streams.js';

/** `nsbox-runtime create`: answers the streams of the container's program. */
export async function createContainer(place: Place, options: ContainerCreateOptions): Promise<Streams> {
  const { signal } = options;
  if (signal?.aborted) throw aborted('create', signal);
  const source = readSource(options);
  const scratch = await Scratch.make();
  const nothing = (): void => {};
  const streams = new Streams({
    ...options,
    otherwise: 'ignore',
    tty: source.tty,
    maxBuffer: 0,
    onEnd: nothing,
    onExcess: nothing,
  });
  const terminal = source.tty ? new Receiver(scratch, 'terminal', (fd) => streams.open(fd)) : undefined;
  try {
    const flags = await makeFlags(options, source, scratch);
    if (terminal) flags.push('--console-socket', terminal.path);
    await create(place, options, flags, scratch, streams);
    await terminal?.received;
    return streams;
  } catch (error) {
    streams.drop();
    throw error;
  } finally {
    terminal?.close();
    await scratch.close();
  }
}

async function create(
  place: Place,
  { cgroupManager, signal }: ContainerCreateOptions,
  flags: readonly string[],
  scratch: Scratch,
  streams: Streams,
): Promise<void> {
  const isNew = !existsSync(join(place.root, place.id));
  const args = ['create', ...flags, place.id];
  const child = launch({ root: place.root, cgroupManager, args }, scratch, [...streams.theirs]);
  streams.handedOver();
  const onAbort = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', onAbort, { once: true });
  const end = await ended(child).finally(() => signal?.removeEventListener('abort', onAbort));
  if (end.exitCode === 0 && !signal?.aborted) return;
  if (!signal?.aborted) throw callError('create', scratch, end, 'ERR_START_FAILED');
  if (isNew && child.pid !== undefined) await removeHalfMade(place, child.pid);
  throw aborted('create', signal);
}

/** Removes what a killed executable has left of a container, unless that is another's of the same name. */
export async function removeHalfMade({ root, id }: Place, creator: number): Promise<void> {
  const found = await addon()
    .ociCreator(root, id)
    .catch(() => undefined);
  if (found !== undefined && found !== creator) return;
  const { DBUS_SESSION_BUS_ADDRESS: bus = '', XDG_RUNTIME_DIR: runtime = '' } = process.env;
  // Gone is fine.
  await addon()
    .ociDelete(root, id, true, bus, runtime)
    .catch(() => {});
}
