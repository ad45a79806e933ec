import { expect, test } from 'vitest';
import { type Docker, RUNTIME_NAME } from '../support/docker.js';
import type { RunningContainer } from '../support/engine.js';
import { eventually } from '../support/waiting.js';

/** What is dockerd's alone. */
export function dockerSuite({ engine, restart }: Docker): void {
  test('the runtime under test is what runs', async () => {
    await using container = await engine.start();
    expect(await container.inspect('{{.HostConfig.Runtime}}')).toBe(RUNTIME_NAME);
    expect(await engine.ok(['info', '--format', '{{.DefaultRuntime}}'])).toBe(RUNTIME_NAME);
  });

  test('a container chooses it, another does not', async () => {
    expect(await engine.inside([`--runtime=${RUNTIME_NAME}`], 'echo chosen')).toBe('chosen');
    expect(await engine.inside(['--runtime=runc'], 'echo other')).toBe('other');
  });

  test('namespaces of the host are kept if told', async () => {
    const script = 'for kind in net pid ipc uts; do readlink /proc/self/ns/$kind; done';
    const options = ['--network=host', '--pid=host', '--ipc=host', '--uts=host'];
    const once = await engine.inside(options, script);
    expect(await engine.inside(options, script)).toBe(once);
    await using container = await engine.start(
      ['--network=host', '--pid=host'],
      ['sh', '-c', 'sleep 1000 & sleep 1000'],
    );
    await container.do('kill');
    expect(await container.do('wait')).toBe('137');
  });

  test('what runs survives the daemon', async () => {
    await using container = await engine.start(['--memory=64m']);
    const pid = await container.inspect('{{.State.Pid}}');
    await restart();
    expect(await container.inspect('{{.State.Status}} {{.State.Pid}}')).toBe(`running ${pid}`);
    expect(await container.exec('echo', 'still')).toBe('still');
    await container.do('pause');
    await restart();
    expect(await container.status()).toBe('paused');
    await container.do('unpause');
    await container.do('kill');
    expect(await container.do('wait')).toBe('137');
  });

  test('a service of three containers starts, is asked, is scaled and goes', async () => {
    const project = engine.freshName();
    const label = `--label=project=${project}`;
    const service = (name: string, options: readonly string[], command: readonly string[]) =>
      engine.start([label, `--network=${project}`, `--network-alias=${name}`, ...options], command);
    const list = () => engine.ok(['ps', '--quiet', '--filter', `label=project=${project}`]);
    await engine.ok(['network', 'create', label, project]);
    await engine.ok(['volume', 'create', label, project]);
    const running: RunningContainer[] = [];
    try {
      const data = `--volume=${project}:/data`;
      running.push(
        await service('store', [data], ['sh', '-c', 'echo stored > /data/value; exec sleep 1000']),
      );
      const serve = 'while :; do cat /data/value | nc -l -p 80; done';
      const healthy = ['--health-cmd=test -s /data/value', '--health-interval=1s'];
      running.push(await service('web', [data, ...healthy, '--restart=always'], ['sh', '-c', serve]));
      const [, web] = running;
      await eventually(async () => (await web?.inspect('{{.State.Health.Status}}')) === 'healthy');
      const ask = 'nc -w 5 $(getent ahostsv4 web | head -n 1 | cut -d " " -f 1) 80 </dev/null';
      const worker = [
        'sh',
        '-c',
        `until ${ask} > /tmp/got && [ -s /tmp/got ]; do sleep 0.1; done; cat /tmp/got; exec sleep 1000`,
      ];
      running.push(await service('worker', [], worker), await service('worker', [], worker));
      for (const one of running.slice(2)) await eventually(async () => (await one.logs()) === 'stored');
      expect((await list()).split('\n')).toHaveLength(4);
      await engine.ok(['stop', '--time=0', ...running.map(({ name }) => name)]);
    } finally {
      await Promise.all(running.map((one) => one[Symbol.asyncDispose]()));
      await engine.ok(['network', 'rm', project]);
      await engine.ok(['volume', 'rm', project]);
    }
    expect(await list()).toBe('');
  });
}
