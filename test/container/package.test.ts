import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { TemporaryDirectory } from '../support/temporary.js';

// The package as Node itself loads it, in processes of their own.

const checkout = join(import.meta.dirname, '..', '..');

/** Runs the code in the checkout, where the package finds itself by its name. */
async function node(code: string, ...options: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...options, '-e', code], { cwd: checkout });
  return stdout.trim();
}

describe('loading', () => {
  test('by import and by require, the same', async () => {
    expect(await node("import('nsbox').then(({ Sandbox }) => console.log(typeof Sandbox.run))")).toBe(
      'function',
    );
    expect(await node("import('nsbox/spec').then((spec) => console.log(typeof spec.parseConfig))")).toBe(
      'function',
    );
    const [major = 0] = process.versions.node.split('.').map(Number);
    const quiet = major < 22 ? ['--no-warnings'] : [];
    expect(await node("console.log(typeof require('nsbox').Sandbox.run)", ...quiet)).toBe('function');
  });

  test('loads nothing but files of the package and modules of Node', async () => {
    await using folder = new TemporaryDirectory();
    writeFileSync(
      folder.join('hooks.mjs'),
      `import { appendFileSync } from 'node:fs';
      export async function resolve(specifier, context, next) {
        const found = await next(specifier, context);
        appendFileSync(${JSON.stringify(folder.join('urls'))}, found.url + '\\n');
        return found;
      }`,
    );
    const code = `
      const module = require('node:module');
      module.register(${JSON.stringify(`file://${folder.join('hooks.mjs')}`)});
      import('nsbox').then(() => console.log(require('node:fs').readFileSync(${JSON.stringify(folder.join('urls'))}, 'utf8')));`;
    const urls = (await node(code, '--no-warnings')).split('\n').filter(Boolean);
    expect(urls.length).toBeGreaterThan(0);
    expect(
      urls.filter((url) => !url.startsWith('node:') && !url.startsWith(`file://${checkout}/dist/`)),
    ).toEqual([]);
  });

  test('starts nothing, and leaves a process free to end', async () => {
    expect(await node("import('nsbox').then(() => process.on('exit', (code) => console.log(code)))")).toBe(
      '0',
    );
  });
});

describe('elsewhere than on Linux', () => {
  test.each(['darwin', 'win32', 'freebsd'])(
    'on %s it loads, and calls say that they cannot',
    async (platform) => {
      const code = `
      Object.defineProperty(process, 'platform', { value: ${JSON.stringify(platform)} });
      import('nsbox').then(async ({ Sandbox }) => {
        const codes = [];
        await Sandbox.create().catch(({ code, hint }) => codes.push(code, typeof hint));
        try { await Sandbox.run(['true']); } catch ({ code }) { codes.push(code); }
        console.log(codes.join(' '));
      });`;
      expect(await node(code)).toBe('EUNSUPPORTED string EUNSUPPORTED');
    },
  );

  test('nor on a processor that there is no build for', async () => {
    const code = `
      Object.defineProperty(process, 'arch', { value: 'mips' });
      import('nsbox').then(({ Sandbox }) => Sandbox.create()).catch(({ code }) => console.log(code));`;
    expect(await node(code)).toBe('EUNSUPPORTED');
  });
});
