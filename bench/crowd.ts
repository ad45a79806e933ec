import { setTimeout as pause } from 'node:timers/promises';
import { Sandbox } from '../lib/index.js';
import { type Rounds, reasonOf } from './contestants.js';
import type { Fixtures } from './fixtures.js';
import { floorThroughput } from './floor.js';
import { EVERYTHING } from './lifecycle.js';
import type { Row, Section } from './results.js';
import { figuresOf } from './statistics.js';

const CROWD = 100;
// Network namespaces are taken down after the lives that had them have ended.
const SETTLE_MS = 300;

/** A hundred boxes at once: lives a second. */
export async function crowd({ rootfs, command }: Fixtures, { rounds }: Rounds): Promise<Section> {
  const ours: number[] = [];
  const floors: number[] = [];
  let failure: string | undefined;
  for (let round = -1; round < rounds; round++) {
    const own = await throughput(() => Sandbox.run(command, { ...EVERYTHING, rootfs }));
    await pause(SETTLE_MS);
    const floor = await floorThroughput({ root: { rootfs }, command }, CROWD, CROWD).catch(
      (error: unknown) => {
        failure = reasonOf(error);
        return Number.NaN;
      },
    );
    await pause(SETTLE_MS);
    if (round < 0) continue;
    ours.push(own);
    if (!Number.isNaN(floor)) floors.push(floor);
  }
  return { name: 'crowd', title: `${CROWD} boxes at once`, rows: rows(ours, floors, failure) };
}

async function throughput(life: () => PromiseLike<unknown>): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: CROWD }, life));
  return (CROWD * 1000) / (performance.now() - began);
}

function rows(ours: readonly number[], floors: readonly number[], failure: string | undefined): Row[] {
  const mine = figuresOf(ours);
  const own: Row = { name: 'nsbox', unit: '1/s', figures: mine };
  if (floors.length === 0) return [own, { name: 'floor', unit: '1/s', note: failure }];
  const figures = figuresOf(floors);
  return [
    own,
    {
      name: 'floor',
      unit: '1/s',
      figures,
      ratio: { to: 'floor', value: mine.p50 / figures.p50, atLeast: 0.7 },
    },
  ];
}
