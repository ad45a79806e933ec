import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ok, onTerminal, run } from '../support/command.js';
import { runtime } from '../support/runtime.js';
import { eventually } from '../support/waiting.js';

const IMAGE = 'interop:latest';
const RUNTIME = ['--runc-binary', runtime];

let count = 0;

class Task implements AsyncDisposable {
  readonly id = `task-${++count}`;

  async start(options: readonly string[], command: readonly string[]): Promise<this> {
    await ok(['ctr', 'run', '--detach', '--null-io', ...RUNTIME, ...options, IMAGE, this.id, ...command]);
    return this;
  }

  exec(...command: readonly string[]) {
    return run(['ctr', 'task', 'exec', '--exec-id', `exec-${++count}`, this.id, ...command]);
  }

  do(...verb: readonly string[]): Promise<string> {
    return ok(['ctr', 'task', ...verb, this.id]);
  }

  async status(): Promise<string> {
    return (await this.line())[2] ?? '';
  }

  async pid(): Promise<string> {
    return (await this.line())[1] ?? '';
  }

  /** Its name, its first process and its status. */
  private async line(): Promise<readonly string[]> {
    const lines = (await ok(['ctr', 'task', 'list'])).split('\n').map((line) => line.split(/ +/));
    return lines.find(([name]) => name === this.id) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run(['ctr', 'task', 'rm', '--force', this.id]);
    await ok(['ctr', 'container', 'rm', this.id]);
  }
}

const start = (options: readonly string[] = [], command: readonly string[] = ['sleep', '1000']) =>
  new Task().start(options, command);
const runToEnd = (options: readonly string[], command: readonly string[]) =>
  run(['ctr', 'run', '--rm', ...RUNTIME, ...options, IMAGE, `run-${++count}`, ...command]);

/** From outside: ctr mounts no groups in its containers. */
async function limitOf(task: Task, hierarchy: string, file: string): Promise<string> {
  const groups = readFileSync(`/proc/${await task.pid()}/cgroup`, 'utf8');
  const path = new RegExp(`:${hierarchy}:(.*)`).exec(groups)?.[1];
  return readFileSync(`/sys/fs/cgroup/${hierarchy}${path}/${file}`, 'utf8').trim();
}

/** containerd's shim, through `ctr`. */
export function containerdSuite(): void {
  test('a command has its output, its errors and its status', async () => {
    const outcome = await runToEnd([], ['sh', '-c', 'echo to stdout; echo to stderr >&2; exit 7']);
    expect(outcome).toEqual({ code: 7, stdout: 'to stdout\n', stderr: 'to stderr\n' });
  });

  test('what cannot be run is told', async () => {
    const missing = await runToEnd([], ['no-such-program']);
    expect(missing.stderr).toContain('exec: "no-such-program": executable file not found in $PATH');
    const directory = await runToEnd([], ['/etc']);
    expect(directory.stderr).toMatch(/"\/etc": .*permission denied/);
    for (const { code } of [missing, directory]) expect(code).toBe(1);
  });

  test('options reach the container', async () => {
    const options = ['--memory-limit=67108864', '--cpus=0.5', '--env=A=B', '--cwd=/tmp', '--read-only'];
    options.push('--mount=type=bind,src=/etc,dst=/there,options=rbind:ro', '--cap-add=CAP_SYS_TIME');
    await using task = await start(options);
    expect(await limitOf(task, 'memory', 'memory.limit_in_bytes')).toBe('67108864');
    expect(await limitOf(task, 'cpu', 'cpu.cfs_quota_us')).toBe('50000');
    const script = 'pwd; echo $A; touch /x 2>/dev/null || echo refused; ls /there/debian_version';
    const { stdout } = await task.exec('sh', '-c', script);
    expect(stdout).toBe('/tmp\nB\nrefused\n/there/debian_version\n');
  });

  test('the default profile filters', async () => {
    const { stdout } = await runToEnd(['--seccomp'], ['grep', '^Seccomp:', '/proc/self/status']);
    expect(stdout).toMatch(/2\n$/);
  });

  test('a container has a terminal', async () => {
    const command = ['ctr', 'run', '--rm', '--tty', ...RUNTIME, IMAGE, `run-${++count}`];
    const script = 'tty; until [ "$(stty size)" = "33 77" ]; do sleep 0.05; done; echo sized; exit 3';
    const { code, output } = await onTerminal([...command, 'sh', '-c', script], { rows: 33, columns: 77 });
    expect(output).toContain('/dev/pts/0');
    expect(output).toContain('sized');
    expect(code).toBe(3);
  });

  test('more processes run in it, on terminals too', async () => {
    await using task = await start(['--env=A=B']);
    expect(await task.exec('sh', '-c', 'echo $A; exit 5')).toEqual({ code: 5, stdout: 'B\n', stderr: '' });
    expect((await task.exec('no-such-program')).stderr).toContain('executable file not found in $PATH');
    const terminal = ['ctr', 'task', 'exec', '--tty', '--exec-id', `exec-${++count}`, task.id];
    const { output } = await onTerminal([...terminal, 'sh', '-c', 'tty; sleep 0.3']);
    expect(output).toContain('/dev/pts/0');
  });

  test('it is frozen and goes on', async () => {
    await using task = await start();
    await task.do('pause');
    expect(await task.status()).toBe('PAUSED');
    await task.do('resume');
    expect(await task.status()).toBe('RUNNING');
  });

  test('its processes and its use are told', async () => {
    await using task = await start([], ['sh', '-c', 'sleep 999 & wait']);
    await eventually(async () => (await task.do('ps')).trim().split('\n').length === 3);
    expect(await task.do('metrics')).toMatch(/pids\.current +2/);
  });

  test('it is killed, and its status told', async () => {
    await using task = await start();
    await task.do('kill', '--signal', 'SIGKILL');
    await eventually(async () => (await task.status()) === 'STOPPED');
    const { code, stderr } = await run(['ctr', 'task', 'rm', task.id]);
    expect(code).toBe(0);
    expect(stderr).toContain('137');
  });

  test('all of its processes are killed', async () => {
    await using task = await start([], ['sh', '-c', 'sleep 54321 & sleep 54321']);
    await task.do('kill', '--all', '--signal', '9');
    await eventually(async () => (await task.status()) === 'STOPPED');
    expect(await ok(['sh', '-c', 'ps -eo args | grep -c "^sleep 5432[1]" || true'])).toBe('0');
  });

  test('one of its processes ends for want of memory', async () => {
    await using task = await start(
      ['--memory-limit=16777216'],
      ['sh', '-c', 'sleep 1; tail /dev/zero; sleep 1000'],
    );
    await eventually(async () =>
      (await limitOf(task, 'memory', 'memory.oom_control')).includes('oom_kill 1'),
    );
    expect(await task.status()).toBe('RUNNING');
  });

  test('limits are changed through the shim', async () => {
    await using task = await start(['--memory-limit=67108864']);
    const resources = '/run/tmp/resources.json';
    writeFileSync(resources, JSON.stringify({ memory: { limit: 33_554_432 } }));
    // ctr has no verb for it: the shim's own command line, as it would use it.
    await ok([
      runtime,
      '--root',
      '/run/containerd/runc/default',
      'update',
      `--resources=${resources}`,
      task.id,
    ]);
    expect(await limitOf(task, 'memory', 'memory.limit_in_bytes')).toBe('33554432');
  });

  test('the state is what the specification says', async () => {
    await using task = await start();
    const state = JSON.parse(await ok([runtime, '--root', '/run/containerd/runc/default', 'state', task.id]));
    expect(state).toMatchObject({ id: task.id, status: 'running', pid: expect.any(Number) });
    expect(state.bundle).toContain(task.id);
  });

  test('the runtime is chosen by the shim’s options', async () => {
    writeFileSync('/run/tmp/options.toml', `BinaryName = "${runtime}"\nRoot = "/run/tmp/runtime-root"\n`);
    const id = `run-${++count}`;
    const options = ['--runtime=io.containerd.runc.v2', '--runtime-config-path=/run/tmp/options.toml'];
    expect(await ok(['ctr', 'run', '--rm', ...options, IMAGE, id, 'echo', 'ran'])).toBe('ran');
  });

  test('a namespace of another is joined', async () => {
    await using task = await start();
    const options = [`--with-ns=network:/proc/${await task.pid()}/ns/net`];
    const { stdout } = await runToEnd(options, ['readlink', '/proc/self/ns/net']);
    expect(stdout).toBe((await task.exec('readlink', '/proc/self/ns/net')).stdout);
  });

  test('a container in a user namespace', async () => {
    const map = ['--uidmap=0:100000:65536', '--gidmap=0:100000:65536'];
    const { code, stdout, stderr } = await runToEnd(map, ['sh', '-c', 'id -u; cat /proc/self/uid_map']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^0\n +0 +100000 +65536\n$/);
    expect(code).toBe(0);
  });
}
