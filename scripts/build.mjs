#!/usr/bin/env node
// Builds what a checkout needs: the addon and nsbox-runtime (node-gyp), the library and the command line (esbuild), the
// types (tsc). Arguments: `native`, `lib`, or nothing for both. `--if-needed`: as npm's `prepare` runs it, which also
// happens while a package is packed: then what is there already is left alone.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
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
  const inputs = [
    'binding.gyp',
    'package.json',
    'native/core/sources.txt',
    'native/addon',
    'native/runtime',
    ...foldersBelow('native/runtime'),
  ];
  return inputs.every((input) => statSync(join(root, input)).mtimeMs < made);
}

function foldersBelow(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

// Node's own headers, where they are installed beside it: then nothing is fetched.
function headers() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'common.gypi')) ? [`--nodedir=${prefix}`] : [];
}

async function buildLibrary() {
  const esbuild = require('esbuild');
  const common = {
    bundle: true,
    // Travels in the package as it is, and is loaded when a registry is first asked.
    external: ['undici'],
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
    absWorkingDir: root,
  };
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  await buildModules(esbuild, common);
  await buildCommandLine(esbuild, common);
  chmodSync(join(root, 'dist/cli.cjs'), 0o755);
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', 'lib']);
}

// What is imported dynamically lies in files of its own: `import 'nsbox'` does not wait for it.
async function buildModules(esbuild, common) {
  const module = { ...common, format: 'esm', outdir: 'dist' };
  const parts = { splitting: true, chunkNames: 'index-[name]-[hash]' };
  await esbuild.build({ ...module, ...parts, entryPoints: { index: 'lib/index.ts' } });
  await esbuild.build({ ...module, entryPoints: { spec: 'lib/spec/index.ts' } });
}

// `nsbox run -- true` may take little more than `node -e 0`, and each 40 KB of code takes a millisecond of it. So there are
// several files: what every run needs; what some options need; and one for each module that is imported dynamically, with
// all that it needs. A dynamic import of a CommonJS file is a `require`: it does not start Node's ESM loader.
async function buildCommandLine(esbuild, common) {
  const late = {
    'lib/runtime/bundle.ts': ['readBundle'],
    'lib/cli/run/mounts.ts': ['readMount', 'readTmpfs', 'readVolume'],
    'lib/cli/run/security.ts': ['readSecurity'],
    'lib/spec/runtime/seccomp.ts': ['checkSeccomp'],
    'lib/spec/validate.ts': ['quote', 'text', 'validate'],
  };
  const chunks = new Map();
  const commonjs = {
    ...common,
    format: 'cjs',
    supported: { 'dynamic-import': false },
    // Names stay, for the stacks of NSBOX_DEBUG.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'eof',
    // As node:url's pathToFileURL, which takes 0.3 ms more.
    banner: {
      js: '#!/usr/bin/env node\nconst nodeRequire = require, importMetaUrl = "file://" + __filename.replace(/[^\\w/.-]/g, encodeURIComponent);',
    },
    define: { 'import.meta.url': 'importMetaUrl' },
  };
  await esbuild.build({
    ...commonjs,
    entryPoints: ['lib/cli/main.ts'],
    outfile: 'dist/cli.cjs',
    plugins: [apart(chunks), onDemand(late)],
  });
  const lateExports = Object.entries(late).map(
    ([file, names]) => `export { ${names.join(', ')} } from './${file}';`,
  );
  await esbuild.build({
    ...commonjs,
    stdin: { contents: lateExports.join('\n'), resolveDir: root },
    outfile: 'dist/cli-late.cjs',
  });
  // A chunk may name further ones.
  for (const [outfile, entry] of chunks)
    await esbuild.build({
      ...commonjs,
      entryPoints: [entry],
      outfile: `dist/${outfile}`,
      plugins: [apart(chunks)],
    });
}

// What is imported dynamically lies in a file of its own.
function apart(chunks) {
  return {
    name: 'dynamic imports in files of their own',
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ path, kind, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined;
        const name = `cli-${basename(path, '.js')}.cjs`;
        const entry = join(resolveDir, path).replace(/\.js$/, '.ts');
        if ((chunks.get(name) ?? entry) !== entry) throw new Error(`two modules would be ${name}`);
        chunks.set(name, entry);
        return { path: `./${name}`, external: true };
      });
    },
  };
}

// What only some options need is loaded by the first call.
function onDemand(late) {
  return {
    name: 'parts in files of their own',
    setup(build) {
      build.onResolve({ filter: /^\.\/cli-late\.cjs$/ }, ({ path }) => ({ path, external: true }));
      build.onResolve({ filter: /\.js$/ }, ({ path, resolveDir }) => {
        const file = relative(root, join(resolveDir, path)).replace(/\.js$/, '.ts');
        return file in late ? { path: file, namespace: 'late' } : undefined;
      });
      // What createRequire would make anew, in a fifth of a millisecond each, is there already.
      build.onResolve({ filter: /^node:module$/ }, ({ path }) => ({ path, namespace: 'module' }));
      build.onLoad({ filter: /.*/, namespace: 'module' }, () => ({
        contents: 'export const createRequire = () => nodeRequire;',
      }));
      build.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
        contents: late[path]
          .map((name) => `export const ${name} = (...all) => require('./cli-late.cjs').${name}(...all);`)
          .join('\n'),
        resolveDir: root,
      }));
    },
  };
}

function run(command, args) {
  execFileSync(command, args, { cwd: root, stdio: 'inherit' });
}
