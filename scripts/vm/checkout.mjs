// The second disk: this checkout as it is built now, and the node that runs this script.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';

/** The saved machine has seen a disk of this size, so every checkout's disk has it. */
export const CHECKOUT_SIZE = 1 << 30;

const TOP_LEVEL_LEFT_OUT = new Set(['.git', '.ci', 'docs', 'prebuilds', 'coverage']);
// Tools for developing, 150 MB, which no test runs.
const PACKAGES_LEFT_OUT = new Set([
  '@biomejs',
  '@typescript',
  '@types',
  'typescript',
  'node-gyp',
  '.cache',
  '.vite',
  '.vite-temp',
]);
const BUILD_WANTED = new Set(['Release', 'testinit', 'vm-native']);
const IN_GUEST = new Set(
  [
    'linux-vdso',
    'ld-linux-x86-64',
    'libc',
    'libm',
    'libdl',
    'librt',
    'libpthread',
    'libgcc_s',
    'libstdc++',
  ].map((name) => `${name}.so`),
);

/** Makes the disk `image` in the empty folder `work`; `lanes` are shell commands by lane. */
export async function packCheckout({ root, work, lanes }) {
  await compileTestinit(root);
  const stage = join(work, 'stage');
  copyTree(root, join(stage, 'checkout'), (path) => isWanted(relative(root, path)));
  // Vite writes here. A link, because a mount below the checkout is in the way of tests that overlay it.
  mkdirSync(join(stage, 'checkout', 'node_modules'), { recursive: true });
  symlinkSync('/run/vite-temp', join(stage, 'checkout', 'node_modules', '.vite-temp'));
  copyTree(join(import.meta.dirname, 'guest'), join(stage, 'guest'), () => true);
  const colours = process.stdout.isTTY ? '' : 'export NO_COLOR=1\n';
  for (const [lane, command] of Object.entries(lanes)) {
    writeFileSync(join(stage, 'guest', `${lane}.sh`), `${colours}${command}\n`);
  }
  copyNode(stage);
  const image = join(work, 'checkout.ext4');
  makeDisk(stage, image);
  rmSync(stage, { recursive: true });
  return image;
}

// The guest has no compiler, so the program that the tests run in their boxes is compiled here. How it is
// named and made is known to the tests' own support alone.
async function compileTestinit(root) {
  const source = join(root, 'test/support/testinit.ts');
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    ...{
      entryPoints: [source],
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
      logLevel: 'error',
    },
    define: { 'import.meta.dirname': JSON.stringify(dirname(source)) },
  });
  const module = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
  );
  module.testinit();
}

function isWanted(path) {
  const [top, second] = path.split('/');
  if (top === 'node_modules') return !PACKAGES_LEFT_OUT.has(second);
  if (top === 'build' && second !== undefined) return BUILD_WANTED.has(second) && !isObject(path);
  return !TOP_LEVEL_LEFT_OUT.has(top);
}

function isObject(path) {
  return ['obj.target', '.deps'].includes(basename(path)) || ['.o', '.a', '.d'].includes(extname(path));
}

function copyTree(from, to, wanted) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (!wanted(source)) continue;
    if (entry.isDirectory()) copyTree(source, target, wanted);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (entry.isFile()) linkOrCopy(source, target);
  }
}

function linkOrCopy(source, target) {
  try {
    linkSync(source, target);
  } catch (error) {
    if (error.code === 'ENOENT') return; // Someone is building: what vanished was temporary.
    copyFileSync(source, target);
  }
}

// Node's own builds need nothing that the guest lacks; a distribution's may bring many libraries.
function copyNode(stage) {
  mkdirSync(join(stage, 'bin'));
  linkOrCopy(process.execPath, join(stage, 'bin', 'node'));
  const lines = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).split('\n');
  const libraries = lines
    .map((line) => / => (\/\S+)/.exec(line)?.[1])
    .filter((path) => path && !isInGuest(path));
  if (libraries.length === 0) return;
  mkdirSync(join(stage, 'node-libraries'));
  for (const path of libraries) copyFileSync(path, join(stage, 'node-libraries', basename(path)));
}

function isInGuest(library) {
  return IN_GUEST.has(basename(library).replace(/\.so\..*$/, '.so'));
}

function makeDisk(stage, image) {
  const options = ['-q', '-t', 'ext4', '-O', '^has_journal,^metadata_csum', '-m', '0', '-d', stage];
  execFileSync('/sbin/mke2fs', [...options, image, `${CHECKOUT_SIZE / 1024}k`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (lstatSync(image).size !== CHECKOUT_SIZE) throw new Error(`${image} has the wrong size`);
}
