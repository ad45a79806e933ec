import { Sandbox } from '../lib/index.js';
import { calling, compete, type Rounds, rowsOf, spawned } from './contestants.js';
import { type Fixtures, outside, TINY } from './fixtures.js';
import { EVERYTHING } from './lifecycle.js';
import type { Row, Section } from './results.js';

const ONE_BY_ONE = 5;

/** One more command in a sandbox that is there already. */
export async function exec(fixtures: Fixtures, rounds: Rounds): Promise<Section> {
  await using box = await Sandbox.create({ ...EVERYTHING, rootfs: fixtures.rootfs });
  const rows: Row[] = [];
  for (const command of new Set([fixtures.command, TINY])) {
    const name = command.at(0)?.split('/').at(-1) ?? '';
    const [ours, theirs] = [`exec ${name}`, `spawn ${name}`];
    const contestants = [
      calling(ours, () => box.exec(command)),
      calling(theirs, () => spawned(outside(fixtures, command))),
    ];
    // Both are calls of this process: their turns can be short.
    const turns = { rounds: Math.ceil((rounds.rounds * rounds.lives) / ONE_BY_ONE), lives: ONE_BY_ONE };
    const targets = command === fixtures.command ? { [theirs]: { atMost: 1.3 } } : {};
    rows.push(...rowsOf(await compete(contestants, turns), ours, targets));
  }
  return { name: 'exec', title: 'a command in a held box, beside child_process.spawn', rows };
}
