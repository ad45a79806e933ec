import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine, RunningContainer } from '../support/engine.js';
import { eventually } from '../support/waiting.js';

/** More processes in a container that runs. */
export function execSuite(engine: Engine): void {
  // dockerd of that age knows one number for an exec that fails.
  const NOT_FOUND = engine.isDocker ? 126 : 127;
  let container: RunningContainer;
  const exec = (...args: readonly string[]) => engine.run(['exec', ...args]);

  beforeAll(async () => {
    container = await engine.start(['--env=FROM=container', '--workdir=/var']);
  });
  afterAll(() => container[Symbol.asyncDispose]());

  test('it has its output, its errors and its status', async () => {
    const script = 'echo to stdout; echo to stderr >&2; exit 9';
    const outcome = await exec(container.name, 'sh', '-c', script);
    expect(outcome).toEqual({ code: 9, stdout: 'to stdout\n', stderr: 'to stderr\n' });
  });

  test('a signal is told as 128 and its number', async () => {
    expect((await exec(container.name, 'sh', '-c', 'kill -9 $$')).code).toBe(137);
  });

  test('it is in the namespaces and the root of the container', async () => {
    const script =
      'for kind in mnt pid net ipc uts; do readlink /proc/1/ns/$kind; readlink /proc/self/ns/$kind; done';
    const namespaces = (await container.exec('sh', '-c', script)).split('\n');
    expect(namespaces).toHaveLength(10);
    expect(new Set(namespaces).size).toBe(5);
  });

  test('environment and directory are the container’s, unless told', async () => {
    const script = 'echo $FROM $MORE; pwd; id -u; echo $HOME';
    expect(await container.exec('sh', '-c', script)).toBe('container\n/var\n0\n/root');
    const options = ['--env=MORE=exec', '--workdir=/tmp', '--user=app'];
    const { stdout } = await exec(...options, container.name, 'sh', '-c', script);
    expect(stdout).toBe('container exec\n/tmp\n1000\n/home/app\n');
  });

  test('it is privileged if told, and only then', async () => {
    const script = 'awk \'$1 == "CapEff:" { print $2 }\' /proc/self/status';
    const usual = Number.parseInt(await container.exec('sh', '-c', script), 16);
    expect(usual & (1 << 21)).toBe(0);
  });

  test.each([
    ['no-such-program', NOT_FOUND, /executable file not found in \$PATH/],
    ['/no/such/program', NOT_FOUND, /no such file or directory/],
    ['/etc', 126, /permission denied/i],
    ['/etc/passwd', 126, /permission denied/i],
  ])('%s cannot be run: %i', async (program, expected, message) => {
    const { code, stdout, stderr } = await exec(container.name, program);
    expect(stdout + stderr).toMatch(message);
    expect(code).toBe(expected);
  });

  test('stdin arrives whole, and so does its end', async () => {
    const input = Buffer.alloc(1_000_000, 'all of it\n');
    const { stdout } = await engine.run(['exec', '--interactive', container.name, 'wc', '-c'], { input });
    expect(stdout.trim()).toBe('1000000');
  });

  test('it goes on in the background', async () => {
    await engine.ok(['exec', '--detach', container.name, 'sh', '-c', 'echo done > /tmp/background']);
    await eventually(async () => (await exec(container.name, 'cat', '/tmp/background')).stdout === 'done\n');
  });

  test('it is no longer possible when the container has stopped', async () => {
    await using stopped = await engine.start([], ['true']);
    await stopped.do('wait');
    const { code, stderr } = await exec(stopped.name, 'true');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/not running|running containers/);
  });
}
