// heavy.mjs QUESTION: fills a gigabyte, then measures what a start costs the event loop: how long the call itself takes,
// and the longest time for which nothing else had its turn until the result was there. Prints HeavyResults as JSON.
import { setTimeout as pause } from 'node:timers/promises';
import { type RunOptions, Sandbox } from '../lib/index.js';
import { spawned } from './contestants.js';

interface Question {
  readonly command: readonly string[];
  readonly rootfs: string;
  readonly outside: readonly string[];
  readonly options: RunOptions;
  readonly starts: number;
}

interface Times {
  readonly call: number[];
  readonly block: number[];
}

export type HeavyResults = Readonly<Record<'run' | 'exec' | 'spawn' | 'idle', Times>>;

const HALF = 2 ** 29;
// Until the compiler has seen enough of it.
const WARM_UPS = 150;
const IDLE_MS = 3;

const { command, rootfs, outside, options, starts } = JSON.parse(process.argv[2] ?? '') as Question;
const kept = [fillBuffers(), fillHeap()];
await using box = await Sandbox.create({ ...options, rootfs });
const starters = {
  run: () => Sandbox.run(command, { ...options, rootfs }),
  exec: () => box.exec(command),
  spawn: () => spawned(outside),
  // What the machine and the collector do by themselves.
  idle: () => pause(IDLE_MS),
};
const results: HeavyResults = { run: none(), exec: none(), spawn: none(), idle: none() };
await measure(['run', 'exec', 'idle']);
// By itself: its fork leaves all of the parent's pages to be copied or claimed at their next write, whoever's turn it is.
await measure(['spawn']);
if (kept.length > 0) console.log(JSON.stringify(results));

async function measure(names: readonly (keyof HeavyResults)[]): Promise<void> {
  for (let i = -WARM_UPS; i < starts; i++) {
    for (const name of names) {
      const { call, block } = await watch(starters[name]);
      if (i < 0) continue;
      if (name !== 'idle') results[name].call.push(call);
      results[name].block.push(block);
    }
  }
}

function none(): Times {
  return { call: [], block: [] };
}

function fillBuffers(): Buffer[] {
  const size = 2 ** 20;
  return Array.from({ length: HALF / size }, (_, i) => Buffer.alloc(size, (i % 255) + 1));
}

interface Node {
  readonly id: number;
  readonly weight: number;
  readonly next: Node | undefined;
}

function fillHeap(): Node[] {
  const before = process.memoryUsage().heapUsed;
  const nodes: Node[] = [];
  const batch = 100_000;
  while (process.memoryUsage().heapUsed - before < HALF) {
    for (let i = 0; i < batch; i++) nodes.push({ id: i, weight: i + 0.5, next: nodes[nodes.length - 7] });
  }
  return nodes;
}

// A ticker has its turn in every round of the event loop: the longest time between two of its turns is the longest block.
async function watch(
  start: () => PromiseLike<unknown>,
): Promise<{ readonly call: number; readonly block: number }> {
  let block = 0;
  let last = performance.now();
  let isWatching = true;
  const tick = (): void => {
    const now = performance.now();
    block = Math.max(block, now - last);
    last = now;
    if (isWatching) setImmediate(tick);
  };
  await new Promise<void>((resolve) => setImmediate(resolve));
  tick();
  block = 0;
  const began = performance.now();
  const work = start();
  const call = performance.now() - began;
  await work;
  isWatching = false;
  return { call, block: Math.max(block, performance.now() - last) };
}
