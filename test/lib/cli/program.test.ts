import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RUN_FLAGS } from '../../../lib/cli/run/flags.js';
import { skipUnless } from '../../support/skip.js';
import { nsbox } from './support.js';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'));

describe('help', () => {
  test.each([[['--help']], [['help']]])('%j lists the commands', async (args) => {
    const { code, stdout } = await nsbox(args);
    expect(code).toBe(0);
    for (const name of ['run', 'doctor', 'info', 'version', 'runtime', 'runtime-path', 'completion'])
      expect(stdout).toContain(`  ${name} `);
  });

  test.each([[['run', '--help']], [['help', 'run']], [['run', '-it', '--help']]])(
    '%j tells every option',
    async (args) => {
      const { code, stdout } = await nsbox(args);
      expect(code).toBe(0);
      for (const { long } of RUN_FLAGS) expect(stdout).toContain(`--${long}`);
      for (const part of ['Exit codes:', 'Examples:', 'Limits:']) expect(stdout).toContain(part);
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    },
  );
});

test.each([[['version']], [['--version']], [['-V']]])('%j', async (args) => {
  expect(await nsbox(args)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('what is not known', () => {
  test.each([
    [['rum'], "unknown command 'rum'", 'did you mean run?'],
    [['quite-else'], "unknown command 'quite-else'", 'see nsbox --help'],
    [['doctor', '--jsno'], "unknown option '--jsno'", 'did you mean --json?'],
    [['completion', 'csh'], "'csh' is invalid", 'see nsbox --help'],
    [['completion'], "missing required argument 'shell'", 'see nsbox --help'],
  ])('%j', async (args, message, hint) => {
    const { code, stdout, stderr } = await nsbox(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`nsbox: `);
    expect(stderr).toContain(message);
    expect(stderr).toContain(`hint: ${hint}`);
  });

  test('without a command the help comes as an error', async () => {
    const { code, stdout, stderr } = await nsbox([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: nsbox');
  });
});

describe('doctor', () => {
  test('is a table of 80 columns without colours in a pipe', async () => {
    const { code, stdout } = await nsbox(['doctor']);
    expect(code).toBe(0);
    expect(stdout).not.toContain('\x1b');
    for (const title of ['Machine', 'Isolation', 'Limits', 'Users'])
      expect(stdout).toMatch(new RegExp(`^${title}$`, 'm'));
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('--json has the same, and a remedy for each miss', async () => {
    const { ok, checks } = JSON.parse((await nsbox(['doctor', '--json'])).stdout);
    expect(ok).toBe(true);
    const names = checks.map(({ name }: { name: string }) => name);
    for (const name of [
      'kernel',
      'native part',
      'a sandbox',
      'user namespaces',
      'overlay',
      'seccomp',
      'cgroups',
      'memory',
      'pids',
    ])
      expect(names).toContain(name);
    for (const check of checks)
      if (check.status === 'off' || check.status === 'missing') expect(check.remedy).toBeTruthy();
  });
});

describe('info', () => {
  test('tells versions, paths and defaults', async () => {
    const { stdout } = await nsbox(['info', '--json']);
    const facts = JSON.parse(stdout);
    expect(facts).toMatchObject({
      version,
      node: process.version,
      defaults: { network: 'none', noNewPrivileges: true },
    });
    expect(facts.defaults.capabilities).toHaveLength(14);
    expect(facts.defaults.seccompAllowed).toBeGreaterThan(300);
    expect((await nsbox(['runtime-path'])).stdout).toBe(`${facts.runtime}\n`);
  });

  test('as text fits in 80 columns', async () => {
    for (const line of (await nsbox(['info'])).stdout.split('\n'))
      expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('completions', () => {
  const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

  function bash(script: string, ...words: string[]): string[] {
    const line = words.map((word) => `'${word}'`).join(' ');
    const test = `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _nsbox; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', test], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.split('\n').filter(Boolean);
  }

  test('bash', async (context) => {
    skipUnless(context, has('bash'), 'bash is missing');
    const script = (await nsbox(['completion', 'bash'])).stdout;
    expect(bash(script, 'nsbox', 'r')).toEqual(['run', 'rmi', 'runtime', 'runtime-path']);
    expect(bash(script, 'nsbox', 'runtime', 'pa')).toEqual(['pause']);
    expect(bash(script, 'nsbox', 'run', '--mem')).toEqual(['--memory', '--memory-swap']);
    expect(bash(script, 'nsbox', 'run', '--network', '')).toEqual(['none', 'host']);
    expect(bash(script, 'nsbox', 'run', '-it', 'h')).toEqual(['host']);
    expect(bash(script, 'nsbox', 'run', '-it', 'host', 'l')).toContain('ls');
    expect(bash(script, 'nsbox', 'run', '-it', '--', 'l')).toContain('ls');
    expect(bash(script, 'nsbox', 'run', 'debian', 'l')).toEqual([]);
    expect(bash(script, 'nsbox', 'run', '--memory', '64m', '--js')).toEqual(['--json']);
    expect(bash(script, 'nsbox', 'run', 'ls', '--mem')).toEqual([]);
    expect(bash(script, 'nsbox', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(bash(script, 'nsbox', 'help', 'do')).toEqual(['doctor']);
    expect(bash(script, 'nsbox', 'doctor', '--')).toEqual(['--json', '--help']);
  });

  test.each(['zsh', 'fish'])('%s takes the script', async (shell) => {
    const { code, stdout } = await nsbox(['completion', shell]);
    expect(code).toBe(0);
    for (const { long } of RUN_FLAGS) expect(stdout).toContain(long);
    if (!has(shell)) return;
    const check = spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' });
    expect(check.stderr).toBe('');
  });
});
