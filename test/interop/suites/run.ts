import { expect, test } from 'vitest';
import type { Engine } from '../support/engine.js';

/** What `run` gives back: status, output, and the words for a command that cannot be run. */
export function runSuite(engine: Engine): void {
  const { image } = engine;

  test('a command has its output, its errors and its status', async () => {
    const script = 'echo to stdout; echo to stderr >&2; exit 7';
    expect(await engine.run(['run', '--rm', image, 'sh', '-c', script])).toEqual({
      code: 7,
      stdout: 'to stdout\n',
      stderr: 'to stderr\n',
    });
  });

  test('a command that a signal ends has 128 and its number', async () => {
    // The first process cannot kill itself, so an init is above it.
    const { code } = await engine.run(['run', '--rm', '--init', image, 'sh', '-c', 'kill -9 $$']);
    expect(code).toBe(137);
  });

  test('a command that is not found gives 127 and says so', async () => {
    const { code, stderr } = await engine.run(['run', '--rm', image, 'no-such-program']);
    // Where the engine does not know that a runtime speaks JSON, quotes are quoted.
    expect(stderr).toMatch(/"no-such-program\\?": executable file not found in \$PATH/);
    expect(code).toBe(127);
  });

  test('a path that is not there gives 127 and says so', async () => {
    const { code, stderr } = await engine.run(['run', '--rm', image, '/no/such/program']);
    expect(stderr).toContain('no such file or directory');
    expect(code).toBe(127);
  });

  test.each(['/etc', '/etc/passwd'])('%s is no program: 126 and the reason', async (path) => {
    const { code, stderr } = await engine.run(['run', '--rm', image, path]);
    expect(stderr).toMatch(new RegExp(`"${path}\\\\?": .*permission denied`, 'i'));
    expect(code).toBe(126);
  });

  test('stdin arrives whole, and so does its end', async () => {
    const input = Buffer.alloc(1_000_000, 'all of it\n');
    const { stdout } = await engine.run(['run', '--rm', '--interactive', image, 'wc', '-c'], { input });
    expect(stdout.trim()).toBe('1000000');
  });

  test('much output arrives whole', async () => {
    const { stdout } = await engine.run(['run', '--rm', image, 'seq', '1', '200000']);
    expect(stdout.split('\n').length).toBe(200_001);
  });

  test('environment, directory, name, user and groups are as told', async () => {
    const options = ['--env=A=one two', '--workdir=/var', '--hostname=box', '--user=app', '--group-add=3000'];
    const script = 'echo "$A"; pwd; hostname; id -u; id -G; echo $HOME';
    const [a, folder, host, user, groups = '', home] = (await engine.inside(options, script)).split('\n');
    expect([a, folder, host, user, home]).toEqual(['one two', '/var', 'box', '1000', '/home/app']);
    expect(groups.split(' ')).toEqual(expect.arrayContaining(['1000', '3000']));
  });

  test('root has its home and its groups', async () => {
    expect(await engine.inside([], 'id -u; echo $HOME; echo $$')).toBe('0\n/root\n1');
  });

  test('a directory that is not there is made by docker and refused by podman', async () => {
    const { code, stdout } = await engine.run(['run', '--rm', '--workdir=/not/there', image, 'pwd']);
    expect([code, stdout]).toEqual(engine.isDocker ? [0, '/not/there\n'] : [126, '']);
  });
}
