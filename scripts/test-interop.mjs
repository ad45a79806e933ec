#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
// Runs podman, buildah, containerd and dockerd of Debian 12 with nsbox-runtime as their runtime. See docs/interop.md.
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runLane } from './interop/lane.mjs';
import { find, requireTools } from './interop/tools.mjs';

const HELP = `usage: npm run test:interop -- [options] [lane ...]

lanes: podman podman-rootless buildah containerd docker (default: all)

  --install        install missing packages with apt (default when CI=true)
  -t PATTERN       only the tests whose names match
  --help           this text

NSBOX_TEST_RUNTIME is the runtime under test, a path or a name such as runc; by default build/Release/nsbox-runtime.
NSBOX_TEST_USER is the ordinary user of podman-rootless.
`;
/** TMPFS_MAGIC of statfs(2): what holds the hierarchies of v1. */
const TMPFS = 0x01021994;
const root = join(import.meta.dirname, '..');

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`test-interop: ${error.message}`);
  process.exitCode = 1;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      install: { type: 'boolean' },
      pattern: { type: 'string', short: 't' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return process.stdout.write(HELP) && 0;
  if (process.geteuid() !== 0)
    throw new Error('must be root: each lane is a machine of its own, made of namespaces');
  if (statfsSync('/sys/fs/cgroup').type !== TMPFS)
    throw new Error('needs a machine with the hierarchies of cgroup v1, alone or beside v2');
  requireTools({ install: values.install ?? process.env.CI === 'true' });
  const runtime = underTest();
  console.log(`the runtime under test is ${runtime}`);
  const filters = values.pattern === undefined ? [] : ['--testNamePattern', values.pattern];
  const totals = await runLanes(chosenLanes(positionals), { runtime, filters });
  console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return totals.failed > 0 ? 1 : 0;
}

function underTest() {
  const wanted = process.env.NSBOX_TEST_RUNTIME;
  if (wanted === undefined) return build();
  const path = find(wanted);
  if (path === undefined) throw new Error(`NSBOX_TEST_RUNTIME: no such program: ${wanted}`);
  return path;
}

function build() {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs', 'native'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('the build failed');
  return join(root, 'build/Release/nsbox-runtime');
}

function chosenLanes(names) {
  // The longest first, so that none is alone at the end.
  const lanes = [
    { name: 'docker', file: 'docker', env: {} },
    { name: 'podman', file: 'podman', env: {} },
    { name: 'podman-rootless', file: 'podman', env: { NSBOX_INTEROP_USER: ordinaryUser() } },
    { name: 'containerd', file: 'containerd', env: {} },
    { name: 'buildah', file: 'buildah', env: {} },
  ].filter(({ file }) => existsSync(join(root, `test/interop/${file}.interop.ts`)));
  const unknown = names.find((name) => !lanes.some((lane) => lane.name === name));
  if (unknown !== undefined) throw new Error(`no such lane: ${unknown}`);
  return names.length === 0 ? lanes : lanes.filter(({ name }) => names.includes(name));
}

// "name:uid:gid"
function ordinaryUser() {
  const ranges = readFileSync('/etc/subuid', { encoding: 'utf8', flag: 'a+' });
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([name]) => ranges.includes(`${name}:`));
  const wanted = process.env.NSBOX_TEST_USER;
  const user = users.find(([name, , uid]) => (wanted ? name === wanted : Number(uid) >= 1000));
  if (!user) throw new Error('no ordinary user with a range in /etc/subuid; name one in NSBOX_TEST_USER');
  return `${user[0]}:${user[2]}:${user[3]}`;
}

/** Two at a time: a client's tests wait as much as they work. */
async function runLanes(lanes, options) {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  const waiting = [...lanes];
  const work = async () => {
    for (let lane = waiting.shift(); lane; lane = waiting.shift()) {
      const result = await runLane({ ...lane, ...options });
      console.log(`\n=== ${lane.name} (${result.seconds} s)\n${result.output}`);
      for (const key of Object.keys(totals)) totals[key] += result[key];
    }
  };
  await Promise.all([work(), work()]);
  return totals;
}
