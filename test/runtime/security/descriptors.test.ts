import { closeSync, copyFileSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { Treasure } from '../support/attack.js';
import { Runtime } from '../support/runtime.js';
import { test, testOurs } from '../support/test.js';

/** Calls with a directory and a file of the host's open, and not close-on-exec. */
async function withOpenFiles<T>(runtime: Runtime, use: (descriptors: number[]) => Promise<T>): Promise<T> {
  const file = `${runtime.folder}/opened`;
  writeFileSync(file, 'secret');
  const descriptors = [
    openSync('/', 'r'),
    openSync(file, 'r'),
    openSync(runtime.folder, 'r'),
    openSync(file, 'r'),
  ];
  try {
    return await use(descriptors);
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

/** Descriptor 3 is the directory that is being read. */
const LIST = ['/testinit', 'ls', '/proc/self/fd'];
const sorted = (text: string): string[] => text.trim().split('\n').sort();

test('run: no descriptor of the caller’s or the runtime’s reaches the program', async () => {
  await using runtime = new Runtime();
  await withOpenFiles(runtime, async (descriptors) => {
    const result = await runtime.run(
      (config) => {
        config.process.args = LIST;
      },
      { descriptors },
    );
    expect(sorted(result.stdout)).toEqual(['0', '1', '2', '3']);
  });
});

test('create and start: no descriptor of either call reaches the program', async () => {
  await using runtime = new Runtime();
  await withOpenFiles(runtime, async (descriptors) => {
    const container = await runtime.create(
      (config) => {
        config.process.args = LIST;
      },
      { descriptors },
    );
    await runtime.ok(['start', container.id], { descriptors });
    await container.ended();
    expect(sorted(container.stdout)).toEqual(['0', '1', '2', '3']);
  });
});

test('exec: no descriptor of the caller’s or the runtime’s reaches the program', async () => {
  await using runtime = new Runtime();
  const container = await runtime.pause();
  await withOpenFiles(runtime, async (descriptors) => {
    const result = await container.exec(LIST, [], { descriptors });
    expect(sorted(result.stdout)).toEqual(['0', '1', '2', '3']);
  });
});

test('--preserve-fds: so many descriptors reach the program and no more', async () => {
  await using runtime = new Runtime();
  await withOpenFiles(runtime, async (descriptors) => {
    const result = await runtime.run(
      (config) => {
        config.process.args = LIST;
      },
      { descriptors, flags: ['--preserve-fds', '1'] },
    );
    expect(sorted(result.stdout)).toEqual(['0', '1', '2', '3', '4']);
  });
});

testOurs('hooks: no descriptor of the caller’s or the runtime’s reaches them', async () => {
  await using runtime = new Runtime();
  await withOpenFiles(runtime, async (descriptors) => {
    const list = (name: string) => ({
      path: '/bin/sh',
      args: [
        'sh',
        '-c',
        `ls /proc/self/fd >${runtime.folder}/${name}; test $(wc -l <${runtime.folder}/${name}) -le 4`,
      ],
    });
    const inside = {
      path: '/bin/sh',
      args: ['sh', '-c', 'test $(/testinit ls /proc/self/fd | wc -l) -le 4'],
    };
    const result = await runtime.run(
      (config) => {
        config.process.args = ['echo', 'ran'];
        config.hooks = {
          prestart: [list('a')],
          createRuntime: [list('b')],
          createContainer: [list('c')],
          startContainer: [inside],
        };
      },
      { descriptors },
    );
    expect(result.stdout).toBe('ran\n');
  });
});

testOurs('a working directory /proc/self/fd/N is refused or lies in the root', async () => {
  await using runtime = new Runtime();
  const treasure = new Treasure(runtime);
  const script = `up=../../../../../../../../..; test -e $up${treasure.path} && echo escaped || echo inside`;
  await withOpenFiles(runtime, async (descriptors) => {
    for (let fd = 3; fd < 16; fd++) {
      const result = await runtime.run(
        (config) => {
          config.process.args = ['/bin/sh', '-c', script];
          config.process.cwd = `/proc/self/fd/${fd}`;
        },
        { descriptors },
      );
      expect([fd, result.stdout]).not.toEqual([fd, 'escaped\n']);
      expect(result.code === 0 ? result.stdout : 'refused').toMatch(/^(inside\n|refused)$/);
    }
  });
});

testOurs(
  'a working directory that is the image’s own link to /proc/self/fd/N is refused or lies in the root',
  async () => {
    await using runtime = new Runtime();
    const treasure = new Treasure(runtime);
    const script = `up=../../../../../../../../..; test -e $up${treasure.path} && echo escaped || echo inside`;
    for (let fd = 3; fd < 12; fd++) {
      const result = await runtime.runPrepared(script, (bundle, config) => {
        config.process.args = ['/bin/sh', '-c', script];
        config.process.cwd = '/way';
        symlinkSync(`/proc/self/fd/${fd}`, bundle.inside('way'));
      });
      expect([fd, result.stdout]).not.toEqual([fd, 'escaped\n']);
    }
  },
);

testOurs('exec --cwd /proc/self/fd/N is refused or lies in the root', async () => {
  await using runtime = new Runtime();
  const treasure = new Treasure(runtime);
  const script = `up=../../../../../../../../..; test -e $up${treasure.path} && echo escaped || echo inside`;
  const container = await runtime.pause();
  await withOpenFiles(runtime, async (descriptors) => {
    for (let fd = 3; fd < 16; fd++) {
      const result = await container.exec(['/bin/sh', '-c', script], ['--cwd', `/proc/self/fd/${fd}`], {
        descriptors,
      });
      expect([fd, result.stdout]).not.toEqual([fd, 'escaped\n']);
    }
  });
});

test('a working directory that is made is made in the root, not where a link of the image leads', async () => {
  await using runtime = new Runtime();
  const treasure = new Treasure(runtime);
  await runtime.runPrepared('pwd', (bundle, config) => {
    config.process.cwd = '/way/new';
    symlinkSync(treasure.path, bundle.inside('way'));
    mkdirSync(bundle.inside('elsewhere'));
  });
  treasure.expectUntouched();
});

/** A static program of the host's, outside of every root: it tells that it ran. */
function hostProgram(runtime: Runtime): string {
  const path = `${runtime.folder}/echo`;
  copyFileSync(runtime.bundle().inside('bin/busybox'), path);
  return path;
}

const UP = '../../../../../../../../..';

testOurs('a program /proc/self/fd/N/… is not one of the host’s: by its path, by a link, by #!', async () => {
  await using runtime = new Runtime();
  const program = hostProgram(runtime);
  await withOpenFiles(runtime, async (descriptors) => {
    for (let fd = 3; fd < 16; fd++) {
      const way = `/proc/self/fd/${fd}/${UP}${program}`;
      const direct = await runtime.run(
        (config) => {
          config.process.args = [way, 'escaped'];
        },
        { descriptors },
      );
      expect([fd, direct.code, direct.stdout]).toEqual([fd, 1, '']);
      const linked = await runtime.runPrepared('', (bundle, config) => {
        config.process.args = ['/echo', 'escaped'];
        symlinkSync(way, bundle.inside('echo'));
      });
      expect([fd, linked.stdout]).toEqual([fd, '']);
      const scripted = await runtime.runPrepared('', (bundle, config) => {
        config.process.args = ['/script', 'escaped'];
        writeFileSync(bundle.inside('script'), `#!${way}\n`, { mode: 0o755 });
      });
      expect([fd, scripted.stdout]).toEqual([fd, '']);
    }
  });
});

testOurs('exec and a startContainer hook: a program /proc/self/fd/N/… is not one of the host’s', async () => {
  await using runtime = new Runtime();
  const program = hostProgram(runtime);
  const running = await runtime.pause();
  await withOpenFiles(runtime, async (descriptors) => {
    for (let fd = 3; fd < 16; fd++) {
      const way = `/proc/self/fd/${fd}/${UP}${program}`;
      const executed = await running.exec([way, 'escaped'], [], { descriptors });
      expect([fd, executed.code, executed.stdout]).toEqual([fd, 255, '']);
      const hooked = await runtime.run(
        (config) => {
          config.process.args = ['true'];
          config.hooks = { startContainer: [{ path: way, args: ['echo', 'escaped'] }] };
        },
        { descriptors },
      );
      expect([fd, hooked.code]).not.toEqual([fd, 0]);
    }
  });
});
