import { type Outcome, type Rounds, rowsOf, type Target } from './contestants.js';
import type { Row } from './results.js';
import { nameOf, peakPlan, type Runtime, timePlan } from './runtime-plans.js';
import { carryOut, type Lap, type Step, type View } from './stopwatch.js';

/** Of the lives of other benches: here one is of many calls. */
const FEWER = 0.2;
const PEAKS = 5;

/** By kind of peer: what ours may be of its median. */
type Limits = Readonly<Record<string, number>>;

/**
 * Runtimes in turns, each round beginning with another; a round is one plan. Who fails once is out: a call that fails
 * early is a fast one.
 */
export class Race {
  /** Of each round. */
  readonly #laps: (readonly Lap[])[] = [];
  readonly #failures = new Map<Runtime, string>();

  constructor(
    readonly view: View,
    /** Ours first. */
    readonly runtimes: readonly Runtime[],
    readonly options: Rounds,
  ) {}

  async run(): Promise<void> {
    const { rounds, lives } = this.options;
    const count = Math.max(1, Math.round(lives * FEWER));
    // Who fails at all does so in the warm-up.
    await this.#round(0, (runtime) => timePlan(runtime, 1));
    this.#laps.length = 0;
    for (let round = 0; round < rounds; round++) await this.#round(round, (one) => timePlan(one, count));
    await this.#round(0, (runtime) => peakPlan(runtime, PEAKS));
  }

  async #round(round: number, plan: (runtime: Runtime) => Step[]): Promise<void> {
    const from = round % this.runtimes.length;
    const turns = [...this.runtimes.slice(from), ...this.runtimes.slice(0, from)];
    const laps = await carryOut(this.view, turns.filter((one) => !this.#failures.has(one)).flatMap(plan));
    for (const one of turns) this.#notice(one, laps);
    this.#laps.push(laps);
  }

  #notice(runtime: Runtime, laps: readonly Lap[]): void {
    const failed = laps.find(({ name, status }) => name.startsWith(nameOf(runtime, '')) && status !== 0);
    if (failed && !this.#failures.has(runtime))
      this.#failures.set(runtime, `${failed.name}: ${endOf(failed)}`);
  }

  /** Those that are out, and why. */
  failures(): Row[] {
    return [...this.#failures].map(([{ name }, note]) => ({ name, unit: '', note }));
  }

  /** How long a measure took each, or its peak of memory. */
  rows(measure: string, limits: Limits, unit: 'ms' | 'KB' = 'ms'): Row[] {
    const value = (lap: Lap): number => (unit === 'KB' ? lap.kb : lap.ms);
    return this.#table(measure, limits, unit, (rounds) => rounds.flat().map(value));
  }

  /** How long all of them took together, each round. */
  sums(measure: string, limits: Limits): Row[] {
    const sum = (laps: readonly Lap[]): number => laps.reduce((all, { ms }) => all + ms, 0);
    return this.#table(`all ${measure}`, limits, 'ms', (rounds) => [sum(rounds.flat())], measure);
  }

  #table(
    title: string,
    limits: Limits,
    unit: 'ms' | 'KB',
    samplesOf: (rounds: readonly (readonly Lap[])[]) => number[],
    measure = title,
  ): Row[] {
    const outcomes = new Map<string, Outcome>();
    const targets: Record<string, Target> = {};
    for (const runtime of this.runtimes) {
      if (this.#failures.has(runtime)) continue;
      const wanted = nameOf(runtime, measure);
      const rounds = this.#laps.map((laps) => laps.filter(({ name }) => name === wanted));
      outcomes.set(runtime.name, { samples: samplesOf(rounds), failure: undefined });
      const atMost = limits[runtime.kind];
      if (atMost !== undefined) targets[runtime.name] = { atMost };
    }
    const rows = rowsOf(outcomes, this.runtimes[0]?.name ?? '', targets, unit);
    return rows.map((row) => ({ ...row, name: `${title}: ${row.name}` }));
  }
}

/** How a lap has ended, in a few words. */
export function endOf({ status, error = '' }: Lap): string {
  const how = (status & 0x7f) === 0 ? `status ${status >> 8}` : `signal ${status & 0x7f}`;
  return `${how}: ${error.trim()}`;
}
