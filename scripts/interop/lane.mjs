// One client's tests, in a machine of their own: see world.sh.
import { spawn } from 'node:child_process';
import { readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const HIERARCHIES = '/sys/fs/cgroup';

/** Runs the tests of a lane; resolves to what they printed and how many passed, failed and were skipped. */
export async function runLane({ name, file, env, runtime, filters }) {
  const group = `nsbox-interop-${process.pid}-${name}`;
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/interop/vitest.config.cjs'];
  const command = [
    join(import.meta.dirname, 'world.sh'),
    group,
    runtime,
    process.execPath,
    ...vitest,
    ...filters,
    `test/interop/${file}.interop.ts`,
  ];
  const started = performance.now();
  // All of it ends with this process, however that ends.
  const child = spawn('setpriv', ['--pdeathsig=KILL', ...command], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', TMPDIR: '/run/tmp', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
  const code = await new Promise((resolve) => child.on('close', resolve));
  const leftGroups = await removeGroups(group);
  const output = `${Buffer.concat(chunks)}${leftGroups.map((path) => `left behind: group ${path}\n`).join('')}`;
  const counted = count(output);
  if ((code !== 0 || leftGroups.length > 0) && counted.failed === 0) counted.failed = 1;
  return { output, seconds: Math.round((performance.now() - started) / 1000), ...counted };
}

// "Tests  1 failed | 79 passed | 2 skipped (82)"
function count(output) {
  const line = /^\s*Tests\s+(.*)$/m.exec(output)?.[1] ?? '';
  const of = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') };
}

/** Removes what the lane had as its root in each hierarchy; those that cannot be removed hold a process still. */
async function removeGroups(group) {
  const paths = readdirSync(HIERARCHIES).map((hierarchy) => join(HIERARCHIES, hierarchy, group));
  let left = paths;
  // The kernel needs a moment for processes that were killed.
  for (let attempt = 0; attempt < 100 && left.length > 0; attempt++) {
    left = left.filter((path) => !isRemoved(path));
    if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return left;
}

function isRemoved(path) {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) isRemoved(join(path, entry.name));
    rmdirSync(path);
    return true;
  } catch (error) {
    return error.code === 'ENOENT';
  }
}
