import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type RunOptions, Sandbox } from '../lib/index.js';
import { type Contestant, calling, compete, type Rounds, rowsOf, spawned } from './contestants.js';
import { type Fixtures, isRoot, outside, TINY } from './fixtures.js';
import { floor } from './floor.js';
import { bubblewrap, crun, removePeersGroup, runc } from './peers.js';
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
  removePeersGroup();
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

const REST_MS = 20;

/** With a rest before each life: a program that starts one now and then. */
export async function lifeAtRest(fixtures: Fixtures, { rounds, lives: batch }: Rounds): Promise<Section> {
  const { command, rootfs } = fixtures;
  const contestants = [
    rested(ours(command, { ...EVERYTHING, rootfs })),
    floor('floor', { root: { rootfs }, command, restMs: REST_MS }),
    rested(bubblewrap(fixtures, command)),
    rested(calling('spawn', () => spawned(outside(fixtures, command)))),
  ];
  const lives = Math.max(1, Math.round(batch * FEWER));
  const rows = rowsOf(await compete(contestants, { rounds, lives }), OURS, {});
  return {
    name: 'rest',
    title: `one life of static ${command.join(' ')}, after ${REST_MS} ms of rest`,
    rows,
  };
}

const FEWER = 0.2;

function rested(one: Contestant): Contestant {
  const lives = async (count: number): Promise<readonly number[]> => {
    const lengths: number[] = [];
    for (let i = 0; i < count; i++) {
      await pause(REST_MS);
      lengths.push(...(await one.lives(1)));
    }
    return lengths;
  };
  return { ...one, lives };
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
  return {
    name: 'host',
    title: `one life of ${command.join(' ')} on the host's own files, everything on`,
    rows,
  };
}
