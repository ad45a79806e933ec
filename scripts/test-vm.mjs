#!/usr/bin/env node
// Runs the behaviour tests, and the C++ tests of cgroups, in a virtual machine with cgroup v2, systemd and AppArmor,
// as root and as an ordinary user. See docs/testing-vm.md.
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packCheckout } from './vm/checkout.mjs';
import { prepareImage } from './vm/image.mjs';
import { fromState, Machine } from './vm/machine.mjs';
import { buildNativeTests, NATIVE_TESTS } from './vm/native.mjs';
import { Report } from './vm/report.mjs';
import { makeScratch, sweepScratch } from './vm/scratch.mjs';
import { requireTools } from './vm/tools.mjs';

const HELP = `usage: npm run test:vm -- [options] [test folder or file | native:PART ...]

  native:PART      the C++ tests with this in their name or their file's name

  --run CMD        run this shell command as root instead of the tests (alone: no user lane)
  --user-run CMD   run this shell command as the user instead of the tests (alone: no root lane)
  --timeout S      seconds for the run, without the image's making (default 480)
  --keep           keep the checkout's disk and the console's log, and say where they are
  --install        install missing tools with apt (default when CI=true)
  --help           this text
`;
// What runs when nothing is named: a folder of tests a line, and the lanes that run it.
const SUITES = [
  { tests: 'native:cgroup/', lanes: ['root'] },
  { tests: 'native:cgroup/systemd', lanes: ['user'] },
  { tests: 'test/container', lanes: ['root', 'user'] },
  { tests: 'test/lib/sandbox', lanes: ['root', 'user'] },
  // Of the OCI runtime, what needs this machine: the rest is the same everywhere, and emulation is slow.
  { tests: 'test/runtime/fields/apparmor', lanes: ['root', 'user'] },
  { tests: 'test/runtime/fields/version2', lanes: ['root', 'user'] },
  { tests: 'test/runtime/systemd', lanes: ['user'] },
];
const LANES = ['root', 'user'];
const NATIVE = 'native:';
// Emulated, a process for each test file costs three seconds; one for all of them costs that once.
const VITEST_OPTIONS = '--pool=forks --no-isolate --maxWorkers=1';
const root = join(import.meta.dirname, '..');
const cache = join(root, 'build', 'vm');

try {
  const options = readOptions();
  if (options.help) process.stdout.write(HELP);
  else process.exitCode = await main(options);
} catch (error) {
  console.error(`test-vm: ${error.message}`);
  process.exitCode = 1;
}

async function main({ timeout, keep, install, lanes }) {
  requireTools({ install });
  sweepScratch(cache);
  const { folder, fresh } = await prepareImage(cache);
  if (fresh) console.log('the image is new; the next run will start at once');
  const work = makeScratch(cache, 'run');
  const report = new Report();
  try {
    await runMachine({ folder, work, lanes, timeout, report });
  } finally {
    if (keep) keepFolder(work);
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`\n${report.summary()}`);
  return report.ok ? 0 : 1;
}

async function runMachine({ folder, work, lanes, timeout, report }) {
  if (Object.values(lanes).some((command) => command.includes(NATIVE_TESTS))) await buildNativeTests();
  const checkout = await packCheckout({ root, work, lanes });
  const machine = new Machine({
    start: fromState(join(folder, 'memory')),
    disks: [
      { file: join(folder, 'root.ext4'), discard: true },
      { file: checkout, discard: true },
    ],
    console: join(work, 'console.log'),
  });
  const stop = (reason) => {
    report.fail(reason);
    void machine.kill();
  };
  const timer = setTimeout(stop, timeout * 1000, `no end after ${timeout} s`);
  const interrupted = (signal) => stop(signal);
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  try {
    machine.say(String(Date.now() / 1000));
    for await (const line of machine.lines()) print(report.take(line));
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await machine.kill();
  }
}

// Under another name, so that the next run does not sweep it away.
function keepFolder(work) {
  const kept = join(cache, `kept-${Date.now()}`);
  renameSync(work, kept);
  console.log(`kept: ${kept}`);
}

function print(line) {
  if (line !== undefined) console.log(line);
}

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      run: { type: 'string' },
      'user-run': { type: 'string' },
      timeout: { type: 'string', default: '480' },
      keep: { type: 'boolean', default: false },
      install: { type: 'boolean', default: process.env.CI === 'true' },
      help: { type: 'boolean', default: false },
    },
  });
  return { ...values, timeout: Number(values.timeout), lanes: chooseLanes(values, positionals) };
}

function chooseLanes(values, positionals) {
  const commands = { root: values.run, user: values['user-run'] };
  if (commands.root === undefined && commands.user === undefined) {
    const named = positionals.map((tests) => ({ tests, lanes: LANES }));
    const suites = named.length > 0 ? named : SUITES;
    return Object.fromEntries(LANES.map((lane) => [lane, testCommand(suites, lane)]));
  }
  return Object.fromEntries(Object.entries(commands).filter(([, command]) => command !== undefined));
}

// All that is there runs, whatever failed before.
function testCommand(suites, lane) {
  const tests = suites.filter(({ lanes }) => lanes.includes(lane)).map((suite) => suite.tests);
  const native = tests.filter((name) => name.startsWith(NATIVE)).map((name) => name.slice(NATIVE.length));
  const folders = tests.filter((name) => !name.startsWith(NATIVE));
  const commands = native.map((part) => `${NATIVE_TESTS} ${quote(part)}`);
  if (folders.length > 0)
    commands.push(
      `node node_modules/vitest/vitest.mjs run ${VITEST_OPTIONS} ${folders.map(quote).join(' ')}`,
    );
  return ['end=0', ...commands.map((command) => `${command} || end=1`), 'exit $end'].join('\n');
}

function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
