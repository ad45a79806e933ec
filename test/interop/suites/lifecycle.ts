import { expect, test } from 'vitest';
import { run } from '../support/command.js';
import type { Engine } from '../support/engine.js';
import { eventually } from '../support/waiting.js';

const OBEDIENT = [
  'sh',
  '-c',
  'trap "echo ended; exit 0" TERM; trap "echo hello" USR1; echo up; while :; do sleep 0.05; done',
];

/** From create to rm: states, signals, logs, and what is told about it. */
export function lifecycleSuite(engine: Engine): void {
  const logged = (container: { logs(): Promise<string> }, text: string) =>
    eventually(async () => (await container.logs()).includes(text));

  test('it is created, started, waited for and removed', async () => {
    const name = engine.freshName();
    await engine.ok(['create', '--name', name, engine.image, 'sh', '-c', 'echo ran; exit 6']);
    expect(await engine.ok(['inspect', '--format', '{{.State.Status}}', name])).toBe('created');
    await engine.ok(['start', name]);
    expect(await engine.ok(['wait', name])).toBe('6');
    expect(await engine.ok(['logs', name])).toBe('ran');
    expect(await engine.ok(['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', name])).toBe(
      'exited 6',
    );
    await engine.ok(['rm', name]);
    expect(await engine.ok(['ps', '--all', '--quiet', '--filter', `name=${name}`])).toBe('');
  });

  test('it runs again with its files', async () => {
    await using container = await engine.start([], ['sh', '-c', 'echo x >> /count; wc -l < /count']);
    await container.do('wait');
    await container.do('start');
    await container.do('wait');
    await logged(container, '2');
  });

  test('signals arrive', async () => {
    await using container = await engine.start([], OBEDIENT);
    await logged(container, 'up');
    await container.do('kill', '--signal=USR1');
    await logged(container, 'hello');
    await container.do('kill', '--signal=15');
    expect(await container.do('wait')).toBe('0');
  });

  test('stop asks, and then kills', async () => {
    await using obedient = await engine.start([], OBEDIENT);
    await logged(obedient, 'up');
    await obedient.do('stop', '--time=10');
    expect(await obedient.inspect('{{.State.ExitCode}}')).toBe('0');
    expect(await obedient.logs()).toContain('ended');
    await using asked = await engine.start(['--stop-signal=USR1'], OBEDIENT);
    await logged(asked, 'up');
    await asked.do('stop', '--time=1');
    expect(await asked.logs()).toContain('hello');
    await using deaf = await engine.start();
    await deaf.do('stop', '--time=1');
    expect(await deaf.inspect('{{.State.ExitCode}}')).toBe('137');
  });

  test('kill ends all of its processes', async () => {
    await using container = await engine.start([], ['sh', '-c', 'sleep 1000 & sleep 1000']);
    await container.do('kill');
    expect(await container.do('wait')).toBe('137');
  });

  test('it is restarted', async () => {
    await using container = await engine.start([], OBEDIENT);
    await logged(container, 'up');
    const before = await container.inspect('{{.State.Pid}}');
    await container.do('restart', '--time=0');
    expect(await container.status()).toBe('running');
    expect(await container.inspect('{{.State.Pid}}')).not.toBe(before);
  });

  test('its policy starts it again when it fails', async () => {
    await using container = await engine.start(
      ['--restart=on-failure:2'],
      ['sh', '-c', 'echo attempt; exit 1'],
    );
    // Each attempt is a process of the engine's own, and each begins after a pause.
    await eventually(async () => (await container.logs()).split('attempt').length - 1 === 3, 40_000);
    await eventually(async () => (await container.status()) === 'exited');
  });

  test('its processes are listed', async () => {
    await using container = await engine.start([], ['sh', '-c', 'sleep 999 & wait']);
    await eventually(async () => (await container.do('top')).includes('sleep 999'));
  });

  test('what it writes is logged with its stream', async () => {
    await using container = await engine.start([], ['sh', '-c', 'echo out; echo err >&2']);
    await container.do('wait');
    expect(await engine.run(['logs', container.name])).toEqual({ code: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  test('one attaches to it', async () => {
    await using container = await engine.start(
      ['--interactive'],
      ['sh', '-c', 'read line; echo "got $line"; exit 8'],
    );
    // Its input stays open for a while: dockerd shows nothing more after the end of it.
    const command = [...engine.options.command, 'attach', container.name].join(' ');
    const { stdout } = await run(['sh', '-c', `(echo typed; sleep 1) | ${command}`]);
    expect(stdout).toContain('got typed');
    expect(await container.do('wait')).toBe('8');
  });

  test('one starts it and stays', async () => {
    const name = engine.freshName();
    await engine.ok(['create', '--name', name, '--interactive', engine.image, 'sh', '-c', 'cat; exit 4']);
    const outcome = await engine.run(['start', '--attach', '--interactive', name], { input: 'through' });
    expect(outcome).toMatchObject({ code: 4, stdout: 'through' });
    await engine.ok(['rm', name]);
  });

  test('many live and run more processes at once', async () => {
    const many = await Promise.all(Array.from({ length: 8 }, () => engine.start()));
    try {
      const names = await Promise.all(many.map((one) => one.exec('cat', '/etc/hostname')));
      expect(new Set(names).size).toBe(8);
      const [first] = many;
      const answers = Array.from({ length: 8 }, (_, index) => first?.exec('echo', `${index}`));
      expect(await Promise.all(answers)).toEqual(answers.map((_, index) => `${index}`));
    } finally {
      await Promise.all(many.map((one) => one[Symbol.asyncDispose]()));
    }
  });

  test('a running container is removed only by force', async () => {
    await using container = await engine.start();
    expect((await engine.run(['rm', container.name])).code).not.toBe(0);
    await container.do('rm', '--force', ...(engine.isDocker ? [] : ['--time=0']));
    expect(await engine.ok(['ps', '--all', '--quiet', '--filter', `name=${container.name}`])).toBe('');
  });

  test('a container that cannot start leaves nothing, and can be removed', async () => {
    const name = engine.freshName();
    const { code } = await engine.run(['run', '--name', name, engine.image, 'no-such-program']);
    expect(code).toBe(127);
    expect((await engine.run(['start', name])).code).not.toBe(0);
    await engine.ok(['rm', name]);
  });

  test('its health is asked for inside', async () => {
    await using container = await engine.start([
      '--health-cmd=test -e /tmp/healthy',
      '--health-interval=1s',
      '--health-retries=1',
    ]);
    const health = () => container.inspect('{{.State.Health.Status}}');
    // Without systemd podman has no clock for it.
    const ask = () => (engine.isDocker ? undefined : engine.run(['healthcheck', 'run', container.name]));
    await container.exec('touch', '/tmp/healthy');
    await eventually(async () => {
      await ask();
      return (await health()) === 'healthy';
    });
    await container.exec('rm', '/tmp/healthy');
    await eventually(async () => {
      await ask();
      return (await health()) === 'unhealthy';
    });
  });

  test('its life is told as events', async () => {
    const since = Math.floor(Date.now() / 1000) - 1;
    const name = engine.freshName();
    await engine.ok(['run', '--rm', '--name', name, engine.image, 'true']);
    // With an end, podman stops reading its file at that moment, however far it is.
    const end = engine.isDocker ? `--until=${Math.floor(Date.now() / 1000) + 1}` : '--stream=false';
    const options = [`--since=${since}`, end, '--filter', `container=${name}`];
    const action = engine.isDocker ? '{{.Action}}' : '{{.Status}}';
    const events = (await engine.ok(['events', ...options, '--format', action])).split('\n');
    const expected = ['create', 'start', engine.isDocker ? 'die' : 'died'];
    expect(events).toEqual(expect.arrayContaining(expected));
  });
}
