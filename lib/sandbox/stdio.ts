import { openSync } from 'node:fs';
import { addon } from '../native/load.js';
import type { NormalExecOptions } from './exec-options.js';

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

// The process's end of a pipe, or what stands in its place.
function replace(fd: number, kind: 'pipe' | 'ignore' | 'inherit', inherited: 0 | 1 | 2): number {
  if (kind === 'pipe') return fd;
  addon().closeFd(fd);
  return kind === 'inherit' ? addon().duplicateFd(inherited) : openSync('/dev/null', 'r+');
}

function keep(fd: number, kind: 'pipe' | 'ignore' | 'inherit'): number | undefined {
  if (kind === 'pipe') return fd;
  addon().closeFd(fd);
  return undefined;
}
