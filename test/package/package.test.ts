import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// What a user gets: the tarball that npm packs, installed elsewhere with install scripts disabled and without the network.

const run = promisify(execFile);
const root = join(import.meta.dirname ?? __dirname, '..', '..');
const arch = `linux-${process.arch}`;
const manifest: { version: string; files: string[]; bundleDependencies: string[] } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);
const built = ['dist/index.js', 'build/Release/nsbox.node', 'build/Release/nsbox-runtime'];
const missing = built.find((name) => !existsSync(join(root, name)));
const mustWork = process.env.NSBOX_MUST_WORK === '1';

describe.skipIf(missing !== undefined && !mustWork)('the packed package, installed', () => {
  let work = '';
  let project = '';
  let packed: { files: { path: string; size: number; mode: number }[]; size: number };

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'nsbox-package-'));
    chmodSync(work, 0o755);
    const { stdout } = await npm(stage(), ['pack', '--json', '--ignore-scripts', '--pack-destination', work]);
    [packed] = JSON.parse(stdout);
    project = join(work, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{"name":"project","private":true}');
    const tarball = join(work, `nsbox-${manifest.version}.tgz`);
    await npm(project, ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--offline', tarball]);
  }, 120_000);

  afterAll(() => {
    if (work) rmSync(work, { recursive: true, force: true });
  });

  // The checkout's own build stands where `npm run prebuild:all` puts its own, beside the package's other files.
  function stage(): string {
    const folder = join(work, 'stage');
    const bundled = manifest.bundleDependencies.map((name) => join('node_modules', name));
    for (const name of ['package.json', ...manifest.files, ...bundled]) {
      if (name === 'prebuilds' || !existsSync(join(root, name))) continue;
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    for (const name of ['nsbox.node', 'nsbox-runtime']) {
      cpSync(join(root, 'build/Release', name), join(folder, 'prebuilds', arch, name));
      chmodSync(join(folder, 'prebuilds', arch, name), name === 'nsbox-runtime' ? 0o755 : 0o644);
    }
    return folder;
  }

  function npm(cwd: string, args: string[]): Promise<{ stdout: string }> {
    return run('npm', args, { cwd, env: { ...process.env, npm_config_cache: join(work, 'cache') } });
  }

  function node(script: string, type: 'module' | 'commonjs'): Promise<{ stdout: string }> {
    return run(process.execPath, [`--input-type=${type}`, '-e', script], { cwd: project });
  }

  test('holds what runs and nothing to build from', () => {
    const names = packed.files.map(({ path }) => path);
    expect(names).toContain('dist/index.js');
    expect(names).toContain('dist/cli.cjs');
    expect(names).toContain('dist/types/index.d.ts');
    expect(names).toContain(`prebuilds/${arch}/nsbox.node`);
    const own = names.filter((name) => !name.startsWith('node_modules/undici/'));
    expect(own.length).toBeLessThan(names.length);
    expect(own.filter((name) => /^(native|lib|test|build|node_modules|scripts)\//.test(name))).toEqual([]);
    expect(own.filter((name) => /\.(cc|h|gyp)$/.test(name))).toEqual([]);
    for (const { path, size } of packed.files) expect(size, path).toBeLessThan(2 * 1024 * 1024);
  });

  test('keeps the mode of the runtime and brings the one other package along', () => {
    const installed = join(project, 'node_modules/nsbox');
    expect(statSync(join(installed, 'prebuilds', arch, 'nsbox-runtime')).mode & 0o777).toBe(0o755);
    expect(existsSync(join(installed, 'build'))).toBe(false);
    expect(readdirSync(join(installed, 'node_modules'))).toEqual(['undici']);
    const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
    const beside = Object.keys(lock.packages).filter((name) => !name.startsWith('node_modules/nsbox'));
    expect(beside).toEqual(['']);
    expect(lock.packages['node_modules/nsbox'].hasInstallScript).toBeUndefined();
  });

  test('runs a sandbox from an ES module', async () => {
    const script =
      "import { Sandbox } from 'nsbox'; console.log((await Sandbox.run(['echo', 'inside'])).stdout.trim());";
    expect((await node(script, 'module')).stdout).toBe('inside\n');
  });

  test('runs a sandbox from a CommonJS module', async () => {
    const script =
      "const { Sandbox } = require('nsbox'); Sandbox.run(['echo', 'inside']).then((r) => console.log(r.stdout.trim()));";
    expect((await node(script, 'commonjs')).stdout).toBe('inside\n');
  });

  test('loads the other package only when a registry is asked', async () => {
    const script = `import 'nsbox';
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.resolve('nsbox'));
      const loaded = () => Object.keys(require.cache).some((path) => path.includes('undici'));
      const before = loaded();
      require('undici');
      console.log(before, loaded());`;
    expect((await node(script, 'module')).stdout).toBe('false true\n');
  });

  test('gives the specification alone, too', async () => {
    const script = "import * as spec from 'nsbox/spec'; console.log(Object.keys(spec).length > 0);";
    expect((await node(script, 'module')).stdout).toBe('true\n');
  });

  test('has a command line', async () => {
    const nsbox = join(project, 'node_modules/.bin/nsbox');
    expect((await run(nsbox, ['version'], { cwd: project })).stdout).toContain(manifest.version);
    expect((await run(nsbox, ['run', '--', 'echo', 'inside'], { cwd: project })).stdout).toBe('inside\n');
  });
});

if (missing !== undefined && !mustWork)
  test(`the packed package (${missing} is not built: run npm run build)`, (context) => context.skip());
