import { addon } from '../native/load.js';
import type { NormalExecOptions, Stdio } from './exec-options.js';

/** The three descriptors that a process gets, and our ends of them. */
export interface ChildStdio {
  /** For the process; whoever hands them over closes them. Empty with a terminal. */
  readonly theirs: readonly number[];
  /** Null: it comes with the terminal. */
  readonly stdin: number | null | undefined;
  readonly stdout: number | undefined;
  readonly stderr: number | undefined;
}

export function openStdio(options: NormalExecOptions): ChildStdio {
  if (options.tty) return { theirs: [], stdin: null, stdout: undefined, stderr: undefined };
  const [stdin, stdout, stderr] = options.stdio;
  const [inRead, inWrite, outRead, outWrite, errRead, errWrite] = addon().makePipes();
  return {
    theirs: [replace(inRead, stdin, 0), replace(outWrite, stdout, 1), replace(errWrite, stderr, 2)],
    stdin: keep(inWrite, stdin),
    stdout: keep(outRead, stdout),
    stderr: keep(errRead, stderr),
  };
}

/** What init must know of the three: which are pipes of this process alone, and in whose place its own null device is. */
export function stdioBits({ stdio, tty }: NormalExecOptions): {
  readonly pipes: number;
  readonly nulls: number;
} {
  const bits = (...kinds: readonly Stdio[]): number =>
    stdio.reduce((all, kind, i) => (kinds.includes(kind) ? all | (1 << i) : all), 0);
  return tty ? { pipes: 0, nulls: 0 } : { pipes: bits('pipe', 'copy'), nulls: bits('ignore') };
}

// The process's end of a pipe, or what stands in its place. An ignored one is init's to replace.
function replace(fd: number, kind: Stdio, inherited: 0 | 1 | 2): number {
  if (kind !== 'inherit') return fd;
  addon().closeFd(fd);
  return addon().duplicateFd(inherited);
}

function keep(fd: number, kind: Stdio): number | undefined {
  if (kind === 'pipe' || kind === 'copy') return fd;
  addon().closeFd(fd);
  return undefined;
}
