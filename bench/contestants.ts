import { spawn } from 'node:child_process';
import type { Ratio, Row } from './results.js';
import { type Figures, figuresOf } from './statistics.js';

/** One of those who are measured side by side. */
export interface Contestant {
  readonly name: string;
  /** How many lives it gets, against the others: dear ones get fewer. Default: 1. */
  readonly share?: number;
  /** Why it cannot take part. */
  readonly missing?: string;
  /** Lives that many lives, one after the other; their lengths in ms. */
  lives(count: number): Promise<readonly number[]>;
}

export interface Rounds {
  readonly rounds: number;
  readonly lives: number;
}

/** A contestant whose life is a call in this process. */
export function calling(
  name: string,
  life: () => PromiseLike<unknown>,
  more: { readonly share?: number } = {},
): Contestant {
  return {
    name,
    ...more,
    lives: async (count) => {
      const lengths: number[] = [];
      for (let i = 0; i < count; i++) {
        const began = performance.now();
        await life();
        lengths.push(performance.now() - began);
      }
      return lengths;
    },
  };
}

export function absent(name: string, missing: string): Contestant {
  return { name, missing, lives: async () => [] };
}

/** Starts a program as any Node program would, and waits for its end and that of its output. */
export function spawned(command: readonly string[]): Promise<void> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args);
    let text = '';
    child.stdout.resume();
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${program}: ${signal ?? code}: ${text.trim()}`)),
    );
  });
}

/**
 * Lets the contestants live in turns, each round beginning with another, so that what else the machine does, and what
 * one leaves behind for the kernel to clear away, hits all alike. Who fails is left out, with the reason.
 */
export async function compete(
  contestants: readonly Contestant[],
  { rounds, lives }: Rounds,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>(
    contestants.map(({ name, missing }) => [name, { samples: [], failure: missing }]),
  );
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const one = contestants[(turn + Math.max(0, round)) % contestants.length];
      if (one) await takeTurn(one, outcomes, Math.max(1, Math.round(lives * (one.share ?? 1))), round < 0);
    }
  }
  return outcomes;
}

export interface Outcome {
  samples: number[];
  failure: string | undefined;
}

async function takeTurn(
  one: Contestant,
  outcomes: Map<string, Outcome>,
  count: number,
  isWarmUp: boolean,
): Promise<void> {
  const outcome = outcomes.get(one.name);
  if (!outcome || outcome.failure !== undefined) return;
  try {
    const lengths = await one.lives(count);
    if (!isWarmUp) outcome.samples.push(...lengths);
  } catch (error) {
    outcome.failure = reasonOf(error);
  }
}

export interface Target {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** The rows of a competition: ours first, and how it stands to each other one. */
export function rowsOf(
  outcomes: Map<string, Outcome>,
  ours: string,
  targets: Readonly<Record<string, Target>>,
  unit: 'ms' | 'KB' = 'ms',
): Row[] {
  const mine = outcomes.get(ours)?.samples ?? [];
  return [...outcomes].map(([name, { samples, failure }]): Row => {
    if (failure !== undefined || samples.length === 0) return { name, unit, note: failure ?? 'no samples' };
    const figures = figuresOf(samples);
    const ratio = name === ours || mine.length === 0 ? undefined : ratioTo(name, figuresOf(mine), figures);
    return { name, unit, figures, ratio: ratio && { ...ratio, ...targets[name] } };
  });
}

function ratioTo(to: string, ours: Figures, theirs: Figures): Ratio {
  return { to, value: ours.p50 / theirs.p50, ofMinima: ours.min / theirs.min };
}

/** Why something failed, in one line: of what a program wrote, the line that tells the error. */
export function reasonOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n');
  return lines.find((line) => /^\w*Error: /.test(line)) ?? lines[0] ?? '';
}
