import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { RUNTIME_VERBS } from '../../../../lib/cli/program.js';
import { runtimePath } from '../../../../lib/native/runtime-binary.js';
import { Runtime } from '../../../runtime/support/runtime.js';
import { eventually } from '../../../support/polling.js';
import { endOf, nsbox, start } from '../support.js';

describe('nsbox runtime', () => {
  test('is the executable, with its own help and version', async () => {
    for (const flag of ['--help', '--version']) {
      const own = execFileSync(runtimePath(), [flag], { encoding: 'utf8' });
      expect(await nsbox(['runtime', flag])).toEqual({ code: 0, stdout: own, stderr: '' });
    }
  });

  test('the completions know every verb', async () => {
    const { stdout } = await nsbox(['runtime', '--help']);
    const listed = [...stdout.matchAll(/^ {2}(\w+) {2,}/gm)].map(([, name]) => name);
    expect(listed.filter((name) => name !== 'init' && name !== 'janitor')).toEqual(RUNTIME_VERBS);
  });

  test('passes streams and the exit code on', async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      config.process.args = ['sh', '-c', 'cat; echo no >&2; exit 3'];
    });
    const args = ['runtime', '--root', runtime.root, 'run', '--bundle', bundle.path, 'one'];
    expect(await nsbox(args, { input: 'words' })).toEqual({ code: 3, stdout: 'words', stderr: 'no\n' });
    const absent = await nsbox(['runtime', '--root', runtime.root, 'state', 'absent']);
    expect(absent).toMatchObject({ code: 1, stdout: '' });
    expect(absent.stderr).toContain('container does not exist');
  });

  test('passes signals on', async () => {
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      config.process.args = [
        'sh',
        '-c',
        'trap "echo term; exit 9" TERM; echo up; while :; do sleep 0.05; done',
      ];
    });
    const child = start(['runtime', '--root', runtime.root, 'run', '--bundle', bundle.path, 'one']);
    const ended = endOf(child);
    if (child.stdout) await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 9, stdout: 'up\nterm\n' });
    await eventually(() => runtime.states().length === 0);
  });
});
