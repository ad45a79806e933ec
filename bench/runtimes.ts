import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { runtimePath } from '../lib/native/runtime-binary.js';
import { type Rounds, reasonOf } from './contestants.js';
import { type Fixtures, findProgram, isRoot, TINY } from './fixtures.js';
import { removePeersGroup } from './peers.js';
import { endOf, Race } from './race.js';
import type { Row, Section } from './results.js';
import { makeRuntimeBundle } from './runtime-bundles.js';
import {
  LEFT,
  nameOf,
  PEAK_MEASURES,
  type Runtime,
  SMALL,
  smallPlan,
  VARIANTS,
  VERBS,
} from './runtime-plans.js';
import { carryOut, INSIDE, runIn, type View } from './stopwatch.js';

const OURS = 'nsbox-runtime';
const SMALL_KB = 512;
const TRIES = 5;

export interface RuntimesOptions extends Rounds {
  /** A root with newer peers than the machine's own. */
  readonly peersRoot?: string | undefined;
}

/** `nsbox-runtime` beside crun and runc: each verb a process of its own; what it takes of time and memory. */
export async function runtimes(fixtures: Fixtures, options: RuntimesOptions): Promise<Section> {
  const title = 'nsbox-runtime beside other OCI runtimes, each call a process of its own';
  if (!isRoot) return { name: 'runtimes', title, rows: [missing(OURS, 'only as root')] };
  if (fixtures.note !== undefined) return { name: 'runtimes', title, rows: [missing(OURS, fixtures.note)] };
  cpSync(runtimePath(), join(fixtures.folder, OURS));
  makeBundles(fixtures);
  try {
    return { name: 'runtimes', title, rows: await measure(fixtures, options) };
  } finally {
    removePeersGroup();
  }
}

function makeBundles(fixtures: Fixtures): void {
  const { command } = fixtures;
  for (const { suffix } of VARIANTS) {
    const hasSeccomp = suffix !== '';
    makeRuntimeBundle(fixtures, `true${suffix}`, { args: command, hasSeccomp });
    makeRuntimeBundle(fixtures, `tiny${suffix}`, { args: TINY, hasSeccomp });
    makeRuntimeBundle(fixtures, `sleep${suffix}`, { args: ['/bin/busybox', 'sleep', '1000'], hasSeccomp });
  }
  makeRuntimeBundle(fixtures, 'small', { args: command, memory: SMALL_KB * 1024 });
}

async function measure({ folder }: Fixtures, options: RuntimesOptions): Promise<Row[]> {
  const view = { folder, root: options.peersRoot };
  const ours = { name: OURS, kind: OURS, program: join(INSIDE, OURS) };
  const peers = await Promise.all(['crun', 'runc'].map((kind) => findPeer(kind, view)));
  const runtimes = [ours, ...peers.filter(isRuntime)];
  const race = new Race(view, runtimes, options);
  await race.run();
  const rows = [
    ...VARIANTS.flatMap(({ naming }) => [
      ...race.rows(naming('run'), { crun: 0.4, runc: 0.12 }),
      ...race.sums(naming('run'), { crun: 0.4, runc: 0.12 }),
      ...VERBS.flatMap((verb) => race.rows(naming(verb), { crun: 0.4 })),
    ]),
    ...PEAK_MEASURES.flatMap((name) => race.rows(name, { crun: 0.3 }, 'KB')),
    ...race.rows(LEFT, {}, 'KB'),
  ];
  for (const runtime of runtimes) rows.push(await runsSmall(view, runtime));
  return [...peers.filter(isRow), ...race.failures(), ...rows];
}

/** A peer in the view, with its version; or a row that tells why there is none. */
async function findPeer(kind: string, view: View): Promise<Runtime | Row> {
  const program = programIn(view.root, kind);
  if (program === undefined) return missing(kind, `not installed: apt-get install ${kind}`);
  try {
    const version = /version (\S+)/.exec(await runIn(view, [program, '--version']))?.[1] ?? '';
    return { name: `${kind} ${version}`, kind, program };
  } catch (error) {
    return missing(kind, reasonOf(error));
  }
}

function isRuntime(found: Runtime | Row): found is Runtime {
  return 'program' in found;
}

function isRow(found: Runtime | Row): found is Row {
  return !isRuntime(found);
}

function programIn(root: string | undefined, name: string): string | undefined {
  if (root === undefined) return findProgram(name);
  return ['/usr/bin', '/usr/sbin']
    .map((folder) => join(folder, name))
    .find((path) => existsSync(join(root, path)));
}

function missing(name: string, note: string): Row {
  return { name, unit: '', note };
}

/** Whether a container with next to no memory can run at all. */
async function runsSmall(view: View, runtime: Runtime): Promise<Row> {
  const laps = await carryOut(view, smallPlan(runtime, TRIES));
  const failed = laps.filter(({ name, status }) => name === nameOf(runtime, SMALL) && status !== 0);
  const [first] = failed;
  const note = first === undefined ? 'yes' : `no: ${failed.length} of ${TRIES} failed, ${endOf(first)}`;
  return missing(`${SMALL_KB} KB of memory run true, ${runtime.name}`, note);
}
