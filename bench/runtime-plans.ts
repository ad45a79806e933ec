import { join } from 'node:path';
import { type Action, INSIDE, type Step } from './stopwatch.js';

/** An OCI runtime in the view of a plan. */
export interface Runtime {
  /** With its version. */
  readonly name: string;
  readonly kind: string;
  readonly program: string;
}

/** The name of a step tells whose it is and what; without a measure it only has to succeed. */
export function nameOf({ name }: Runtime, measure: string): string {
  return `${name}: ${measure}`;
}

export const VERBS = ['create', 'start', 'exec', 'state', 'kill', 'delete'] as const;
export const SMALL = 'small';
export const LEFT = 'what create leaves';

type Naming = (verb: string) => string;

/** What a bundle is called, and what its measures are: `run, seccomp`. */
export interface Variant {
  readonly suffix: string;
  readonly naming: Naming;
}

export const VARIANTS: readonly Variant[] = [
  { suffix: '', naming: (verb) => verb },
  { suffix: '-seccomp', naming: (verb) => `${verb}, seccomp` },
];

const PEAKS: Variant = { suffix: '-seccomp', naming: (verb) => `${verb}, peak` };
const UNNAMED: Naming = () => '';

const ID = 'nsbox-bench-container';

/** So many runs, and so many lives verb by verb, of each variant; one more before that warms up. */
export function timePlan(runtime: Runtime, lives: number): Step[] {
  return VARIANTS.flatMap((variant) => {
    const unnamed = { ...variant, naming: UNNAMED };
    return [
      runOf(runtime, unnamed, 'time', 'true'),
      ...repeat(lives, () => [runOf(runtime, variant, 'time', 'true')]),
      ...lifeOf(runtime, unnamed, 'time', ['/bin/busybox', 'true']),
      ...repeat(lives, () => lifeOf(runtime, variant, 'time', ['/bin/busybox', 'true'])),
    ];
  });
}

/** The programs touch next to no memory: what wait4(2) tells of a runtime includes those that it has waited for. */
export function peakPlan(runtime: Runtime, lives: number): Step[] {
  return repeat(lives, () => [
    runOf(runtime, PEAKS, 'peak', 'tiny'),
    ...lifeOf(runtime, PEAKS, 'peak', ['/bin/tiny']),
  ]);
}

/** The measures of {@link peakPlan}. */
export const PEAK_MEASURES = ['run', ...VERBS].map(PEAKS.naming);

/** Lives of a container with a small limit, and what clears away those that failed. */
export function smallPlan(runtime: Runtime, lives: number): Step[] {
  return repeat(lives, () => [
    callOf(runtime, 'time', SMALL, ['run', '--bundle', join(INSIDE, 'small'), ID]),
    callOf(runtime, 'time', '', ['delete', '--force', ID]),
    ['reap', nameOf(runtime, '')],
  ]);
}

function runOf(runtime: Runtime, { suffix, naming }: Variant, action: Action, bundle: string): Step {
  const args = ['run', '--bundle', join(INSIDE, `${bundle}${suffix}`), ID];
  return callOf(runtime, action, naming('run'), args);
}

function lifeOf(
  runtime: Runtime,
  { suffix, naming }: Variant,
  action: Action,
  command: readonly string[],
): Step[] {
  const call = (verb: string, ...args: readonly string[]): Step =>
    callOf(runtime, action, naming(verb), [verb, ...args]);
  return [
    call('create', '--bundle', join(INSIDE, `sleep${suffix}`), ID),
    ['left', nameOf(runtime, action === 'peak' ? LEFT : '')],
    call('start', ID),
    call('exec', ID, ...command),
    call('state', ID),
    call('kill', ID, 'KILL'),
    ['reap', nameOf(runtime, '')],
    call('delete', ID),
  ];
}

function callOf(runtime: Runtime, action: Action, measure: string, args: readonly string[]): Step {
  const { name, program } = runtime;
  return [action, nameOf(runtime, measure), program, '--root', `/run/${name.replaceAll(' ', '-')}`, ...args];
}

function repeat<T>(count: number, make: () => readonly T[]): T[] {
  return Array.from({ length: count }, make).flat();
}
