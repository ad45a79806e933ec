#!/usr/bin/env node
// Builds the core and its unit tests hosted, with sanitizers, by the C++ compiler alone (no cmake needed), and runs
// them. An argument is a part of a test's name; CXX names another compiler.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'build', 'test-native');
const compiler = process.env.CXX ?? 'g++';
const flags = ['-std=c++20', '-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined',
  '-fno-omit-frame-pointer', '-Wall', '-Wextra', '-Wshadow', '-Wno-unused-parameter',
  `-I${join(root, 'native')}`, `-I${join(root, 'test', 'native')}`];

const coreSources = readFileSync(join(root, 'native/core/sources.txt'), 'utf8').split('\n').filter(Boolean);
const testSources = walk(join(root, 'test/native')).filter((name) => name.endsWith('.cc'));
const sources = [...coreSources.map((name) => join(root, 'native/core', name)), ...testSources];

mkdirSync(out, { recursive: true });
const objects = await compileAll(sources);
const program = join(out, 'tests');
execFileSync(compiler, ['-fsanitize=address,undefined', '-o', program, ...objects, '-ldl'], { stdio: 'inherit' });
const run = spawn(program, process.argv.slice(2), { stdio: 'inherit' });
process.exitCode = await new Promise((resolve) => run.on('exit', (code) => resolve(code ?? 1)));

function walk(folder) {
  return execFileSync('find', [folder, '-name', '*.cc'], { encoding: 'utf8' }).split('\n').filter(Boolean).sort();
}

async function compileAll(files) {
  const queue = files.map((source) => ({ source, object: objectOf(source) }));
  const made = queue.map(({ object }) => object);
  const workers = Array.from({ length: availableParallelism() }, async () => {
    for (let job = queue.shift(); job; job = queue.shift()) await compile(job);
  });
  await Promise.all(workers);
  return made;
}

function objectOf(source) {
  return join(out, `${source.slice(root.length + 1).replaceAll('/', '_')}.o`);
}

function compile({ source, object }) {
  if (isFresh(object)) return Promise.resolve();
  const child = spawn(compiler, [...flags, '-MMD', '-c', source, '-o', object], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${source} does not compile`))));
  });
}

// The compiler's own list of what an object was made from (-MMD) tells whether it is of today.
function isFresh(object) {
  const list = object.replace(/\.o$/, '.d');
  if (!existsSync(object) || !existsSync(list)) return false;
  const made = statSync(object).mtimeMs;
  const inputs = readFileSync(list, 'utf8').replaceAll('\\\n', ' ').split(/\s+/).slice(1).filter(Boolean);
  return inputs.every((name) => existsSync(name) && statSync(name).mtimeMs <= made);
}
