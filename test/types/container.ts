// Checked by compiling, as sandbox.ts.
import type { Readable, Writable } from 'node:stream';
import {
  Container,
  type ContainerCreateOptions,
  type ContainerEvent,
  type ContainerProcess,
  type ContainerResult,
  type ContainerState,
  type ContainerStats,
  type ContainerStatus,
} from 'nsbox';
import { parseConfig, type RuntimeFeatures } from 'nsbox/spec';

/** Compiles only where both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

export async function life(): Promise<void> {
  await using container = await Container.create('one', { bundle: '/srv/one', stdout: 'pipe', stdin: 0 });
  same<typeof container, Container>(true);
  same<typeof container.stdin, Writable>(true);
  same<typeof container.stdout, Readable>(true);
  await container.start({ signal: AbortSignal.timeout(1000) });
  const process = container.exec(['ls'], { user: 1000, tty: { columns: 80, rows: 24 } });
  same<typeof process, ContainerProcess>(true);
  const result = await process;
  same<typeof result, ContainerResult>(true);
  same<typeof result.exitCode, number>(true);
  await container.exec({ args: ['ls'], cwd: '/', user: { uid: 0, gid: 0 } });
  // @ts-expect-error: no shell
  container.exec('ls');
  // @ts-expect-error: a process has a working directory
  container.exec({ args: ['ls'] });

  const state = await container.state();
  same<typeof state, ContainerState>(true);
  same<typeof state.status, ContainerStatus>(true);
  same<typeof state.created, Date>(true);
  // @ts-expect-error: a state is only read
  state.status = 'stopped';
  same<ReturnType<typeof container.stats>, Promise<ContainerStats>>(true);
  await container.update({ memory: { limit: 1 << 26 }, pids: { limit: 10 } });
  await container.kill('SIGTERM', { all: true });
  // @ts-expect-error: no such signal
  await container.kill('SIGNONE');
  for await (const event of container.events({ interval: '1s' })) tell(event);
  await container.delete({ force: true });
  // @ts-expect-error: made by create, run and get
  new Container('one');
}

function tell(event: ContainerEvent): number | ContainerStats | undefined {
  switch (event.type) {
    case 'oom':
      return event.kills;
    case 'stats':
      return event.stats;
    case 'exit':
      return undefined;
    default:
      return event satisfies never;
  }
}

export async function others(): Promise<void> {
  same<Awaited<ReturnType<typeof Container.list>>, readonly ContainerState[]>(true);
  same<Awaited<ReturnType<typeof Container.features>>, RuntimeFeatures>(true);
  await using run = Container.run('two', { config: parseConfig('{}'), input: 'text' });
  same<typeof run, ContainerProcess>(true);
}

export const options: ContainerCreateOptions = { cgroupManager: 'systemd', root: '/run/other' };
// @ts-expect-error: no such manager
export const wrong: ContainerCreateOptions = { cgroupManager: 'docker' };
