#!/usr/bin/env node
// Builds the benches and what they measure against, and runs them. `--json FILE`: where the results go; `--as UID`: runs
// them as that user; `--realtime`: before all else that runs here; `--sid`: beside Debian sid's runtimes (sid-root.mjs);
// `--compare OLD NEW`: compares two result files instead. Everything else is theirs: bench/main.ts.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSidRoot } from './sid-root.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'build', 'bench');
const require = createRequire(import.meta.url);
const { args, json, user, realtime, sid } = readArguments(process.argv.slice(2));

if (!existsSync(join(root, 'build', 'Release', 'nsbox.node'))) {
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
}
mkdirSync(out, { recursive: true });
compile('floor', []);
compile('stopwatch', ['-static']);
compile('tiny', ['-static', '-nostdlib', '-nostartfiles', '-fno-stack-protector']);
await bundle();
process.exitCode = args[0] === '--compare' ? await compare(args.slice(1)) : await runBenches();

function readArguments(given) {
  const left = [...given];
  const take = (name) => {
    const at = left.indexOf(name);
    return at < 0 ? undefined : left.splice(at, 2)[1];
  };
  const has = (name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  };
  return {
    realtime: has('--realtime'),
    sid: has('--sid'),
    json: resolve(take('--json') ?? join(out, 'results.json')),
    user: take('--as'),
    args: left,
  };
}

function compile(name, flags) {
  execFileSync('cc', ['-O2', ...flags, '-o', join(out, name), join(root, 'bench', `${name}.c`)], {
    stdio: 'inherit',
  });
}

async function bundle() {
  await require('esbuild').build({
    entryPoints: ['main', 'compare', 'spawner', 'heavy', 'long-run']
      .map((name) => join(root, 'bench', `${name}.ts`))
      .filter(existsSync),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    outdir: out,
    outExtension: { '.js': '.mjs' },
    logLevel: 'warning',
  });
}

async function compare(files) {
  return await runNode('compare.mjs', files, { stdio: 'inherit' });
}

async function runBenches() {
  // It costs every start of Node's a parse of the certificates, ours and others' alike.
  const { NODE_EXTRA_CA_CERTS: _, HOME, ...env } = process.env;
  const identity = user === undefined ? {} : { uid: Number(user), gid: Number(user) };
  if (user === undefined) env.HOME = HOME;
  const results = [];
  const code = await runNode(
    'main.mjs',
    sid ? [...args, '--peers-root', makeSidRoot(join(out, 'sid'))] : args,
    { stdio: ['inherit', 'inherit', 'inherit', 'pipe'], env, ...identity },
    (chunk) => results.push(chunk),
  );
  if (code !== 0) return code;
  writeFileSync(json, Buffer.concat(results));
  console.log(`results: ${json}`);
  return 0;
}

async function runNode(name, more, options, onResults) {
  // Round robin: two of ours take turns, as they do on an idle machine.
  const prefix = realtime ? ['chrt', '--rr', '1'] : [];
  const [program, ...line] = [...prefix, process.execPath, join(out, name), ...more];
  const child = spawn(program, line, options);
  child.stdio[3]?.on('data', onResults);
  const [code] = await once(child, 'close');
  return code ?? 1;
}
