#!/usr/bin/env node
// `npm test`: builds what is stale, then runs the C++ unit tests (with sanitizers), the type checks, and vitest: all of it
// as whoever calls, and the tests of boxes once more as an ordinary user where root calls. Arguments go to vitest, and
// then vitest alone is run. NSBOX_TEST_USER names the ordinary user; NSBOX_MUST_WORK=1 turns skips into failures.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const vitest = 'node_modules/vitest/vitest.mjs';
const filters = process.argv.slice(2);
const isRoot = process.geteuid() === 0;
const mustWork = process.env.NSBOX_MUST_WORK === '1';
/** What runs boxes, and so behaves otherwise for an ordinary user. */
const BOX_TESTS = ['test/container', 'test/lib/sandbox', 'test/lib/runtime', 'test/lib/cli', 'test/runtime'];

const totals = { passed: 0, failed: 0, skipped: 0 };

build();
if (filters.length === 0) {
  await lane('C++ unit tests', () => capture(process.execPath, ['scripts/test-native.mjs']), countPlain);
  await lane(
    'types',
    () => capture(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'test']),
    countExit,
  );
}
await lane(`vitest (${isRoot ? 'root' : 'ordinary user'})`, () => runVitest(root, filters), countVitest);
if (isRoot) await asOrdinaryUser();

console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 ? 1 : 0;

function build() {
  if (!isWritable(root)) return;
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('the build failed');
}

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function lane(name, run, count) {
  console.log(`\n=== ${name}`);
  const { code, output } = await run();
  const counted = count(code, output);
  // A runner that fails without a failed test has failed all the same.
  if (code !== 0 && counted.failed === 0) counted.failed = 1;
  for (const key of Object.keys(totals)) totals[key] += counted[key];
  console.log(`=== ${name}: ${counted.passed} passed, ${counted.failed} failed, ${counted.skipped} skipped`);
}

function capture(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], ...options });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? 1, output })));
}

function runVitest(folder, args, identity = {}, prefix = []) {
  const command = [...prefix, process.execPath, vitest, 'run', '--reporter=dot', ...args];
  const env = { ...process.env, NO_COLOR: '1', ...identity };
  return capture(command[0], command.slice(1), { cwd: folder, env });
}

function countPlain(_code, output) {
  const match = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/.exec(output.trimEnd());
  return {
    passed: Number(match?.[1] ?? 0),
    failed: Number(match?.[2] ?? 0),
    skipped: Number(match?.[3] ?? 0),
  };
}

function countExit(code) {
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

// "Tests  1 failed | 79 passed | 2 skipped (82)"
function countVitest(_code, output) {
  const line = /^\s*Tests\s+(.*)$/m.exec(output)?.[1] ?? '';
  const of = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') + of('todo') };
}

async function asOrdinaryUser() {
  const user = ordinaryUser();
  if (!user) {
    console.log(
      '\nskipped: the tests as an ordinary user: there is none on this machine with a range in /etc/subuid; name one in NSBOX_TEST_USER',
    );
    totals[mustWork ? 'failed' : 'skipped']++;
    return;
  }
  const shared = isReadableBy(user) ? root : copyForOthers();
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  try {
    execFileSync('chown', [`${user.uid}:${user.gid}`, home]);
    const args = filters.length > 0 ? filters : BOX_TESTS;
    const prefix = [
      'setpriv',
      `--reuid=${user.uid}`,
      `--regid=${user.gid}`,
      '--clear-groups',
      '--inh-caps=-all',
    ];
    const identity = { HOME: home, USER: user.name, LOGNAME: user.name, TMPDIR: home };
    await lane(
      `vitest (ordinary user ${user.name})`,
      () => runVitest(shared, [...args, '--passWithNoTests'], identity, prefix),
      countVitest,
    );
  } finally {
    rmSync(home, { recursive: true, force: true });
    if (shared !== root) rmSync(shared, { recursive: true, force: true });
  }
}

function ordinaryUser() {
  const ranges = readFileSync('/etc/subuid', { encoding: 'utf8', flag: 'a+' });
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  const wanted = process.env.NSBOX_TEST_USER;
  if (wanted) return users.find(({ name }) => name === wanted);
  return users.find(({ name, uid }) => uid >= 1000 && uid < 60000 && ranges.includes(`${name}:`));
}

function isReadableBy({ uid, gid }) {
  const args = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', 'test', '-r', join(root, vitest)];
  return spawnSync('setpriv', args).status === 0;
}

// A checkout in a home directory is its owner's alone.
function copyForOthers() {
  const copy = mkdtempSync(join(tmpdir(), 'checkout-'));
  chmodSync(copy, 0o755);
  for (const name of [
    'dist',
    'build/Release',
    'lib',
    'test',
    'node_modules',
    'package.json',
    'tsconfig.base.json',
    'vitest.config.cjs',
  ])
    cpSync(join(root, name), join(copy, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.includes('obj.target'),
    });
  return copy;
}
