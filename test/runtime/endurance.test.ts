import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { names, processTable } from '../support/leaks.js';
import { isLong, isSlow } from '../support/mode.js';
import { eventually } from '../support/polling.js';
import { type Bundle, Runtime } from './support/runtime.js';
import { test } from './support/test.js';

const inARow = isLong ? 1000 : isSlow ? 4 : 20;
const atOnce = isLong ? 200 : isSlow ? 4 : 20;

/** All of a container's verbs, or `run`; answers what went wrong. */
async function live(runtime: Runtime, { path }: Bundle, life: number): Promise<string[]> {
  const id = runtime.id();
  const create = ['create', '--bundle', path, id];
  const lives = [
    [['run', '--bundle', path, id]],
    [create, ['start', id], ['delete', '--force', id]],
    [create, ['delete', '--force', id]],
    [create, ['start', id], ['exec', id, 'true'], ['kill', id, 'KILL'], ['delete', '--force', id]],
  ];
  const failures: string[] = [];
  for (const args of lives[life % lives.length] ?? []) {
    const call = runtime.launch(args);
    const { code, signal, stderr } = await call.result;
    call.clear();
    // The program of a short life may have ended before what comes next.
    const mayBeLate = args[0] === 'exec' || args[0] === 'kill';
    if (code !== 0 && !(mayBeLate && code !== undefined))
      failures.push(`${args[0]}: ${signal ?? code}: ${stderr}`);
  }
  return failures;
}

/** Calls that run still, and children of ours: zombies too. */
function remaining({ root }: Runtime): string[] {
  const children = processTable().filter(({ parent }) => parent === process.pid);
  const calls = names('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(root));
  return [...children.map(({ pid, name }) => `child ${pid} (${name})`), ...calls.map((pid) => `call ${pid}`)];
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function leavesNothing(body: (runtime: Runtime) => Promise<string[]>): Promise<void> {
  await using runtime = new Runtime();
  const before = remaining(runtime);
  expect(await body(runtime)).toEqual([]);
  const left = (): string[] => [
    ...runtime.leftovers(),
    ...remaining(runtime).filter((one) => !before.includes(one)),
  ];
  // What the kernel clears away after a container's end it clears away soon.
  await eventually(left, ({ length }) => length === 0, 5000).catch(() => {});
  expect(left()).toEqual([]);
}

describe('endurance', () => {
  test(`${inARow} lives, one after the other, leave nothing`, { timeout: 600_000 }, async () => {
    await leavesNothing(async (runtime) => {
      const bundle = runtime.bundle((config) => {
        config.process.args = ['true'];
      });
      const failures: string[] = [];
      for (let life = 0; life < inARow; life++) failures.push(...(await live(runtime, bundle, life)));
      return failures;
    });
  });

  test(`${atOnce} lives at once leave nothing`, { timeout: 600_000 }, async () => {
    await leavesNothing(async (runtime) => {
      const lives = Array.from({ length: atOnce }, async (_, life) => {
        const bundle = runtime.bundle((config) => {
          config.process.args = ['true'];
        });
        return await live(runtime, bundle, life);
      });
      return (await Promise.all(lives)).flat();
    });
  });
});
