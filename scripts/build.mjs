#!/usr/bin/env node
// Builds what a checkout needs: the addon and nsbox-runtime (node-gyp), the library and the command line (esbuild), the
// types (tsc). Arguments: `native`, `lib`, or nothing for both. `--if-needed`: as npm's `prepare` runs it, which also
// happens while a package is packed: then what is there already is left alone.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const wanted = new Set(process.argv.slice(2).filter((argument) => !argument.startsWith('--')));
const all = wanted.size === 0;

if (all || wanted.has('native')) buildNative();
if (all || wanted.has('lib')) await buildLibrary();

function buildNative() {
  if (process.platform !== 'linux') {
    console.log('nsbox: not Linux: the native part is left out, and calls will throw EUNSUPPORTED');
    return;
  }
  const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
  const command = isConfigured() ? ['build'] : ['configure', 'build'];
  run(process.execPath, [nodeGyp, ...command, '--jobs=max', '--loglevel=warn', ...headers()]);
}

// Whether the makefiles are of today's lists of sources.
function isConfigured() {
  const made = statSync(join(root, 'build', 'Makefile'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const inputs = ['binding.gyp', 'package.json', 'native/core/sources.txt', 'native/addon', 'native/runtime', 'native/runtime/commands'];
  return inputs.every((input) => statSync(join(root, input)).mtimeMs < made);
}

// Node's own headers, where they are installed beside it: then nothing is fetched.
function headers() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'common.gypi')) ? [`--nodedir=${prefix}`] : [];
}

async function buildLibrary() {
  const esbuild = require('esbuild');
  const common = { bundle: true, platform: 'node', target: 'node20.19', logLevel: 'warning', absWorkingDir: root };
  const module = { ...common, format: 'esm', outdir: 'dist' };
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  await esbuild.build({ ...module, entryPoints: { index: 'lib/index.ts', spec: 'lib/spec/index.ts' } });
  await buildCommandLine(esbuild, common);
  chmodSync(join(root, 'dist/cli.cjs'), 0o755);
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', 'lib']);
}

// Two files: all that `nsbox run` needs, and the rest with commander, loaded when something else is asked for. A dynamic
// import of a CommonJS file is a `require`: it does not start Node's ESM loader. `nsbox run -- true` may take little more
// than `node -e 0`, so what most runs do without is not even evaluated: the checks of bundles and seccomp profiles.
async function buildCommandLine(esbuild, common) {
  const late = new Map([
    [join(root, 'lib/runtime/bundle.js'), 'readBundle'],
    [join(root, 'lib/cli/run/seccomp.js'), 'readSeccomp'],
  ]);
  const plugin = {
    name: 'late parts',
    setup(build) {
      build.onResolve({ filter: /^\.\/program\.js$/ }, () => ({ path: './cli-program.cjs', external: true }));
      build.onResolve({ filter: /\/(bundle|seccomp)\.js$/ }, ({ path, resolveDir, kind }) => {
        const file = join(resolveDir, path);
        return kind === 'import-statement' && late.has(file) ? { path: file, namespace: 'late' } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
        contents: `export const ${late.get(path)} = (...all) => require(${JSON.stringify(path.replace(/\.js$/, '.ts'))}).${late.get(path)}(...all)`,
        resolveDir: dirname(path),
      }));
    },
  };
  await esbuild.build({
    ...common,
    format: 'cjs',
    entryPoints: { cli: 'lib/cli/main.ts', 'cli-program': 'lib/cli/program.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    plugins: [plugin],
    supported: { 'dynamic-import': false },
    // Half as long to compile; names stay, for the stacks of NSBOX_DEBUG.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'eof',
    // As node:url's pathToFileURL, which takes 0.3 ms more.
    banner: {
      js: '#!/usr/bin/env node\nconst importMetaUrl = "file://" + __filename.replace(/[^\\w/.-]/g, encodeURIComponent);',
    },
    define: { 'import.meta.url': 'importMetaUrl' },
  });
}

function run(command, args) {
  execFileSync(command, args, { cwd: root, stdio: 'inherit' });
}
