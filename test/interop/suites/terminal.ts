import { expect, test } from 'vitest';
import type { Engine } from '../support/engine.js';

/** Terminals of `run` and `exec`. */
export function terminalSuite(engine: Engine): void {
  const { image } = engine;

  test('a container has a terminal, and its command leads it', async () => {
    const script = 'tty; test -c /dev/console && echo console; ps -o pid,tty | grep -c 136,0; exit 3';
    const { code, output } = await engine.terminal(['run', '--rm', '-it', image, 'sh', '-c', script]);
    expect(output).toContain('/dev/pts/0\nconsole\n');
    expect(code).toBe(3);
  });

  test('the terminal is as large as the one outside', async () => {
    // The engine sets the size when the container runs, perhaps after its first steps.
    const script = 'until [ "$(stty size)" != "0 0" ]; do sleep 0.05; done; sleep 0.3; stty size';
    const { output } = await engine.terminal(['run', '--rm', '-it', image, 'sh', '-c', script], {
      rows: 33,
      columns: 77,
    });
    expect(output).toContain('33 77');
  });

  test('what is typed arrives, and is echoed', async () => {
    const { output } = await engine.terminal(
      ['run', '--rm', '-it', image, 'sh', '-c', 'read line; echo "got $line"'],
      {
        input: 'typed\n',
      },
    );
    expect(output).toMatch(/typed\n(.*\n)*got typed/);
  });

  test('a terminal without anybody at it goes to the log', async () => {
    await using container = await engine.start(['--tty'], ['sh', '-c', 'tty; echo error >&2']);
    await container.do('wait');
    expect((await container.logs()).replaceAll('\r', '')).toBe('/dev/pts/0\nerror');
  });

  test('exec has a terminal of its own', async () => {
    await using container = await engine.start(['--tty']);
    const script =
      'until [ "$(stty size)" != "0 0" ]; do sleep 0.05; done; sleep 0.3; stty size; tty; exit 4';
    const { code, output } = await engine.terminal(['exec', '-it', container.name, 'sh', '-c', script], {
      rows: 31,
      columns: 71,
    });
    expect(output).toContain('31 71\n/dev/pts/1');
    expect(code).toBe(4);
  });

  test('a user other than root may use its terminal', async () => {
    const script = 'echo written > /dev/tty; stat -c %u $(tty); [ -t 0 ] && echo yes';
    const { output } = await engine.terminal(['run', '--rm', '-it', '--user=app', image, 'sh', '-c', script]);
    expect(output).toContain('written\n1000\nyes');
  });

  test('exec on a terminal tells what cannot be run', async () => {
    await using container = await engine.start();
    const { code, output } = await engine.terminal(['exec', '-it', container.name, 'no-such-program']);
    expect(output).toContain('executable file not found in $PATH');
    expect(code).toBe(engine.isDocker ? 126 : 127);
  });
}
