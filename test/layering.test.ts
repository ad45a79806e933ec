import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';

// Who may import whom: the table of docs/architecture.md, here in the form that is checked.

const root = join(import.meta.dirname, '..');

/** Each folder of lib/ (or file directly in it) with those that it may import; all may import themselves. */
const leaves = ['errors', 'util'];
const native = ['spec', ...leaves];
const siblings = ['native', ...native];
const sandbox = ['runtime', 'images', 'snapshots', 'network', 'volumes', ...siblings];
const build = ['sandbox', ...sandbox];
const engine = ['build', ...build];
const faces = ['engine', 'sandbox', 'build', 'spec', ...leaves];

const LIBRARY: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  util: ['errors'],
  spec: leaves,
  native,
  runtime: siblings,
  images: siblings,
  snapshots: siblings,
  network: siblings,
  volumes: siblings,
  sandbox,
  build,
  engine,
  cli: faces,
  docker: faces,
  cri: faces,
  vitest: faces,
  index: ['runtime', ...faces],
  daemon: ['docker', 'cri', 'engine', ...leaves],
};

/** Packages of the registry, each with the folders that may import it. Node's own modules are free. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  commander: ['cli'],
  picocolors: ['cli'],
  undici: ['images'],
};

const kernel = ['ns', 'mount', 'cgroup', 'security', 'process', 'net', 'layer'];
const core = ['base', 'sys', ...kernel, 'spec', 'container'];

/** Each folder of native/ with those that it may include. */
const NATIVE: Readonly<Record<string, readonly string[]>> = {
  base: [],
  sys: ['base'],
  ...Object.fromEntries(kernel.map((name) => [name, ['sys', 'base']])),
  spec: [...kernel, 'sys', 'base'],
  container: ['spec', ...kernel, 'sys', 'base'],
  addon: core,
  runtime: core,
};

/** One file's mention of another, by their paths below lib/ or native/. */
interface Edge {
  readonly from: string;
  readonly to: string;
}

const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s[^'";]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|^import\s*['"]([^'"]+)['"]|\brequire\(\s*['"]([^'"]+)['"]\s*\)/gm;
const INCLUDE = /^\s*#\s*include\s+"([^"]+)"/gm;

function filesBelow(folder: string, endings: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.test(name) && statSync(join(root, folder, name)).isFile())
    .sort();
}

function mentions(path: string, form: RegExp): { readonly to: string; readonly isType: boolean }[] {
  const text = readFileSync(join(root, path), 'utf8').replace(/^\s*(\/\/|\*).*$/gm, '');
  return [...text.matchAll(form)].map((match) => ({
    to: match.slice(1).find((one) => one !== undefined) ?? '',
    isType: /^\s*(import|export)\s+type\s/.test(match[0]),
  }));
}

const imports = filesBelow('lib', /\.ts$/).flatMap((from) =>
  mentions(join('lib', from), IMPORT).map(({ to, isType }) => ({
    from,
    isType,
    to: to.startsWith('.') ? posix.join(dirname(from), to).replace(/\.js$/, '.ts') : to,
    isOurs: to.startsWith('.'),
  })),
);

const includes: readonly Edge[] = filesBelow('native', /\.(cc|h|inc)$/).flatMap((from) =>
  mentions(join('native', from), INCLUDE).map(({ to }) => ({ from, to })),
);

/** `sandbox/host.ts` is of `sandbox`, `errors.ts` of `errors`, `core/sys/file.h` of `sys`. */
function folderOf(path: string): string {
  return (
    path
      .replace(/^core\//, '')
      .split('/')[0]
      ?.replace(/\.ts$/, '') ?? ''
  );
}

function offending(edges: readonly Edge[], table: Readonly<Record<string, readonly string[]>>): string[] {
  return edges
    .filter(({ from, to }) => folderOf(from) !== folderOf(to))
    .filter(({ from, to }) => !table[folderOf(from)]?.includes(folderOf(to)))
    .map(({ from, to }) => `${from} → ${to}`);
}

/** Each cycle once, as a path that ends where it began. */
function cycles(edges: readonly Edge[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (path.includes(file) || done.has(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

describe('lib/', () => {
  const own = imports.filter(({ isOurs }) => isOurs);

  test('every folder is in the table', () => {
    expect(
      [...new Set(imports.map(({ from }) => folderOf(from)))].filter((name) => !(name in LIBRARY)),
    ).toEqual([]);
  });

  test('imports point down only', () => {
    expect(offending(own, LIBRARY)).toEqual([]);
  });

  test('what is imported is there', () => {
    const files = new Set(filesBelow('lib', /\.ts$/));
    expect(own.filter(({ to }) => !files.has(to)).map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  // A type that two files know of each other is gone when they run; the folders' table counts it all the same.
  test('no cycles', () => {
    expect(cycles(own.filter(({ isType }) => !isType))).toEqual([]);
  });

  test('packages of the registry stay where they belong', () => {
    const foreign = imports.filter(({ isOurs, to }) => !isOurs && !to.startsWith('node:'));
    expect(
      foreign
        .filter(({ from, to }) => !PACKAGES[packageOf(to)]?.includes(folderOf(from)))
        .map(({ from, to }) => `${from} → ${to}`),
    ).toEqual([]);
  });

  test('only native/ loads a .node file', () => {
    const loads = filesBelow('lib', /\.ts$/).filter((name) =>
      /['"][^'"]*\.node['"]|process\.dlopen/.test(readFileSync(join(root, 'lib', name), 'utf8')),
    );
    expect(loads.filter((name) => folderOf(name) !== 'native')).toEqual([]);
  });
});

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

describe('native/', () => {
  test('every folder is in the table', () => {
    expect(
      [...new Set(includes.map(({ from }) => folderOf(from)))].filter((name) => !(name in NATIVE)),
    ).toEqual([]);
  });

  test('includes point down only', () => {
    expect(offending(includes, NATIVE)).toEqual([]);
  });

  test('no cycles', () => {
    expect(cycles(includes)).toEqual([]);
  });

  test('napi.h is the addon’s alone', () => {
    const users = filesBelow('native', /\.(cc|h)$/).filter((name) =>
      /#include\s*[<"]napi\.h/.test(readFileSync(join(root, 'native', name), 'utf8')),
    );
    expect(users.filter((name) => folderOf(name) !== 'addon')).toEqual([]);
  });

  test('the list of core’s sources is complete', () => {
    const listed = readFileSync(join(root, 'native/core/sources.txt'), 'utf8').split('\n').filter(Boolean);
    expect([...listed].sort()).toEqual(filesBelow('native/core', /\.cc$/));
  });
});
