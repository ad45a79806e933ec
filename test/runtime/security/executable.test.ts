import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { empower } from '../support/attack.js';
import { Runtime } from '../support/runtime.js';
import { test, testOursRoot, testRoot } from '../support/test.js';
import { underTest } from '../support/under-test.js';

const digest = (): string => createHash('sha256').update(readFileSync(underTest.path)).digest('hex');

test('a program #!/proc/self/exe gets nothing of the runtime that it could change', async () => {
  await using runtime = new Runtime();
  const before = digest();
  const bundle = runtime.bundle((config) => {
    config.process.args = ['/entry'];
    empower(config);
  });
  writeFileSync(bundle.inside('entry'), '#!/proc/self/exe\n', { mode: 0o755 });
  const result = await runtime.call(['run', '--bundle', bundle.path, runtime.id()]);
  expect(result.code).not.toBe(0);
  const container = await runtime.pause();
  writeFileSync(container.bundle.inside('entry'), '#!/proc/self/exe\n', { mode: 0o755 });
  expect((await container.exec(['/entry'])).code).not.toBe(0);
  expect(digest()).toBe(before);
});

async function hunt(patch: Parameters<Runtime['start']>[0]): Promise<string[]> {
  await using runtime = new Runtime();
  const container = await runtime.start((config) => {
    config.process.args = ['/testinit', 'hunt', '/work/over'];
    patch?.(config);
  });
  await container.says('ready');
  for (let i = 0; i < 15; i++) await container.exec(['/testinit', 'args', 'x']);
  writeFileSync(container.bundle.inside('work/over'), '');
  await container.says('done');
  return container.stdout.trim().split('\n');
}

testOursRoot('the executable of an exec cannot be taken hold of from inside', async () => {
  const [, held] = await hunt((config) => empower(config));
  expect(held).toBe('held 0');
});

testRoot('the executable of an exec cannot be written, with the right to trace it either', async () => {
  const before = digest();
  const said = await hunt((config) => empower(config, 'CAP_SYS_PTRACE'));
  // "ready", "held N", what each attempt to write said, "done".
  expect(said.slice(2, -1).filter((answer) => answer === 'ok')).toEqual([]);
  expect(digest()).toBe(before);
});

testOursRoot('who holds the executable of a container that waits cannot write it after its end', async () => {
  const before = digest();
  await using runtime = new Runtime();
  const container = await runtime.create();
  const script = `exec 9</proc/$1/exe && "$2" --root "$3" delete --force "$4" && echo x >/proc/self/fd/9`;
  const result = spawnSync(
    'bash',
    ['-c', script, 'bash', `${container.pid}`, underTest.path, runtime.root, container.id],
    { encoding: 'utf8' },
  );
  expect(result.stderr).toMatch(/Read-only file system|Operation not permitted/);
  expect(digest()).toBe(before);
});

testRoot('a container in the host’s pid namespace cannot write the runtime’s executable', async () => {
  const before = digest();
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    empower(config);
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
    config.process.args = ['sh', '-c', '(echo x >>/proc/$PPID/exe) 2>/dev/null || echo refused'];
  });
  expect(result.stdout).toBe('refused\n');
  expect(digest()).toBe(before);
});
