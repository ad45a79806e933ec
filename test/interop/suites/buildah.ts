import { chmodSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TemporaryDirectory } from '../../support/temporary.js';
import { ok, onTerminal, run } from '../support/command.js';
import { runtime } from '../support/runtime.js';

const RUN = ['buildah', 'run', '--runtime', runtime, '--isolation', 'oci'];

/** buildah's own ways of running, with no conmon between. */
export function buildahSuite(): void {
  let container: string;
  beforeAll(async () => {
    container = await ok(['buildah', 'from', 'interop']);
  });
  afterAll(() => ok(['buildah', 'rm', container]));

  test('a command has its output, its errors and its status', async () => {
    const script = 'echo to stdout; echo to stderr >&2; exit 7';
    const { code, stdout, stderr } = await run([...RUN, container, 'sh', '-c', script]);
    expect(stdout).toBe('to stdout\n');
    expect(stderr).toMatch(/^to stderr\n/);
    expect(code).toBe(7);
  });

  test('options reach the container', async () => {
    await using folder = new TemporaryDirectory();
    writeFileSync(folder.join('file'), 'from outside');
    const options = [
      '--user=app',
      '--workingdir=/tmp',
      '--env=A=B',
      '--hostname=box',
      `--volume=${folder.path}:/v:ro`,
    ];
    chmodSync(folder.path, 0o755);
    const script = 'id -u; pwd; echo $A; hostname; cat /v/file';
    expect(await ok([...RUN, ...options, container, 'sh', '-c', script])).toBe(
      '1000\n/tmp\nB\nbox\nfrom outside',
    );
  });

  test('stdin arrives', async () => {
    expect(await ok([...RUN, container, 'wc', '-c'], { input: 'typed' })).toBe('5');
  });

  test('a command has a terminal if told', async () => {
    const { output } = await onTerminal([...RUN, '--terminal', container, 'sh', '-c', 'tty']);
    expect(output).toContain('/dev/pts/0');
  });

  test('what cannot be run is told', async () => {
    const { code, stderr } = await run([...RUN, container, 'no-such-program']);
    expect(stderr).toContain('executable file not found in $PATH');
    expect(code).not.toBe(0);
  });

  test('an image is built in steps, of two stages', async () => {
    await using folder = new TemporaryDirectory();
    const steps = [
      'FROM interop AS made',
      'RUN echo made > /made',
      'RUN --mount=type=tmpfs,target=/scratch touch /scratch/x && ls /scratch > /listed',
      'FROM interop',
      'COPY --from=made /made /listed /',
      'RUN ["sh", "-c", "cat /made /listed > /both"]',
    ];
    writeFileSync(folder.join('Dockerfile'), steps.join('\n'));
    const options = ['--runtime', runtime, '--isolation', 'oci', '--memory=256m'];
    await ok(['buildah', 'bud', ...options, '--tag', 'built', folder.path]);
    const built = await ok(['buildah', 'from', 'built']);
    expect(await ok([...RUN, built, 'cat', '/both'])).toBe('made\nx');
    await ok(['buildah', 'rm', built]);
    await ok(['buildah', 'rmi', 'built']);
  });

  test('a step that fails fails the build', async () => {
    await using folder = new TemporaryDirectory();
    writeFileSync(folder.join('Dockerfile'), 'FROM interop\nRUN exit 33\n');
    const { code, stderr } = await run([
      'buildah',
      'bud',
      '--runtime',
      runtime,
      '--isolation',
      'oci',
      folder.path,
    ]);
    expect(stderr).toContain('exit status 33');
    expect(code).toBe(33);
  });
}
