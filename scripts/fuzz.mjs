#!/usr/bin/env node
// Builds and runs the fuzzers in test/fuzz/native: with libFuzzer where clang and its runtime are installed, else with a
// driver of our own and g++; with AddressSanitizer and UndefinedBehaviorSanitizer always.
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { compileAll, coreSources, root, sanitizers, sourcesBelow } from './native-objects.mjs';

const HELP = `usage: npm run fuzz -- [options]

  --seconds N   how long each fuzzer runs (default 10)
  --only NAME   one of them: ${names().join(', ')}
  --seed N      where the mutations begin (default: another one each time)
  --gcc         our own driver, even where there is libFuzzer
  --help        this text
`;
const build = join(root, 'build', 'fuzz');
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    only: { type: 'string' },
    seed: { type: 'string', default: String(process.pid * 7919 + (Date.now() % 100_000)) },
    gcc: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) process.stdout.write(HELP);
else process.exitCode = await main();

async function main() {
  const chosen = names().filter((name) => !options.only || name === options.only);
  if (chosen.length === 0) {
    console.error(`no fuzzer ${options.only}; there are ${names().join(', ')}`);
    return 2;
  }
  mkdirSync(build, { recursive: true });
  const engine = !options.gcc && hasLibFuzzer() ? 'libfuzzer' : 'driver';
  console.log(`${engine}, seed ${options.seed}, ${options.seconds} s each`);
  const programs = await buildAll(chosen, engine);
  let failed = 0;
  for (const [name, program] of programs) if (!(await runOne(name, program, engine))) failed++;
  console.log(`${programs.length - failed} passed, ${failed} failed`);
  return failed ? 1 : 0;
}

function names() {
  return readdirSync(join(root, 'test/fuzz/native'))
    .filter((name) => name.endsWith('_fuzz.cc'))
    .map((name) => name.slice(0, -'_fuzz.cc'.length))
    .sort();
}

function hasLibFuzzer() {
  const probe = join(build, 'probe.cc');
  writeFileSync(
    probe,
    'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n',
  );
  try {
    execFileSync('clang++', ['-fsanitize=fuzzer', '-o', join(build, 'probe'), probe], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function buildAll(chosen, engine) {
  const clang = engine === 'libfuzzer';
  const compiler = clang ? 'clang++' : (process.env.CXX ?? 'g++');
  // The same objects as the unit tests' where the compiler is the same.
  const out = clang ? join(build, 'libfuzzer') : join(root, 'build', 'test-native');
  const settings = {
    compiler,
    out,
    flags: clang ? ['-fsanitize=fuzzer-no-link', '-Wno-gnu-statement-expression'] : [],
  };
  const core = await compileAll(coreSources(), settings);
  const own = sourcesBelow('test/fuzz/native').filter((file) =>
    isWanted(basename(file, '.cc'), chosen, clang),
  );
  const objects = await compileAll(own, settings);
  const driver = clang ? [] : objects.filter((file) => file.includes('_driver.cc'));
  return chosen.map((name) => {
    const program = join(build, `${name}-${engine}`);
    const target = objects.filter((file) => /_([a-z]+)_(fuzz|seeds)\.cc\.o$/.exec(file)?.[1] === name);
    const engineFlags = clang ? ['-fsanitize=fuzzer'] : [];
    execFileSync(compiler, [...sanitizers, ...engineFlags, '-o', program, ...target, ...driver, ...core], {
      stdio: 'inherit',
    });
    return [name, program];
  });
}

function isWanted(file, chosen, clang) {
  return file === 'driver' ? !clang : chosen.includes(file.replace(/_(fuzz|seeds)$/, ''));
}

async function runOne(name, program, engine) {
  const work = mkdtempSync(join(build, `${name}-`));
  const last = join(work, 'last');
  const args =
    engine === 'libfuzzer'
      ? [
          `-max_total_time=${options.seconds}`,
          `-seed=${Number(options.seed) % 2 ** 31}`,
          `-artifact_prefix=${work}/`,
        ]
      : [options.seconds, String(Number(options.seed) % 2 ** 32), last];
  const { code, output } = await run(program, args);
  if (code === 0) {
    console.log(`${name}: ${output.trim().split('\n').at(-1)}`);
  } else {
    console.log(output);
    console.log(`${name}: FAILED; the input is in ${saveCrash(name, work, last)}`);
  }
  rmSync(work, { recursive: true, force: true });
  return code === 0;
}

function saveCrash(name, work, last) {
  const found = readdirSync(work).find((file) => /^(crash|leak|timeout|oom)-/.test(file));
  const input = found
    ? readFileSync(join(work, found))
    : existsSync(last)
      ? unwrap(readFileSync(last))
      : Buffer.alloc(0);
  const file = join(build, `crash-${name}-${options.seed}`);
  writeFileSync(file, input);
  return file;
}

// The driver's file: the input's size, eight bytes, and the input.
function unwrap(bytes) {
  return bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0)));
}

function run(program, args) {
  const limit = setTimeout(() => child.kill('SIGKILL'), (Number(options.seconds) + 60) * 1000);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output });
    });
  });
}
