import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TemporaryDirectory } from '../../support/temporary.js';
import { testWhere } from '../../support/where.js';
import { ok, run } from '../support/command.js';
import type { Engine } from '../support/engine.js';
import { ARCHIVE } from '../support/podman.js';
import { runtime, runtimeName } from '../support/runtime.js';
import { eventually } from '../support/waiting.js';

/** What is podman's alone. */
export function podmanSuite(engine: Engine): void {
  const { image } = engine;

  test('the runtime under test is what runs', async () => {
    await using container = await engine.start();
    expect(await container.inspect('{{.OCIRuntime}}')).toBe(runtime);
  });

  test('the runtime is named in containers.conf, and speaks JSON there', async () => {
    await using folder = new TemporaryDirectory();
    chmodSync(folder.path, 0o755);
    const file = folder.join('containers.conf');
    const lines = ['[engine]', 'cgroup_manager = "cgroupfs"', 'events_logger = "file"', 'runtime = "named"'];
    lines.push('runtime_supports_json = ["named"]', '[engine.runtimes]', `named = ["${runtime}"]`);
    lines.push('[containers]', 'default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const { command } = engine.options;
    const named = command.slice(0, command.indexOf('--runtime'));
    const env = { CONTAINERS_CONF: file };
    expect(await ok([...named, 'run', '--rm', image, 'echo', 'ran'], { env })).toBe('ran');
    const { code, stderr } = await run([...named, 'run', '--rm', image, 'no-such-program'], { env });
    expect(stderr).toContain('executable file not found in $PATH');
    // Taken from the log's last line, not shown as one.
    expect(stderr).not.toContain('"level"');
    expect(code).toBe(127);
  });

  test('information about the runtime is shown', async () => {
    const version = await engine.ok([
      'info',
      '--format',
      '{{.Host.OCIRuntime.Name}}|{{.Host.OCIRuntime.Version}}',
    ]);
    expect(version.split('|')[1]).toMatch(new RegExp(`^${runtimeName} version \\d`));
  });

  test('a container has all privileges if told', async () => {
    const script =
      'awk \'$1 == "CapEff:" { print $2 }\' /proc/self/status; awk \'$1 == "Seccomp:" { print $2 }\' /proc/self/status';
    const [capabilities = '', seccomp] = (await engine.inside(['--privileged'], script)).split('\n');
    // CAP_SYS_ADMIN
    expect(BigInt(`0x${capabilities}`) & (1n << 21n)).not.toBe(0n);
    expect(seccomp).toBe('0');
    await using container = await engine.start();
    const { stdout } = await engine.run(['exec', '--privileged', container.name, 'sh', '-c', script]);
    expect(BigInt(`0x${stdout.split('\n')[0]}`) & (1n << 21n)).not.toBe(0n);
  });

  test('options of the runtime’s own are handed on', async () => {
    const { command } = engine.options;
    const flags = ['--runtime-flag=debug', '--runtime-flag=log-format=json'];
    expect(await ok([...command, ...flags, 'run', '--rm', image, 'echo', 'ran'])).toBe('ran');
    const { code, stderr } = await run([...command, ...flags, 'run', '--rm', image, 'no-such-program']);
    expect(stderr).toContain('executable file not found in $PATH');
    expect(code).toBe(127);
  });

  test('a root is any directory', async () => {
    await using folder = new TemporaryDirectory();
    chmodSync(folder.path, 0o755);
    await ok(['tar', '-C', folder.path, '-xf', ARCHIVE]);
    if (engine.options.isRootless) await ok(['chmod', '-R', 'a+rwX', folder.path]);
    const output = await engine.ok([
      'run',
      '--rm',
      '--rootfs',
      folder.path,
      '/bin/sh',
      '-c',
      '/bin/ls /bin | /bin/wc -l',
    ]);
    expect(Number(output)).toBeGreaterThan(100);
  });

  test('what the image has is in a tmpfs over it', async () => {
    expect(await engine.inside(['--tmpfs=/home'], 'ls /home; touch /home/new && echo written')).toBe(
      'app\nwritten',
    );
  });

  test('what is hidden is shown if told, and the other way round', async () => {
    const options = [
      '--cap-add=NET_ADMIN',
      '--security-opt=unmask=/proc/sys',
      '--security-opt=mask=/etc/passwd:/home',
    ];
    const script =
      'wc -c < /etc/passwd; ls /home | wc -l; echo 1 > /proc/sys/net/ipv4/ip_forward && echo written';
    expect(await engine.inside(options, script)).toBe('0\n0\nwritten');
  });

  testWhere(engine.options.isRootless)('an ordinary user is itself inside if told', async () => {
    const script = 'id -u; touch /tmp/x; stat -c %u /tmp/x; wc -l < /proc/self/uid_map';
    expect(await engine.inside(['--userns=keep-id'], script)).toMatch(/^(\d{4})\n\1\n3$/);
  });

  test('namespaces of the host are kept if told', async () => {
    const script = 'for kind in net pid uts; do readlink /proc/self/ns/$kind; done; hostname';
    const options = ['--network=host', '--pid=host', '--uts=host'];
    // An ordinary user would need a mount of /dev/mqueue outside.
    if (!engine.options.isRootless) options.push('--ipc=host');
    const once = await engine.inside(options, script);
    expect(await engine.inside(options, script)).toBe(once);
    await using container = await engine.start(['--network=host', '--pid=host']);
    await container.do('kill');
    expect(await container.do('wait')).toBe('137');
  });

  test('umask, personality of files and more of `run` is as told', async () => {
    const options = ['--umask=0027', '--user=1234:2345', '--env=HOME=/tmp'];
    expect(await engine.inside(options, 'umask; id -u; id -g; touch /tmp/x; stat -c "%a %u %g" /tmp/x')).toBe(
      '0027\n1234\n2345\n640 1234 2345',
    );
  });

  test('descriptors are handed over if told', async () => {
    const command = [
      ...engine.options.command,
      'run',
      '--rm',
      '--preserve-fds=1',
      image,
      'sh',
      '-c',
      'cat <&3',
    ];
    expect(await ok(['sh', '-c', 'echo handed | { exec 3<&0; "$@" </dev/null; }', 'sh', ...command])).toBe(
      'handed',
    );
    // And no other is.
    const list = await engine.inside([], 'ls /proc/self/fd | wc -l');
    expect(Number(list)).toBe(4);
  });

  test('hooks are run', async () => {
    await using folder = new TemporaryDirectory();
    chmodSync(folder.path, 0o777);
    mkdirSync(folder.join('hooks'), { mode: 0o755 });
    writeFileSync(folder.join('hook'), `#!/bin/sh\ncat > ${folder.path}/state-$1\n`, { mode: 0o755 });
    const stages = ['prestart', 'createRuntime', 'poststart', 'poststop'];
    for (const stage of stages) {
      const hook = { path: folder.join('hook'), args: ['hook', stage] };
      const description = { version: '1.0.0', hook, when: { always: true }, stages: [stage] };
      writeFileSync(folder.join(`hooks/${stage}.json`), JSON.stringify(description));
    }
    const command = [...engine.options.command, '--hooks-dir', folder.join('hooks')];
    await ok([...command, 'run', '--rm', image, 'true']);
    const states = stages.map(
      (stage) => JSON.parse(readFileSync(folder.join(`state-${stage}`), 'utf8')).status,
    );
    // runc of that age tells the third what was before.
    expect(states[2]).toMatch(/running|created/);
    expect(states.filter((_, index) => index !== 2)).toEqual(['creating', 'creating', 'stopped']);
  });

  test('a container has a user namespace of its own', async () => {
    const options = engine.options.isRootless
      ? ['--userns=auto:size=2000']
      : ['--uidmap=0:100000:2000', '--gidmap=0:100000:2000'];
    const output = await engine.inside(
      options,
      'id -u; wc -l < /proc/self/uid_map; touch /x; stat -c %u /x; cat /proc/self/uid_map',
    );
    expect(output).toMatch(/^0\n\d+\n0\n +0 +\d+ +\d+/);
    await using container = await engine.start(options);
    expect(await container.exec('id', '-u')).toBe('0');
  });

  test('the containers of a pod share what they should', async () => {
    const pod = engine.freshName();
    const inPod = [`--pod=${pod}`, '--stop-timeout=0'];
    await engine.ok(['pod', 'create', '--name', pod]);
    try {
      await using one = await engine.start(inPod, [
        'sh',
        '-c',
        'while :; do echo in the pod | nc -l -p 9000; done',
      ]);
      await using another = await engine.start(inPod);
      const script = 'for kind in net ipc uts pid mnt; do readlink /proc/self/ns/$kind; done';
      const first = (await one.exec('sh', '-c', script)).split('\n');
      const second = (await another.exec('sh', '-c', script)).split('\n');
      expect(second.slice(0, 3)).toEqual(first.slice(0, 3));
      expect(second[3]).not.toBe(first[3]);
      expect(second[4]).not.toBe(first[4]);
      await eventually(
        async () =>
          (await engine.run(['exec', another.name, 'sh', '-c', 'nc 127.0.0.1 9000 </dev/null'])).stdout ===
          'in the pod\n',
      );
      if (engine.hasGroups) await engine.ok(['pod', 'pause', pod]);
      if (engine.hasGroups) await engine.ok(['pod', 'unpause', pod]);
      await engine.ok(['pod', 'restart', pod]);
      await engine.ok(['pod', 'stop', '--time=0', pod]);
    } finally {
      await engine.ok(['pod', 'rm', '--force', '--time=0', pod]);
    }
  });

  test('a pod is played from a file of Kubernetes, and taken down', async () => {
    await using folder = new TemporaryDirectory();
    chmodSync(folder.path, 0o755);
    const container = (name: string) => ({
      name,
      image: 'localhost/interop',
      command: ['/bin/sleep', '1000'],
      securityContext: { runAsUser: 1000, readOnlyRootFilesystem: true },
    });
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'played' },
      spec: { terminationGracePeriodSeconds: 0, containers: [container('one'), container('two')] },
    };
    writeFileSync(folder.join('pod.yaml'), JSON.stringify(pod), { mode: 0o644 });
    await engine.ok(['play', 'kube', folder.join('pod.yaml')]);
    try {
      expect(await engine.ok(['exec', 'played-one', '/bin/id', '-u'])).toBe('1000');
      expect((await engine.run(['exec', 'played-two', '/bin/touch', '/x'])).code).toBe(1);
    } finally {
      await engine.ok(['play', 'kube', '--down', folder.join('pod.yaml')]);
    }
  });

  test('a process that leaves the container’s first one behind is killed with it', async () => {
    await using container = await engine.start([], ['sh', '-c', 'setsid sleep 12345 & sleep 0.2']);
    await container.do('wait');
    expect(await ok(['sh', '-c', 'ps -eo args | grep -c "^sleep 1234[5]" || true'])).toBe('0');
  });
}
