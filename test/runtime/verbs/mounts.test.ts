import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as anyone, expect } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { testWhere } from '../../support/where.js';
import { refusal } from '../support/expect.js';
import { Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

// crun's verb: a file with an array of mounts, as in config.json.
const test = testWhere(isRoot && isOurs);

function mountsFile(runtime: Runtime, mounts: readonly object[]): string {
  const file = join(runtime.folder, 'mounts.json');
  writeFileSync(file, JSON.stringify(mounts));
  return file;
}

test('mounts add: adds a bind to a running container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const source = join(runtime.folder, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'seen\n');
  const file = mountsFile(runtime, [{ destination: '/work', type: 'bind', source, options: ['bind', 'ro'] }]);
  await runtime.ok(['mounts', 'add', box.id, file]);
  expect(await box.sh('cat /work/file; touch /work/x 2>&1 | grep -o "Read-only.*"')).toBe(
    'seen\nRead-only file system',
  );
});

test('mounts add: adds a tmpfs', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok([
    'mounts',
    'add',
    box.id,
    mountsFile(runtime, [{ destination: '/work', type: 'tmpfs', source: 'tmpfs' }]),
  ]);
  expect(await box.sh('grep " /work " /proc/self/mounts | cut -d" " -f3')).toBe('tmpfs');
});

test('mounts remove: takes it away again', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = mountsFile(runtime, [{ destination: '/work', type: 'tmpfs', source: 'tmpfs' }]);
  await runtime.ok(['mounts', 'add', box.id, file]);
  await runtime.ok(['mounts', 'remove', box.id, file]);
  expect(await box.sh('grep -c " /work " /proc/self/mounts || true')).toBe('0');
});

anyone.runIf(isOurs)('mounts add: a container that does not exist is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['mounts', 'add', runtime.id(), mountsFile(runtime, [])]))).toBe(
    'container does not exist',
  );
});

test('mounts remove: what is not mounted is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = mountsFile(runtime, [{ destination: '/work', type: 'tmpfs', source: 'tmpfs' }]);
  refusal(await runtime.call(['mounts', 'remove', box.id, file]));
});

test('mounts add: a destination through a link stays in the container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.sh('ln -s ../../../../../../tmp/target /work/link; mkdir /tmp/target');
  const file = mountsFile(runtime, [{ destination: '/work/link', type: 'tmpfs', source: 'tmpfs' }]);
  await runtime.ok(['mounts', 'add', box.id, file]);
  expect(await box.sh('grep -c " /tmp/target " /proc/self/mounts')).toBe('1');
});

test('mounts add: a malformed file is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = join(runtime.folder, 'mounts.json');
  for (const text of ['', '{}', '[1]', '[{"destination": 1}]', '[{]']) {
    writeFileSync(file, text);
    refusal(await runtime.call(['mounts', 'add', box.id, file]));
  }
  refusal(await runtime.call(['mounts', 'add', box.id, join(runtime.folder, 'none')]));
});

test('mounts add: a source that is absent is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = mountsFile(runtime, [
    { destination: '/work', type: 'bind', source: '/no/such', options: ['bind'] },
  ]);
  expect(refusal(await runtime.call(['mounts', 'add', box.id, file]))).toMatch(/no such file or directory/i);
});

test('mounts add: a stopped container is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  const file = mountsFile(runtime, [{ destination: '/work', type: 'tmpfs', source: 'tmpfs' }]);
  refusal(await runtime.call(['mounts', 'add', box.id, file]));
});

test('mounts add: an unknown word instead of add or remove is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  refusal(await runtime.call(['mounts', 'turn', box.id, mountsFile(runtime, [])]));
});
