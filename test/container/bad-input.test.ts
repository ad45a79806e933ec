import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { NsboxError, Sandbox, type SandboxOptions } from 'nsbox';
import { describe, expect, test } from 'vitest';
import { canBoundScratch, hasGroups, isRoot } from '../support/mode.js';
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

describe('limits that are nonsense', () => {
  test.each([
    { memory: 'much' },
    { memory: -1 },
    { memory: 0 },
    { memory: '1k' },
    { memory: Number.NaN },
    { memory: 1.5 },
    { memory: {} },
    { memorySwap: '1g' },
    { memory: '64m', memorySwap: '32m' },
    { cpus: 0 },
    { cpus: -1 },
    { cpus: 'two' },
    { cpus: Number.POSITIVE_INFINITY },
    { cpuShares: 1 },
    { cpuShares: 2.5 },
    { cpuset: '' },
    { cpuset: 'all' },
    { cpuset: '0,' },
    { cpuset: '0-' },
    { pids: 0 },
    { pids: -1 },
    { pids: 1.5 },
    { pids: '10' },
  ])('%j', async (limits) => {
    const error = await refusal({ rootfs: root.path, limits });
    expect(error.code).toMatch(
      hasGroups ? /^ERR_INVALID_ARGUMENT$/ : /^ERR_(INVALID_ARGUMENT|LIMIT_UNAVAILABLE)$/,
    );
    expect(error.message).toContain('limits');
  });

  test.runIf(hasGroups)('and those that the machine cannot meet', async () => {
    const error = await refusal({ rootfs: root.path, limits: { cpuset: '4000-4001' } });
    expect(error.message).toMatch(/cpuset/);
  });

  test.runIf(hasGroups)('of a running box: it goes on with those that it had', async () => {
    await using box = await Sandbox.create({ rootfs: root.path, limits: { pids: 20 } });
    await expect(box.update({ pids: -1 })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    // @ts-expect-error: no such limit
    await expect(box.update({ memroy: '1g' })).rejects.toMatchObject({
      hint: expect.stringContaining('memory'),
    });
    expect((await box.stats()).pids.limit).toBe(20);
  });

  test.runIf(!hasGroups)('and those that this user may not set, with the way to get them', async () => {
    const error = await refusal({ rootfs: root.path, limits: { memory: '64m' } });
    expect(error).toMatchObject({ code: 'ERR_LIMIT_UNAVAILABLE', hint: expect.stringContaining('Delegate') });
  });
});

describe('a place that is full', () => {
  testWhere(!canBoundScratch)('cannot be promised where it lies on disk, and that is said', async () => {
    const error = await refusal({ rootfs: root.path, scratchSize: '1m' });
    expect(error).toMatchObject({ code: 'ERR_LIMIT_UNAVAILABLE', hint: expect.stringContaining('6.6') });
  });

  testWhere(canBoundScratch)(
    'what does not fit is an error inside and outside, and the box goes on',
    async () => {
      await using box = await Sandbox.create({ rootfs: root.path, scratchSize: '1m' });
      expect((await box.exec(['/testinit', 'fill', '/large', '3000000']).nothrow()).stdout).toBe('ENOSPC');
      await expect(box.fs.writeFile('/more', Buffer.alloc(3_000_000))).rejects.toMatchObject({
        code: 'ERR_NO_SPACE',
      });
      await box.fs.rm('/large');
      await box.fs.rm('/more', { force: true });
      await box.fs.writeFile('/small', 'fits');
      expect(await box.fs.readFile('/small', 'utf8')).toBe('fits');
    },
  );

  testWhere(canBoundScratch)(
    'one too small for the box itself is an error at its start, or is full at once',
    async () => {
      for (const scratchSize of [1, 4096, '8k']) {
        const failure = await Sandbox.create({
          rootfs: root.path,
          scratchSize,
          mounts: Array.from({ length: 8 }, (_, i) => ({ type: 'tmpfs' as const, target: `/made/${i}` })),
        }).then(
          async (box) => {
            const full = await box.fs
              .writeFile('/large', Buffer.alloc(1_000_000))
              .catch((error: unknown) => error);
            await box[Symbol.asyncDispose]();
            return full;
          },
          (error: unknown) => error,
        );
        expect(failure).toMatchObject({ code: 'ERR_NO_SPACE' });
      }
    },
  );

  test('nonsense sizes', async () => {
    for (const scratchSize of [-1, Number.NaN, 1.5, 'big', '', {}])
      expect((await refusal({ rootfs: root.path, scratchSize })).code).toBe('ERR_INVALID_ARGUMENT');
  });
});

describe('names', () => {
  test('one that is in use, also while its box is still made', async () => {
    const making = Sandbox.create({ rootfs: root.path, id: 'twice' });
    expect((await refusal({ rootfs: root.path, id: 'twice' })).code).toBe('ERR_ALREADY_EXISTS');
    await using _ = await making;
    expect((await refusal({ rootfs: root.path, id: 'twice' })).code).toBe('ERR_ALREADY_EXISTS');
  });

  test('after each failure the name is free', async () => {
    for (const wrong of [
      { rootfs: '/nonexistent' },
      { rootfs: root.path, limits: { pids: -1 } },
      { rootfs: root.path, user: 'nobody-there' },
      { rootfs: root.path, mounts: [{ type: 'tmpfs', target: '/testinit/below' }] },
      { rootfs: root.path, mounts: [{ type: 'bind', source: '/nonexistent', target: '/x' }] },
      { bundle: '/nonexistent' },
    ])
      await Sandbox.create({ id: 'reused', ...wrong } as SandboxOptions).then(
        (box) => box[Symbol.asyncDispose](),
        (error: unknown) => expect(error).toBeInstanceOf(NsboxError),
      );
    await using box = await Sandbox.create({ rootfs: root.path, id: 'reused' });
    expect(box.id).toBe('reused');
  });
});

describe('an abort', () => {
  test('before: nothing is made, and the reason is the cause', async () => {
    const reason = new Error('changed my mind');
    expect(await refusal({ rootfs: root.path, signal: AbortSignal.abort(reason) })).toMatchObject({
      code: 'ERR_ABORTED',
      cause: reason,
    });
  });

  test('at any moment of the making ends it', async () => {
    for (let moment = 0; moment < 20; moment++) {
      const controller = new AbortController();
      const making = Sandbox.create({ rootfs: root.path, id: 'aborted', signal: controller.signal });
      for (let i = 0; i < moment; i++) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      await making.then(
        (box) => box.wait(),
        (error: unknown) => expect(error).toMatchObject({ code: 'ERR_ABORTED' }),
      );
    }
    await using again = await Sandbox.create({ rootfs: root.path, id: 'aborted' });
    expect(again.id).toBe('aborted');
  });

  test('of a run ends its command, which says why', async () => {
    const controller = new AbortController();
    const running = Sandbox.run(['/testinit', 'pause'], { rootfs: root.path, signal: controller.signal });
    for await (const line of running.stdout) if (String(line).includes('ready')) break;
    controller.abort();
    await expect(running).rejects.toMatchObject({ isCanceled: true });
  });

  test('what is no signal', async () => {
    for (const signal of ['abort', {}, 9])
      expect((await refusal({ rootfs: root.path, signal })).code).toBe('ERR_INVALID_ARGUMENT');
  });
});
