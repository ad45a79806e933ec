#!/usr/bin/env node
// What `npm run lint` checks: biome (lint and format), the types of every project, clang-format, and with --tidy
// clang-tidy over the core (some minutes). --write formats instead. A tool that is not installed is a skip with its
// reason; with NSBOX_MUST_WORK=1, as in CI, a failure.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coreSources } from './native-objects.mjs';

const HELP = `usage: npm run lint -- [options]

  --write   format, and fix what is safe to fix
  --tidy    clang-tidy over native/core, too
  --help    this text
`;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    tidy: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const steps = {
  biome,
  types,
  'clang-format': clangFormat,
  ...(options.tidy ? { 'clang-tidy': clangTidy } : {}),
};
if (options.help) process.stdout.write(HELP);
else process.exitCode = runAll();

function runAll() {
  let failed = 0;
  for (const [name, step] of Object.entries(steps)) {
    const outcome = step();
    if (outcome === 'failed') failed++;
    console.log(`${name}: ${outcome}`);
  }
  return failed ? 1 : 0;
}

function biome() {
  const fix = options.write ? ['--write'] : [];
  return passes(bin('@biomejs/biome/bin/biome'), [
    'check',
    '--error-on-warnings',
    '--no-errors-on-unmatched',
    ...fix,
  ]);
}

function types() {
  return passes(bin('typescript/bin/tsc'), ['-b']);
}

function clangFormat() {
  if (!hasProgram('clang-format')) return skip('clang-format is not installed');
  const mode = options.write ? ['-i'] : ['--dry-run', '-Werror'];
  return run('clang-format', [...mode, ...ownSources()]);
}

function clangTidy() {
  if (!hasProgram('clang-tidy')) return skip('clang-tidy is not installed');
  const commands = coreSources().map((file) => ({
    directory: root,
    file,
    arguments: ['clang++', ...tidyFlags(), file],
  }));
  const folder = join(root, 'build', 'tidy');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'compile_commands.json'), JSON.stringify(commands));
  const files = coreSources().join('\n');
  const command = ['-P', String(availableParallelism()), '-n', '4', 'clang-tidy', '--quiet', '-p', folder];
  const done = spawnSync('xargs', command, {
    cwd: root,
    input: files,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  return done.status === 0 ? 'ok' : 'failed';
}

function tidyFlags() {
  return ['-std=c++20', '-fno-exceptions', '-fno-rtti', '-Inative', '-DNSBOX_VERSION="tidy"', '-c'];
}

// Tracked files, so that what others are writing is theirs; generated tables are as their generator writes them.
function ownSources() {
  const list = execFileSync('git', ['ls-files', 'native', 'test/native', 'test/fuzz/native'], {
    cwd: root,
    encoding: 'utf8',
  });
  return list.split('\n').filter((name) => /\.(cc|h)$/.test(name));
}

function bin(path) {
  return join(root, 'node_modules', path);
}

function passes(script, args) {
  return run(process.execPath, [script, ...args]);
}

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0 ? 'ok' : 'failed';
}

function hasProgram(name) {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;
}

function skip(reason) {
  if (process.env.NSBOX_MUST_WORK !== '1') return `skipped: ${reason}`;
  console.error(reason);
  return 'failed';
}
