import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { isSlow } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { testinit } from '../../support/testinit.js';
import { Treasure, unmount } from '../support/attack.js';
import { Console } from '../support/console.js';
import { type Bundle, type Config, Runtime } from '../support/runtime.js';
import { test, testOurs, testRoot } from '../support/test.js';

type Mount = Config['mounts'][number];

async function createInTerminal(runtime: Runtime, terminal: Console, bundle: Bundle, id: string) {
  return await runtime.call(['create', '--bundle', bundle.path, '--console-socket', terminal.path, id]);
}

const tmpfs = (destination: string): Mount => ({
  destination,
  type: 'tmpfs',
  source: 'tmpfs',
  options: ['mode=755'],
});

function bound(runtime: Runtime, destination: string): Mount {
  const source = `${runtime.folder}/source`;
  mkdirSync(source, { recursive: true });
  writeFileSync(`${source}/file`, 'bound');
  return { destination, type: 'bind', source, options: ['bind'] };
}

/** Each way that an image may lead a mount's target astray: what it puts into its root, and the target. */
const WAYS: readonly (readonly [string, (bundle: Bundle, treasure: Treasure) => void, string])[] = [
  ['a last component that is an absolute link', (b, t) => symlinkSync(t.path, b.inside('way')), '/way'],
  [
    'a last component that is a relative link',
    (b, t) => symlinkSync(`../../../../../../..${t.path}`, b.inside('way')),
    '/way',
  ],
  [
    'a first component that is an absolute link',
    (b, t) => symlinkSync(t.path, b.inside('way')),
    '/way/deep/new',
  ],
  [
    'a first component that is a relative link',
    (b, t) => symlinkSync(`../../../../../../..${t.path}`, b.inside('way')),
    '/way/new/deeper',
  ],
  [
    'a link behind a link',
    (b, t) => {
      symlinkSync('/second', b.inside('first'));
      symlinkSync(t.path, b.inside('second'));
    },
    '/first/new',
  ],
  [
    'a link in a directory',
    (b, t) => {
      mkdirSync(b.inside('a/b'), { recursive: true });
      symlinkSync(t.path, b.inside('a/b/c'));
    },
    '/a/b/c/d',
  ],
  [
    'a link to the caller’s root through /proc',
    (b, t) => symlinkSync(`/proc/1/root${t.path}`, b.inside('way')),
    '/way/new',
  ],
  ['dots in the target', () => {}, '/../../../../../..{}/new'],
  [
    'dots behind a link',
    (b) => {
      mkdirSync(b.inside('real/deep'), { recursive: true });
      symlinkSync('/real/deep', b.inside('way'));
    },
    '/way/../../../../../..{}/new',
  ],
];

describe('the target of a mount', () => {
  test.each(WAYS)('the target of a mount stays in the root: %s', async (_name, prepare, target) => {
    await using runtime = new Runtime();
    const treasure = new Treasure(runtime);
    const destination = target.replace('{}', treasure.path);
    for (const mount of [tmpfs(destination), bound(runtime, destination)]) {
      const result = await runtime.runPrepared(
        `cat ${treasure.path}/secret 2>/dev/null; echo ran`,
        (bundle, config) => {
          prepare(bundle, treasure);
          config.mounts.push(mount);
        },
      );
      treasure.expectUntouched();
      expect(result.stdout).not.toContain('secret of the host');
    }
  });

  test('the target of a mount stays in the root: links in a circle are an error', async () => {
    await using runtime = new Runtime();
    const result = await runtime.runPrepared('echo ran', (bundle, config) => {
      symlinkSync('/two', bundle.inside('one'));
      symlinkSync('/one', bundle.inside('two'));
      config.mounts.push(tmpfs('/one/x'));
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('/one/x');
  });

  test('the target of a file’s mount is not written through a link', async () => {
    await using runtime = new Runtime();
    const treasure = new Treasure(runtime);
    for (const to of [`${treasure.path}/secret`, `${treasure.path}/new`]) {
      await runtime.runPrepared('echo ran', (bundle, config) => {
        symlinkSync(to, bundle.inside('way'));
        const mount = bound(runtime, '/way');
        config.mounts.push({ ...mount, source: `${mount.source}/file` });
      });
      treasure.expectUntouched();
    }
  });

  testOurs('the root itself, or what is above it, is no target', async () => {
    await using runtime = new Runtime();
    for (const destination of ['/', '', '.', '/..', '/../..', '/x/..']) {
      const result = await runtime.runPrepared(
        'echo ran; test -e /bin/sh && echo whole',
        (_bundle, config) => {
          config.mounts.push(tmpfs(destination));
        },
      );
      if (result.code === 0) expect([destination, result.stdout]).toEqual([destination, 'ran\nwhole\n']);
    }
  });
});

/** Swaps a directory and a link to the treasure, without end. */
class Racer implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(one: string, other: string) {
    this.#child = spawn(testinit(), ['swap', one, other], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  static async start(one: string, other: string): Promise<Racer> {
    const racer = new Racer(one, other);
    let said = '';
    racer.#child.stdout?.on('data', (chunk) => {
      said += chunk;
    });
    await eventually(
      () => said,
      (text) => text.includes('ready'),
      5000,
    );
    return racer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#child.on('close', resolve));
    this.#child.kill('SIGKILL');
    await closed;
  }
}

const ROUNDS = isSlow ? 5 : 40;

describe('races', () => {
  testOurs(
    'the target of a mount stays in the root while a directory in it is swapped for a link',
    async () => {
      await using runtime = new Runtime();
      const treasure = new Treasure(runtime);
      const bundle = runtime.bundle((config) => {
        config.process.args = ['sh', '-c', `cat ${treasure.path}/secret 2>/dev/null; true`];
        config.mounts.push(tmpfs('/a/b/c/d'), bound(runtime, '/a/b/e/f'));
      });
      mkdirSync(bundle.inside('a'));
      symlinkSync(treasure.path, bundle.inside('other'));
      await using _racer = await Racer.start(bundle.inside('a'), bundle.inside('other'));
      for (let round = 0; round < ROUNDS; round++) {
        const result = await runtime.call(['run', '--bundle', bundle.path, runtime.id()]);
        expect(result.stdout).toBe('');
        treasure.expectUntouched();
      }
    },
  );

  testOurs(
    'the target of a mount stays in a volume while another container swaps a directory in it',
    async () => {
      await using runtime = new Runtime();
      const treasure = new Treasure(runtime);
      const volume = `${runtime.folder}/volume`;
      mkdirSync(`${volume}/a`, { recursive: true });
      chmodSync(volume, 0o777);
      // Of several links one leads to the host's root, wherever the target's root is mounted meanwhile.
      symlinkSync(`../../../../../../..${treasure.path}`, `${volume}/other`);
      const share: Mount = { destination: '/volume', type: 'bind', source: volume, options: ['rbind'] };
      const racer = await runtime.start((config) => {
        config.process.args = ['/testinit', 'swap', '/volume/a', '/volume/other'];
        config.mounts.push(share);
      });
      await racer.says('ready');
      for (let round = 0; round < ROUNDS; round++) {
        const result = await runtime.run((config) => {
          config.process.args = [
            'sh',
            '-c',
            `cat ${treasure.path}/secret /volume/a/x/secret 2>/dev/null; true`,
          ];
          config.mounts.push(share, tmpfs('/volume/a/x'), bound(runtime, '/volume/a/y/z'));
        });
        expect(result.stdout).toBe('');
        treasure.expectUntouched();
      }
    },
  );

  testOurs('making directories stays in the root while one is swapped for a link', async () => {
    await using runtime = new Runtime();
    const treasure = new Treasure(runtime);
    const bundle = runtime.bundle((config) => {
      config.process.args = ['true'];
    });
    const mounts = bundle.config.mounts.length;
    mkdirSync(bundle.inside('a'));
    symlinkSync(treasure.path, bundle.inside('other'));
    await using _racer = await Racer.start(bundle.inside('a'), bundle.inside('other'));
    for (let round = 0; round < ROUNDS; round++) {
      bundle.config.process.cwd = `/a/${round}/2/3/4/5/6/7/8`;
      bundle.config.mounts = [...bundle.config.mounts.slice(0, mounts), tmpfs(`/a/x/${round}/2/3/4/5/6/7/8`)];
      bundle.write();
      await runtime.call(['run', '--bundle', bundle.path, runtime.id()]);
      treasure.expectUntouched();
    }
  });
});

describe('devices', () => {
  testOurs.each([
    ['an absolute link', (t: Treasure) => t.path],
    ['a relative link', (t: Treasure) => `../../../../../../../..${t.path}`],
  ] as const)(
    '/dev of the image that is %s: no device, link or file is made outside',
    async (_name, target) => {
      await using runtime = new Runtime();
      const treasure = new Treasure(runtime);
      await runtime.runPrepared('echo ran', (bundle, config) => {
        unmount(config, '/dev');
        rmSync(bundle.inside('dev'), { recursive: true });
        symlinkSync(target(treasure), bundle.inside('dev'));
        config.linux.devices = [{ type: 'c', path: '/dev/deep/own', major: 1, minor: 3, fileMode: 0o666 }];
      });
      treasure.expectUntouched();
    },
  );

  testRoot('a device’s path through a link of the image: nothing is made outside', async () => {
    await using runtime = new Runtime();
    const treasure = new Treasure(runtime);
    await runtime.runPrepared('echo ran', (bundle, config) => {
      symlinkSync(treasure.path, bundle.inside('way'));
      config.linux.devices = [
        { type: 'c', path: '/way/own', major: 1, minor: 3, fileMode: 0o666 },
        { type: 'c', path: '/way/secret', major: 1, minor: 3, fileMode: 0o666 },
      ];
    });
    treasure.expectUntouched();
  });

  testOurs(
    '/dev/console of the image that is a link: no file is made and none is mounted over outside',
    async () => {
      for (const name of ['new', 'secret']) {
        await using terminal = await Console.listen();
        await using runtime = new Runtime();
        const treasure = new Treasure(runtime);
        const bundle = runtime.bundle((config) => {
          unmount(config, '/dev');
          config.process.terminal = true;
          config.process.args = ['sh', '-c', 'echo ran'];
        });
        symlinkSync(`${treasure.path}/${name}`, bundle.inside('dev/console'));
        const id = runtime.id();
        const created = await createInTerminal(runtime, terminal, bundle, id);
        if (created.code === 0) await runtime.call(['start', id]);
        treasure.expectUntouched();
      }
    },
  );

  testRoot('/dev/console of the image that is a link over /proc: the terminal is not put there', async () => {
    await using terminal = await Console.listen();
    await using runtime = new Runtime();
    const bundle = runtime.bundle((config) => {
      unmount(config, '/dev');
      config.process.terminal = true;
      config.process.args = ['sh', '-c', "grep -c ' /proc/' /proc/self/mountinfo >/work/mounts; sleep 100"];
      config.linux.maskedPaths = [];
      config.linux.readonlyPaths = [];
    });
    symlinkSync('/proc/sys/kernel/core_pattern', bundle.inside('dev/console'));
    const id = runtime.id();
    const created = await createInTerminal(runtime, terminal, bundle, id);
    if (created.code !== 0) return;
    await runtime.ok(['start', id]);
    await eventually(() => existsSync(bundle.inside('work/mounts')), Boolean, 5000);
    const { stdout } = await runtime.ok(['exec', id, 'cat', '/work/mounts']);
    expect(stdout.trim()).toBe('0');
  });
});

describe('/proc and /sys of the image', () => {
  test.each(['proc', 'sys'])(
    '/%s of the image that is a link: nothing of the host’s can be reached or changed',
    async (name) => {
      await using runtime = new Runtime();
      const treasure = new Treasure(runtime);
      for (const target of [treasure.path, `../../../../../../..${treasure.path}`, '/work', 'work']) {
        const result = await runtime.runPrepared(
          `cat ${treasure.path}/secret 2>/dev/null; cat /${name}/secret; echo ran`,
          (bundle, config) => {
            rmSync(bundle.inside(name), { recursive: true });
            symlinkSync(target, bundle.inside(name));
            config.linux.maskedPaths = [];
            config.linux.readonlyPaths = [];
          },
        );
        treasure.expectUntouched();
        expect(result.stdout).not.toContain('secret of the host');
        expect(readdirSync(treasure.path).sort()).toEqual(['deep', 'ptmx', 'secret']);
      }
    },
  );
});
