#!/usr/bin/env node
// Makes prebuilds/linux-x64 and prebuilds/linux-arm64, which travel in the package: nsbox.node and nsbox-runtime each.
// The other architecture's is cross-built; with qemu's user emulation it is tried, too. `--arch x64` makes one of them.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MAX_SIZE = 2 * 1024 * 1024;
const TARGETS = {
  x64: { triple: 'x86_64-linux-gnu', emulator: 'qemu-x86_64-static', machine: 62 },
  arm64: { triple: 'aarch64-linux-gnu', emulator: 'qemu-aarch64-static', machine: 183 },
};
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const { values: options } = parseArgs({ options: { arch: { type: 'string', multiple: true } } });

if (process.platform !== 'linux') throw new Error('prebuilds are made on Linux');
for (const arch of options.arch ?? Object.keys(TARGETS)) prebuild(arch);

function prebuild(arch) {
  const target = TARGETS[arch];
  if (!target) throw new Error(`no such architecture: ${arch}; there are ${Object.keys(TARGETS).join(', ')}`);
  const tools = toolsFor(arch, target);
  const work = join(root, 'build', `prebuild-${arch}`);
  const release = build(arch, tools, work);
  const folder = join(root, 'prebuilds', `linux-${arch}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  stage(join(release, 'nsbox.node'), join(folder, 'nsbox.node'), 0o644, tools);
  stage(join(release, 'nsbox-runtime'), join(folder, 'nsbox-runtime'), 0o755, tools);
  for (const name of ['nsbox.node', 'nsbox-runtime']) check(join(folder, name), target);
  tryRuntime(arch, target, join(folder, 'nsbox-runtime'));
  if (arch !== process.arch) tryUnitTests(target, tools, work);
}

function toolsFor(arch, { triple }) {
  const prefix = arch === process.arch ? '' : `${triple}-`;
  const tools = { CC: `${prefix}gcc`, CXX: `${prefix}g++`, AR: `${prefix}ar`, STRIP: `${prefix}strip` };
  for (const tool of Object.values(tools)) {
    if (hasProgram(tool)) continue;
    throw new Error(
      `${tool} is missing: apt install ${prefix ? `g++-${triple.replace('_', '-')}` : 'g++ make'}`,
    );
  }
  return tools;
}

function hasProgram(name) {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;
}

// gyp writes into ./build: a copy of what it reads leaves the checkout's own build alone.
function build(arch, tools, work) {
  mkdirSync(work, { recursive: true });
  for (const name of ['native', 'binding.gyp', 'package.json']) {
    rmSync(join(work, name), { recursive: true, force: true });
    cpSync(join(root, name), join(work, name), { recursive: true, preserveTimestamps: true });
  }
  const link = join(work, 'node_modules');
  if (!existsSync(link)) execFileSync('ln', ['-s', join(root, 'node_modules'), link]);
  const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
  const args = ['configure', 'build', `--arch=${arch}`, '--jobs=max', '--loglevel=warn', ...headers()];
  const { CC, CXX, AR } = tools;
  const env = { ...process.env, CC, CXX, AR, LINK: CXX };
  execFileSync(process.execPath, [nodeGyp, ...args], { cwd: work, stdio: 'inherit', env });
  return join(work, 'build', 'Release');
}

function headers() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'common.gypi')) ? [`--nodedir=${prefix}`] : [];
}

function stage(from, to, mode, { STRIP }) {
  copyFileSync(from, to);
  execFileSync(STRIP, ['--strip-unneeded', to]);
  chmodSync(to, mode);
}

function check(file, { machine }) {
  const { size } = statSync(file);
  if (size > MAX_SIZE) throw new Error(`${file}: ${size} bytes, more than ${MAX_SIZE}`);
  const found = readFileSync(file).readUInt16LE(18);
  if (found !== machine) throw new Error(`${file}: built for another machine (${found}, not ${machine})`);
  console.log(`${file.slice(root.length + 1)}: ${Math.ceil(size / 1024)} KB`);
}

function tryRuntime(arch, { emulator }, file) {
  const command = arch === process.arch ? [file] : [emulator, file];
  if (arch !== process.arch && !hasProgram(emulator))
    return skip(`${emulator} is not installed: ${arch} was not tried`);
  const told = execFileSync(command[0], [...command.slice(1), 'version'], { encoding: 'utf8' }).trim();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (!told.startsWith(`nsbox-runtime version ${version}\n`)) throw new Error(`${file} says ${told}`);
  console.log(`linux-${arch}: ${told}`);
}

// What speaks to no kernel runs under emulation as it does on the machine itself.
function tryUnitTests({ emulator }, { CXX }, work) {
  if (!hasProgram(emulator)) return;
  const program = join(work, 'base-tests');
  const sources = execFileSync(
    'sh',
    ['-c', 'ls native/core/base/*.cc test/native/base/*.cc test/native/main.cc'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  const flags = ['-std=c++20', '-O1', '-static', '-DNSBOX_VERSION="test"', '-Inative', '-Itest/native'];
  execFileSync(CXX, [...flags, '-o', program, ...sources.trim().split('\n')], {
    cwd: root,
    stdio: 'inherit',
  });
  execFileSync(emulator, [program], { stdio: 'inherit' });
}

function skip(reason) {
  if (process.env.NSBOX_MUST_WORK === '1') throw new Error(reason);
  console.log(`skipped: ${reason}`);
}
