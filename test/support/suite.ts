import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directories, groups, mounts, names, processTable } from './leaks.js';
import { eventually } from './polling.js';

/** As long as a janitor may take; the tests of crashes ask for less. */
const PATIENCE_MS = 12_000;

/** Before all tests: a temporary directory of their own. After them: nothing of them may be left. */
export default function setup(): () => Promise<void> {
  const before = process.env.TMPDIR;
  const temporary = mkdtempSync(join(tmpdir(), 'suite-'));
  // The root of a user namespace, who is somebody else here, must find its files below.
  chmodSync(temporary, 0o711);
  process.env.TMPDIR = temporary;
  const known = new Set([...directories(), ...mounts(), ...groups(isOurs), ...orphans()]);
  return async () => {
    try {
      await eventually(
        () =>
          [...left(), ...names(temporary).filter((name) => name !== 'testinit')].filter(
            (one) => !known.has(one),
          ),
        (all) => all.length === 0,
        PATIENCE_MS,
      );
    } catch (error) {
      throw new Error(
        `the tests have left something behind: ${error instanceof Error ? error.message : error}`,
      );
    } finally {
      rmSync(temporary, { recursive: true, force: true });
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  };
}

const isOurs = (name: string): boolean => /^nsbox-\d+-/.test(name);

function left(): string[] {
  // Others on this machine may be at work with boxes of their own: what has a living owner is not left behind.
  const abandoned = groups(isOurs).filter((path) => !isAlive(Number(/nsbox-(\d+)-/.exec(path)?.[1])));
  const hasOwner = processTable().some(({ name }) => name === 'nsbox-janitor');
  return [...abandoned, ...(hasOwner ? [] : directories()), ...mounts(), ...orphans()];
}

/** Processes of ours whose starter is gone: the kernel has given them to one that all of this descends from. */
function orphans(): string[] {
  const table = processTable();
  const parents = new Map(table.map(({ pid, parent }) => [pid, parent]));
  const ancestors = new Set<number>([1]);
  for (let pid = parents.get(process.pid); pid; pid = parents.get(pid)) ancestors.add(pid);
  return table
    .filter(({ name, parent }) => name.startsWith('nsbox-') && ancestors.has(parent))
    .map(({ pid, name }) => `process ${pid} (${name})`);
}

function isAlive(pid: number): boolean {
  return processTable().some((entry) => entry.pid === pid);
}
