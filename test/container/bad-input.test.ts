import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { NsboxError, Sandbox, type SandboxOptions } from 'nsbox';
import { describe, expect, test } from 'vitest';
import { isRoot } from '../support/mode.js';
import { sharedRoot, TemporaryDirectory } from '../support/temporary.js';
import { testWhere } from '../support/where.js';

const root = sharedRoot();

async function refusal(options: object): Promise<NsboxError> {
  const error: unknown = await Sandbox.create(options as SandboxOptions).then(
    (box) => box[Symbol.asyncDispose](),
    (reason: unknown) => reason,
  );
  if (error instanceof NsboxError) return error;
  throw new Error(`was not refused: ${JSON.stringify(options)}: ${error}`);
}

describe('unknown options', () => {
  test.each([
    [{ rootFs: '/' }, 'rootfs'],
    [{ mount: [] }, 'mounts'],
    [{ netwrok: 'none' }, 'network'],
    [{ limits: { memroy: '1g' } }, 'memory'],
    [{ limits: { pid: 3 } }, 'pids'],
    [{ security: { capadd: [] } }, 'capAdd'],
  ])('%j: did you mean %s?', async (options, near) => {
    expect(await refusal(options)).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      hint: expect.stringContaining(`"${near}"`),
    });
  });

  test('one that is like none has no hint', async () => {
    expect((await refusal({ entirelyOther: 1 })).hint).toBeUndefined();
  });

  test('of a command', async () => {
    await using box = await Sandbox.create({ rootfs: root.path });
    // @ts-expect-error: no such option
    expect(() => box.exec(['/testinit'], { timeOut: 3 })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('timeout') }),
    );
    // @ts-expect-error: an option of the sandbox
    expect(() => box.exec(['/testinit'], { network: 'host' })).toThrow(NsboxError);
  });
});

describe('wrong types and values', () => {
  test.each([
    { id: '' },
    { id: '../x' },
    { id: 'a/b' },
    { id: 3 },
    { hostname: 'a_b c' },
    { hostname: '-x' },
    { rootfs: 3 },
    { rootfs: 'a\0b' },
    { cwd: 'relative' },
    { network: 'bridge' },
    { network: true },
    { readOnly: 'yes' },
    { env: ['A=b'] },
    { env: { 'A=B': 'c' } },
    { env: { A: 1 } },
    { env: { A: 'x\0y' } },
    { mounts: {} },
    { mounts: ['/a:/b'] },
    { mounts: [{ type: 'volume', target: '/x' }] },
    { mounts: [{ type: 'bind', source: '/etc', target: 'x' }] },
    { mounts: [{ type: 'bind', target: '/x' }] },
    { mounts: [{ type: 'tmpfs', target: '/x', size: 'big' }] },
    { scratchSize: 'big' },
    { timeout: 'soon' },
    { user: -1 },
    { user: '' },
    { security: { capAdd: ['NONSENSE'] } },
    { security: { seccomp: { defaultAction: 'SCMP_ACT_NONSENSE' } } },
    { workspace: 3 },
    { limits: '1g' },
    { limits: [] },
    { security: 'none' },
    null,
    'box',
  ])('%j', async (options) => {
    const given =
      options !== null && typeof options === 'object' ? { rootfs: root.path, ...options } : options;
    expect((await refusal(given as object)).code).toMatch(/^ERR_INVALID_(ARGUMENT|CONFIG)$/);
  });

  test('options that contradict each other', async () => {
    expect((await refusal({ rootfs: root.path, bundle: '/x' })).message).toContain('contradict');
    expect((await refusal({ bundle: '/x', network: 'host' })).message).toContain('contradict');
    await using box = await Sandbox.create({ rootfs: root.path });
    expect(() => box.exec(['/testinit'], { input: 'x', stdin: 'ignore' })).toThrow(/contradict/);
    expect(() => box.exec(['/testinit'], { tty: true, stdout: 'inherit' })).toThrow(/contradict/);
  });

  test('of the object’s prototype nothing is taken', async () => {
    const options = Object.create({ network: 'host' }) as SandboxOptions;
    await using box = await Sandbox.create({ ...options, rootfs: root.path });
    expect((await box.exec(['/testinit', 'ifaces'])).stdout).toBe('lo');
  });
});

describe('roots', () => {
  test('one that is absent', async () => {
    expect(await refusal({ rootfs: '/nonexistent' })).toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: expect.stringContaining('/nonexistent'),
    });
  });

  test('one that is a file', async () => {
    expect((await refusal({ rootfs: '/etc/passwd' })).code).toBe('ERR_INVALID_ARGUMENT');
  });

  testWhere(!isRoot)('one that this user may not read', async () => {
    await using folder = new TemporaryDirectory();
    mkdirSync(folder.join('closed'), { mode: 0o000 });
    const error = await refusal({ rootfs: folder.join('closed') }).catch(() => undefined);
    // A root that opens is at least one whose files do not.
    if (error === undefined)
      await expect(Sandbox.run(['/testinit'], { rootfs: folder.join('closed') })).rejects.toBeInstanceOf(
        NsboxError,
      );
    chmodSync(folder.join('closed'), 0o700);
  });

  test('an empty one has no program', async () => {
    await using folder = new TemporaryDirectory();
    await expect(Sandbox.run(['sh'], { rootfs: folder.path })).rejects.toMatchObject({
      code: 'ERR_PROGRAM_NOT_FOUND',
    });
  });

  test('one whose /etc/passwd is a link out of it, a FIFO, or nonsense', async () => {
    for (const make of ['link', 'nonsense']) {
      await using folder = new TemporaryDirectory();
      mkdirSync(folder.join('etc'));
      if (make === 'link') symlinkSync('/../../../../etc/passwd', folder.join('etc/passwd'));
      else writeFileSync(folder.join('etc/passwd'), Buffer.alloc(100_000, ':x\n'));
      await expect(async () =>
        Sandbox.run(['/x'], { rootfs: folder.path, user: 'daemon' }),
      ).rejects.toBeInstanceOf(NsboxError);
    }
  });
});

test('errors are thrown once, in one place, with a code', async () => {
  await expect(Sandbox.run(['/nothing'], { rootfs: root.path })).rejects.toBeInstanceOf(NsboxError);
  expect(() => Sandbox.run([], { rootfs: root.path })).toThrow(NsboxError);
});
