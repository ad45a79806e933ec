import { existsSync } from 'node:fs';
import { type RunOptions, Sandbox } from '../lib/index.js';
import { calling, type Contestant, compete, type Rounds, rowsOf, spawned } from './contestants.js';
import { type Fixtures, isRoot, outside, TINY } from './fixtures.js';
import { floor } from './floor.js';
import { bubblewrap, crun, runc } from './peers.js';
import type { Section } from './results.js';

const OURS = 'nsbox';
const TARGETS = { floor: { atMost: 1.4 }, bwrap: { atMost: 0.85 } };

/** Everything on. An ordinary user's limits want a delegated group: without one they are left out, as the floor does. */
export const EVERYTHING: RunOptions = isRoot ? { limits: { memory: '64m', pids: 64 } } : {};

function ours(command: readonly string[], options: RunOptions): Contestant {
  return calling(OURS, () => Sandbox.run(command, options));
}

/** From the call to the result, beside others. */
export async function life(fixtures: Fixtures, rounds: Rounds): Promise<Section> {
  const { command, rootfs } = fixtures;
  const contestants = [
    ours(command, { ...EVERYTHING, rootfs }),
    floor('floor', { root: { rootfs }, command }),
    bubblewrap(fixtures, command),
    runc(fixtures, command),
    crun(fixtures, command),
    calling('spawn', () => spawned(outside(fixtures, command))),
  ];
  const rows = rowsOf(await compete(contestants, rounds), OURS, TARGETS);
  return { name: 'life', title: `one life of static ${command.join(' ')}, everything on`, rows };
}

/** The same with a program that does nothing at all. */
export async function lifeOfTiny(fixtures: Fixtures, rounds: Rounds): Promise<Section> {
  const { rootfs } = fixtures;
  const contestants = [
    ours(TINY, { ...EVERYTHING, rootfs }),
    floor('floor', { root: { rootfs }, command: TINY }),
    bubblewrap(fixtures, TINY),
    calling('spawn', () => spawned(outside(fixtures, TINY))),
  ];
  const rows = rowsOf(await compete(contestants, rounds), OURS, {});
  return { name: 'tiny', title: 'one life of a program without a libc, everything on', rows };
}

/** The host's own files as the root. */
export async function lifeOnHost(_: Fixtures, rounds: Rounds): Promise<Section> {
  const command = [existsSync('/bin/true') ? '/bin/true' : '/usr/bin/true'];
  const contestants = [
    ours(command, EVERYTHING),
    // The mounts below a user's root are locked: floor.c knows no way around that.
    ...(isRoot ? [floor('floor', { root: 'host', command })] : []),
    calling('spawn', () => spawned(command)),
  ];
  const rows = rowsOf(await compete(contestants, rounds), OURS, {});
  return { name: 'host', title: `one life of ${command.join(' ')} on the host's own files, everything on`, rows };
}
