import type { Figures } from './statistics.js';

/** One line of a table: what was measured, and how it stands to others. */
export interface Row {
  readonly name: string;
  readonly unit: 'ms' | '1/s' | 'KB' | '';
  /** Absent where it could not be measured; `note` tells why. */
  readonly figures?: Figures | undefined;
  readonly note?: string | undefined;
  readonly ratio?: Ratio | undefined;
}

/** This project's median over another's, and what it should be. */
export interface Ratio {
  readonly to: string;
  readonly value: number;
  /** The same of the fastest lives: what is least disturbed by all else that the machine does. */
  readonly ofMinima?: number | undefined;
  readonly atMost?: number | undefined;
  readonly atLeast?: number | undefined;
}

export interface Section {
  /** Its name for `--only`. */
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface Results {
  readonly date: string;
  readonly machine: {
    readonly kernel: string;
    readonly arch: string;
    readonly cpus: number;
    readonly node: string;
    readonly user: 'root' | 'ordinary';
  };
  readonly sections: readonly Section[];
}

export function isMet({ value, atMost, atLeast }: Ratio): boolean | undefined {
  if (atMost === undefined && atLeast === undefined) return undefined;
  return value <= (atMost ?? Number.POSITIVE_INFINITY) && value >= (atLeast ?? Number.NEGATIVE_INFINITY);
}
