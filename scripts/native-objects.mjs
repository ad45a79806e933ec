// Compiles C++ sources one by one into a folder under build/, with sanitizers, and only what has changed: for the unit
// tests and the fuzzers, which then need no cmake.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'];
const common = [
  '-std=c++20',
  '-g1',
  ...sanitizers,
  '-fno-omit-frame-pointer',
  '-Wall',
  '-Wextra',
  '-Wshadow',
  '-Wno-unused-parameter',
  '-DNSBOX_VERSION="test"',
  `-I${join(root, 'native')}`,
  `-I${join(root, 'test', 'native')}`,
];

export function coreSources() {
  const list = readFileSync(join(root, 'native/core/sources.txt'), 'utf8');
  return list
    .split('\n')
    .filter(Boolean)
    .map((name) => join(root, 'native/core', name));
}

export function sourcesBelow(folder) {
  const found = execFileSync('find', [join(root, folder), '-name', '*.cc'], { encoding: 'utf8' });
  return found.split('\n').filter(Boolean).sort();
}

// Compiles what is stale and answers the objects' names, in the order of the sources.
export async function compileAll(sources, { compiler, out, flags = [] }) {
  mkdirSync(out, { recursive: true });
  const jobs = sources.map((source) => ({
    source,
    object: objectOf(source, out),
    compiler,
    flags: flagsOf(source, flags),
  }));
  const queue = jobs.filter((job) => !isFresh(job.object, job.flags));
  if (queue.length > 1) console.log(`compiling ${queue.length} of ${jobs.length} files`);
  const workers = Array.from({ length: availableParallelism() }, async () => {
    for (let job = queue.shift(); job; job = queue.shift()) await compile(job);
  });
  await Promise.all(workers);
  return jobs.map(({ object }) => object);
}

// The seccomp tests compute millions of decisions; elsewhere the time to compile is what counts.
function flagsOf(source, flags) {
  const heavy = relative(root, source).includes('/security/');
  return [...common, heavy ? '-O1' : '-Og', ...flags];
}

function objectOf(source, out) {
  return join(out, `${relative(root, source).replaceAll('/', '_')}.o`);
}

// Two runs at once may build the same object: each writes aside and renames, and looks again before it begins.
function compile({ source, object, compiler, flags }) {
  if (isFresh(object, flags)) return Promise.resolve();
  const aside = `${object}.${process.pid}`;
  const list = ['-MMD', '-MT', digest(flags), '-MF', `${aside}.d`];
  const child = spawn(compiler, [...flags, ...list, '-c', source, '-o', aside], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code !== 0) return reject(new Error(`${source} does not compile`));
      renameSync(aside, object);
      renameSync(`${aside}.d`, listOf(object));
      resolve();
    });
  });
}

function listOf(object) {
  return object.replace(/\.o$/, '.d');
}

// The compiler's own list of what an object was made from (-MMD) tells whether it is of today; its target names the flags.
function isFresh(object, flags) {
  const list = listOf(object);
  if (!existsSync(object) || !existsSync(list)) return false;
  const [target, ...inputs] = readFileSync(list, 'utf8').replaceAll('\\\n', ' ').split(/\s+/).filter(Boolean);
  if (target !== `${digest(flags)}:`) return false;
  const made = statSync(object).mtimeMs;
  return inputs.every((name) => existsSync(name) && statSync(name).mtimeMs <= made);
}

function digest(flags) {
  return createHash('sha256').update(flags.join('\0')).digest('hex').slice(0, 16);
}
