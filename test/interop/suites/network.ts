import { expect, test } from 'vitest';
import { ok } from '../support/command.js';
import type { Engine } from '../support/engine.js';
import { eventually } from '../support/waiting.js';

const SERVE = ['sh', '-c', 'while :; do echo "I am $NAME" | nc -l -p 8000; done'];

/** Containers that talk, by address and by name; all in the network namespace of the tests. */
export function networkSuite(engine: Engine): void {
  test('none is none: loopback alone', async () => {
    const output = await engine.inside(['--network=none'], "ip -o link | awk '{ print $2 }'");
    expect(output.split('\n')[0]).toMatch(/^lo:?$/);
    expect(output).not.toContain('eth0');
  });

  test('two containers of a network talk by name', async () => {
    const network = engine.freshName();
    await engine.ok(['network', 'create', network]);
    try {
      await using server = await engine.start([`--network=${network}`, '--env=NAME=server'], SERVE);
      await using client = await engine.start([`--network=${network}`]);
      const ask = `address=$(getent ahostsv4 ${server.name} | awk 'NR == 1 { print $1 }'); nc -w 5 $address 8000 < /dev/null`;
      await eventually(
        async () => (await engine.run(['exec', client.name, 'sh', '-c', ask])).stdout === 'I am server\n',
      );
      await using guest = await engine.start([`--network=container:${server.name}`]);
      expect(await guest.exec('sh', '-c', 'nc -w 5 127.0.0.1 8000 < /dev/null')).toBe('I am server');
    } finally {
      await engine.ok(['network', 'rm', network]);
    }
  });

  test('a port is published', async () => {
    await using server = await engine.start(
      ['--publish=127.0.0.1:18080:8000', '--env=NAME=published'],
      SERVE,
    );
    expect(await server.do('port')).toContain('8000/tcp -> 127.0.0.1:18080');
    const ask = 'busybox nc -w 5 127.0.0.1 18080 < /dev/null || true';
    await eventually(async () => (await ok(['sh', '-c', ask])) === 'I am published');
  });
}
