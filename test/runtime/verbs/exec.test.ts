import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { testWhere } from '../../support/where.js';
import { Console } from '../support/console.js';
import { isAlive } from '../support/container.js';
import { refusal } from '../support/expect.js';
import { type Container, Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

test('exec: runs a program in a running container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const result = await box.exec(['sh', '-c', 'hostname; ls -d /work; echo err >&2']);
  expect(result).toMatchObject({ code: 0, stdout: 'inside\n/work\n', stderr: 'err\n' });
});

// Before it runs, the process of a container is closed to an ordinary user: it is still the runtime's own.
test.runIf(isRoot)('exec: runs a program in a created container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.create();
  expect(await box.sh('hostname')).toBe('inside');
});

test("exec: ends with the program's status", async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await box.exec(['sh', '-c', 'exit 42'])).code).toBe(42);
});

test('exec: ends with 128 and the number of the signal that ended the program', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await box.exec(['sh', '-c', 'kill -9 $$'])).code).toBe(137);
});

test('exec: hands signals on to the program', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const call = runtime.launch([
    'exec',
    box.id,
    'sh',
    '-c',
    'trap "echo asked; exit 3" TERM; echo ready; while :; do sleep 0.05; done',
  ]);
  await eventually(() => call.stdout.includes('ready'), Boolean, 10_000);
  call.kill('SIGTERM');
  expect(await call.result).toMatchObject({ code: 3, stdout: 'ready\nasked\n' });
});

test('exec: stdin reaches the program', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await box.exec(['cat'], [], { input: 'typed' })).stdout).toBe('typed');
});

test('exec: a program that is absent ends with 255 and "executable file not found in $PATH"', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec(['no-such-program']), 255)).toContain(
    'exec failed: unable to start container process: exec: "no-such-program": executable file not found in $PATH',
  );
});

test('exec: an absolute program that is absent ends with 255 and "no such file or directory"', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec(['/no/such/program']), 255)).toMatch(
    /exec: "\/no\/such\/program".*no such file or directory/i,
  );
});

test('exec: a program that may not be executed ends with 255 and "permission denied"', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec(['/etc/passwd']), 255)).toMatch(/"\/etc\/passwd".*permission denied/);
});

test('exec: a stopped container is refused with 255', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await box.kill();
  await box.ended();
  expect(refusal(await box.exec(['true']), 255)).toBe('exec failed: cannot exec in a stopped container');
});

test('exec: a container that does not exist is refused with 255', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['exec', runtime.id(), 'true']), 255)).toBe(
    'exec failed: container does not exist',
  );
});

test('exec: without a program it is refused with 255', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec([]), 255)).toBe('exec failed: process args cannot be empty');
});

test('exec: without an ID it is refused', async () => {
  await using runtime = new Runtime();
  expect(refusal(await runtime.call(['exec']))).toContain('"exec" requires a minimum of 1 argument(s)');
});

test('exec: shares the namespaces of the container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const namespaces = 'cd /proc/self/ns && for n in pid ipc uts mnt net; do readlink $n; done';
  const inside = 'cd /proc/1/ns && for n in pid ipc uts mnt net; do readlink $n; done';
  expect(await box.sh(namespaces)).toBe(await box.sh(inside));
});

test('exec: has the environment and directory of the container’s process', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause((config) => {
    config.process.env?.push('GREETING=hello');
    config.process.cwd = '/work';
  });
  expect(await box.sh('echo $GREETING; pwd')).toBe('hello\n/work');
});

test('exec: --cwd changes the directory', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(await box.sh('pwd', ['--cwd', '/tmp'])).toBe('/tmp');
});

test('exec: a --cwd that is absent is refused with 255', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec(['true'], ['--cwd', '/no/such']), 255)).toMatch(
    /(chdir to cwd|working directory) .*\/no\/such.*no such file or directory/i,
  );
});

test('exec: a relative --cwd is refused with 255', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec(['true'], ['--cwd', 'tmp']), 255)).toMatch(/Cwd must be an absolute path/i);
});

test('exec: --env and -e add variables, and the last one counts', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause((config) => {
    config.process.env?.push('A=old');
  });
  expect(await box.sh('echo $A $B', ['--env', 'A=1', '--env', 'B=2', '--env', 'A=3'])).toBe('3 2');
  expect(await box.sh('echo $A $B', ['-e', 'A=1', '-e', 'B=2'])).toBe('1 2');
});

test('exec: an --env without = is refused with 255', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec(['true'], ['--env', 'NAME']), 255)).toContain(
    'invalid environment variable: "NAME"',
  );
});

test('exec: HOME is that of the container’s passwd', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(await box.sh('echo $HOME')).toBe('/root');
  expect(await box.sh('echo $HOME', ['--env', 'HOME=/elsewhere'])).toBe('/elsewhere');
});

testWhere(isRoot)('exec: --user takes a uid', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(await box.sh('id -u; id -g; echo $HOME', ['--user', '1000'])).toBe('1000\n0\n/home/worker');
});

testWhere(isRoot)('exec: -u takes a uid and a gid', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(await box.sh('id -u; id -g', ['-u', '1000:50'])).toBe('1000\n50');
});

for (const user of ['worker', '12:x', ':', '-1', ...(isOurs ? ['4294967296'] : []), '1.5']) {
  test(`exec: a --user that is no id is refused with 255 (${user})`, async () => {
    await using runtime = new Runtime();
    const box = await runtime.pause();
    refusal(await box.exec(['true'], [`--user=${user}`]), 255);
  });
}

testWhere(isRoot)('exec: --additional-gids and -g add groups', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(await box.sh('id -G', ['--additional-gids', '7', '--additional-gids', '8'])).toBe('0 7 8');
  expect(await box.sh('id -G', ['-g', '9'])).toBe('0 9');
});

test('exec: --cap and -c add a capability', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const bit = (text: string): boolean => (BigInt(`0x${text.trim()}`) & (1n << 13n)) !== 0n;
  const effective = "grep CapEff /proc/self/status | sed 's/.*:.//'";
  expect(bit(await box.sh(effective))).toBe(false);
  expect(bit(await box.sh(effective, ['--cap', 'CAP_NET_RAW']))).toBe(true);
  expect(bit(await box.sh(effective, ['-c', 'CAP_NET_RAW']))).toBe(true);
});

test('exec: an unknown --cap is told and left out', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const result = await box.exec(['echo', 'well'], ['--cap', 'CAP_NO_SUCH']);
  expect(result).toMatchObject({ code: 0, stdout: 'well\n' });
  expect(result.stderr).toMatch(/level=warning .*CAP_NO_SUCH/);
});

test('exec: --no-new-privs sets no_new_privs', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause((config) => {
    config.process.noNewPrivileges = false;
  });
  const look = "grep NoNewPrivs /proc/self/status | sed 's/.*:.//'";
  expect(await box.sh(look)).toBe('0');
  expect(await box.sh(look, ['--no-new-privs'])).toBe('1');
});

test('exec: --detach does not wait, and --pid-file tells the pid', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = join(runtime.folder, 'exec.pid');
  const result = await box.exec(['sleep', '999'], ['--detach', '--pid-file', file]);
  expect(result.code).toBe(0);
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/^\d+$/);
  expect(isAlive(Number(text))).toBe(true);
  expect(readFileSync(`/proc/${text}/cmdline`, 'utf8')).toBe('sleep\x00999\0');
});

test('exec: -d is --detach', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await box.exec(['sleep', '999'], ['-d'])).code).toBe(0);
});

test('exec: --detach of a program that is absent is refused with 255', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec(['no-such-program'], ['--detach']), 255)).toContain(
    'executable file not found in $PATH',
  );
});

function processFile(box: Container, change: object): string {
  const file = join(box.bundle.path, 'process.json');
  writeFileSync(file, JSON.stringify({ ...box.bundle.config.process, ...change }));
  return file;
}

test('exec: --process and -p take the process from a file', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = processFile(box, {
    args: ['sh', '-c', 'echo $X; pwd'],
    env: ['X=1', 'PATH=/bin'],
    cwd: '/tmp',
  });
  expect(await runtime.ok(['exec', '--process', file, box.id])).toMatchObject({ stdout: '1\n/tmp\n' });
  expect(await runtime.ok(['exec', '-p', file, box.id])).toMatchObject({ stdout: '1\n/tmp\n' });
});

test('exec: as containerd calls it: --process --detach --pid-file', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = processFile(box, { args: ['sh', '-c', 'echo hello'] });
  const pidFile = join(runtime.folder, 'exec.pid');
  const call = runtime.launch(['exec', '--process', file, '--detach', '--pid-file', pidFile, box.id]);
  expect((await call.result).code).toBe(0);
  await eventually(() => call.stdout === 'hello\n');
});

test('exec: a --process that is absent is refused with 255', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec([], ['--process', '/no/such.json']), 255)).toMatch(
    /\/no\/such\.json: .*no such file or directory/i,
  );
});

for (const [what, text] of Object.entries({
  empty: '',
  'half an object': '{"args": [',
  'an array': '[]',
  'args of numbers': '{"args": [1], "cwd": "/"}',
  'no args': '{"cwd": "/"}',
  'a relative cwd': '{"args": ["true"], "cwd": "tmp"}',
})) {
  test(`exec: a malformed --process is refused with 255 (${what})`, async () => {
    await using runtime = new Runtime();
    const box = await runtime.pause();
    const file = join(runtime.folder, 'process.json');
    writeFileSync(file, text);
    refusal(await box.exec([], ['--process', file]), 255);
  });
}

test('exec: --tty with --console-socket sends a terminal', async () => {
  await using terminal = await Console.listen();
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok([
    ...['exec', '--tty', '--detach', '--console-socket', terminal.path, box.id],
    ...['sh', '-c', 'tty; read word; echo "<$word>"'],
  ]);
  await terminal.shows('/dev/');
  terminal.type('typed\n');
  await terminal.shows('<typed>');
  await terminal.closed();
});

test('exec: -t with --detach and without --console-socket is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec(['true'], ['-t', '-d']), 255)).toMatch(
    /cannot allocate tty if \w+ will detach without setting console socket/,
  );
});

test('exec: --preserve-fds hands further descriptors to the program', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = join(runtime.folder, 'handed');
  writeFileSync(file, 'handed over');
  const fd = openSync(file, 'r');
  try {
    const result = await box.exec(['sh', '-c', 'cat <&3'], ['--preserve-fds', '1'], { descriptors: [fd] });
    expect(result.stdout).toBe('handed over');
  } finally {
    closeSync(fd);
  }
});

test('exec: the program has three descriptors, whatever the caller had open', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const fd = openSync('/dev/zero', 'r');
  try {
    const { stdout } = await box.exec(['/testinit', 'fds'], [], { descriptors: [fd, fd] });
    expect(stdout).not.toContain('/dev/zero');
  } finally {
    closeSync(fd);
  }
});

testWhere(isRoot)('exec: joins the cgroups of the container', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const file = join(runtime.folder, 'exec.pid');
  await box.exec(['sleep', '999'], ['-d', '--pid-file', file]);
  const groups = (pid: string | number): string => readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  expect(groups(readFileSync(file, 'utf8'))).toBe(groups(box.pid));
});

testWhere(isRoot)('exec: --cgroup joins a group below the container’s', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause((config) => {
    for (const mount of config.mounts)
      if (mount.type === 'cgroup') mount.options = (mount.options ?? []).filter((option) => option !== 'ro');
  });
  await box.sh('mkdir /sys/fs/cgroup/memory/below');
  const file = join(runtime.folder, 'exec.pid');
  const result = await box.exec(['sleep', '999'], ['-d', '--pid-file', file, '--cgroup', 'memory:below']);
  expect(result.code).toBe(0);
  expect(readFileSync(`/proc/${readFileSync(file, 'utf8')}/cgroup`, 'utf8')).toMatch(/:memory:.*\/below$/m);
});

testWhere(isRoot)('exec: a --cgroup that is absent or outside is refused with 255', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  refusal(await box.exec(['true'], ['--cgroup', 'memory:no-such']), 255);
  refusal(await box.exec(['true'], ['--cgroup', 'memory:../..']), 255);
  refusal(await box.exec(['true'], ['--cgroup', 'nothing:x']), 255);
  refusal(await box.exec(['true'], ['--cgroup', 'perf_event:x']), 255);
});

testWhere(isRoot)('exec: a paused container is refused with 255', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['pause', box.id]);
  expect(refusal(await box.exec(['true']), 255)).toBe(
    'exec failed: cannot exec in a paused container (use --ignore-paused to override)',
  );
  await runtime.ok(['resume', box.id]);
});

testWhere(isRoot)('exec: --ignore-paused waits in a paused container until it is resumed', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  await runtime.ok(['pause', box.id]);
  const call = runtime.launch(['exec', '--ignore-paused', box.id, 'echo', 'thawed']);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = call.stdout;
  await runtime.ok(['resume', box.id]);
  expect(await call.result).toMatchObject({ code: 0, stdout: 'thawed\n' });
  expect(before).toBe('');
});

test('exec: --process-label needs SELinux, and says so', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const result = await box.exec(['true'], ['--process-label', 'system_u:system_r:svirt_lxc_net_t:s0']);
  expect(refusal(result, 255)).toMatch(/selinux/i);
});

test('exec: --apparmor needs AppArmor, and says so', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect(refusal(await box.exec(['true'], ['--apparmor', 'profile']), 255)).toMatch(/apparmor/i);
});

test('exec: many at the same time', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) => box.exec(['sh', '-c', `echo ${index}; exit ${index}`])),
  );
  expect(results.map(({ code, stdout }) => `${code} ${stdout}`)).toEqual(
    Array.from({ length: 20 }, (_, index) => `${index} ${index}\n`),
  );
});

test('exec: the container’s end ends its execs', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const call = runtime.launch(['exec', box.id, 'sh', '-c', 'echo ready; sleep 999']);
  await eventually(() => call.stdout.includes('ready'), Boolean, 10_000);
  await box.kill();
  expect((await call.result).code).toBe(137);
});

test('exec: with rlimits of the container’s process', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause((config) => {
    config.process.rlimits = [{ type: 'RLIMIT_CORE', hard: 77, soft: 66 }];
  });
  expect(await box.sh('grep core /proc/self/limits')).toMatch(/66 +77/);
});

test.runIf(isOurs)('exec: a flag may stand after the ID', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const { stdout } = await runtime.ok([
    'exec',
    box.id,
    '--cwd',
    '/tmp',
    '-e',
    'A=1',
    'sh',
    '-c',
    'pwd; echo $A',
  ]);
  expect(stdout).toBe('/tmp\n1\n');
});

test('exec: flags behind the program are the program’s', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  expect((await box.exec(['echo', '--cwd', '-d', '--', '-h'])).stdout).toBe('--cwd -d -- -h\n');
});

test.runIf(isOurs)('exec: --preserve-fds without such descriptors is refused', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const result = await box.exec(['true'], ['--preserve-fds', '20']);
  expect(result.code).toBe(255);
  expect(result.stderr).toContain('the descriptor 3 is not open');
});

test('exec: no process is left where its pid file cannot be written', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const result = await box.exec(['sleep', '1000'], ['--detach', '--pid-file', '/nonexistent/pid']);
  expect(result.code).toBe(255);
  await eventually(async () => {
    const { stdout } = await runtime.ok(['ps', '--format', 'json', box.id]);
    return JSON.parse(stdout).length === 1;
  });
});

test('exec: --process may be a pipe whose writer takes its time', async () => {
  await using runtime = new Runtime();
  const box = await runtime.pause();
  const fifo = join(runtime.folder, 'process');
  execFileSync('mkfifo', [fifo]);
  const text = JSON.stringify({
    cwd: '/',
    args: ['echo', 'by a pipe'],
    env: ['PATH=/bin'],
    user: { uid: 0, gid: 0 },
  });
  const writer = spawn('sh', ['-c', `exec 3<>"$0"; sleep 0.3; printf %s "$1" >&3; sleep 0.3`, fifo, text]);
  await delay(100);
  const result = await runtime.call(['exec', '--process', fifo, box.id]);
  writer.kill();
  expect(result.stdout).toBe('by a pipe\n');
});
