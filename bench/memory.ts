import { readdirSync, readFileSync } from 'node:fs';
import { Sandbox } from '../lib/index.js';
import { reasonOf } from './contestants.js';
import type { Fixtures } from './fixtures.js';
import { EVERYTHING } from './lifecycle.js';
import type { Row, Section } from './results.js';
import { figuresOf } from './statistics.js';

const BOXES = 20;
const MOST_KB = 400;

/** What a held box costs: its init's share of memory (PSS), each further one. */
export async function memory({ rootfs }: Fixtures): Promise<Section> {
  const title = `${BOXES} held boxes: proportional set size (PSS) of their inits`;
  const before = process.memoryUsage().rss;
  await using boxes = new AsyncDisposableStackOf<Sandbox>();
  for (let i = 0; i < BOXES; i++) boxes.add(await Sandbox.create({ ...EVERYTHING, rootfs }));
  const own = (process.memoryUsage().rss - before) / 1024 / BOXES;
  const rows: Row[] = [];
  try {
    rows.push(...boxRows(boxes.all.map(({ pid }) => pssOf(pid))), ...janitorRows());
  } catch (error) {
    rows.push({ name: 'init', unit: 'KB', note: reasonOf(error) });
  }
  rows.push({ name: 'in this process, each', unit: 'KB', figures: figuresOf([own]) });
  return { name: 'memory', title, rows };
}

function boxRows(pss: readonly number[]): Row[] {
  const figures = figuresOf(pss);
  const ratio = { to: `${MOST_KB} KB`, value: figures.p50 / MOST_KB, atMost: 1 };
  return [{ name: 'init of a box', unit: 'KB', figures, ratio }];
}

function janitorRows(): Row[] {
  const pids = readdirSync('/proc/self/task')
    .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' '))
    .filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0janitor\0'));
  return pids.length === 0
    ? []
    : [{ name: 'janitor, once', unit: 'KB', figures: figuresOf(pids.map((pid) => pssOf(Number(pid)))) }];
}

// proc_pid_smaps(5): a page that n processes share counts for one nth in each.
function pssOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]);
}

class AsyncDisposableStackOf<T extends AsyncDisposable> implements AsyncDisposable {
  readonly all: T[] = [];

  add(one: T): void {
    this.all.push(one);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((one) => one[Symbol.asyncDispose]()));
  }
}
