import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hasGroups } from '../../../support/mode.js';
import { TemporaryDirectory } from '../../../support/temporary.js';
import { cli, endOf, KEEP_OPEN, nsbox, saying, start } from '../support.js';

const sh = (script: string, ...options: string[]) => nsbox(['run', ...options, '--', 'sh', '-c', script]);

describe('what goes in and out', () => {
  test('output comes out as it is, and nothing beside it', async () => {
    expect(await sh('echo out; echo err >&2')).toEqual({ code: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  test('stdin is read without any option', async () => {
    expect(await nsbox(['run', '--', 'cat'], { input: 'hello' })).toMatchObject({ code: 0, stdout: 'hello' });
    expect(await nsbox(['run', '-i', '--rm', '--', 'cat'], { input: 'hello' })).toMatchObject({
      stdout: 'hello',
    });
  });

  test("the command's options are its own", async () => {
    const { stdout } = await nsbox(['run', '--', 'echo', '--json', '-t', '--', '--help', '-e']);
    expect(stdout).toBe('--json -t -- --help -e\n');
  });

  test('a reader that goes away ends the command quietly', () => {
    const line = `{ "$0" "$1" run -- yes; echo "exit code $?" >&2; } | head -n 1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', line, process.execPath, cli], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: 'y\n', stderr: 'exit code 141\n' });
  });
});

describe('exit codes', () => {
  test.each([
    ['exit 0', 0],
    ['exit 7', 7],
    ['exit 255', 255],
    ['kill -KILL $$', 137],
    ['kill -TERM $$', 143],
  ])('%s: %i', async (script, code) => {
    expect(await sh(script)).toEqual({ code, stdout: '', stderr: '' });
  });

  test('127: there is no such command', async () => {
    const { code, stderr } = await nsbox(['run', '--', 'no-such-command']);
    expect(code).toBe(127);
    expect(stderr).toMatch(/^nsbox: .*no-such-command.*\n$/);
  });

  test('126: the command cannot be executed', async () => {
    const { code, stderr } = await nsbox(['run', '--', '/etc/passwd']);
    expect(code).toBe(126);
    expect(stderr).toMatch(/^nsbox: .*\/etc\/passwd.*\n$/);
  });

  test('124: it took too long', async () => {
    const { code, stderr } = await nsbox([
      'run',
      '--timeout',
      '200ms',
      '--',
      'sh',
      '-c',
      'sleep 1000 & sleep 1000',
    ]);
    expect(code).toBe(124);
    expect(stderr).toBe('nsbox: timed out: the command was killed after 200ms\n');
  });
});

describe('125: nsbox itself failed, and says why', () => {
  test.each([
    [['no/Such'], 'not an image name', undefined],
    [['./program'], 'not an image name', undefined],
    [['--pull', 'never', 'nothing/like-it'], 'no image nothing/like-it', 'nsbox run -- nothing/like-it'],
    [['--pull', 'sometimes', 'a'], '--pull: expected always, missing or never', undefined],
    [['--pull', 'never', '--', 'true'], '--pull: it is for images', undefined],
    [['--apply', '/x', 'debian'], '--apply is for', '-v ./out:/out'],
    [['--workspace', '/opt', 'debian'], 'contradict', undefined],
    [[], 'no command is given', 'nsbox run [OPTIONS] IMAGE [COMMAND...]'],
    [['--'], 'no command is given', '-- COMMAND'],
    [['host'], 'no command is given', 'IMAGE'],
    [['--memroy', '1g', '--', 'true'], 'unknown option --memroy', "did you mean '--memory'?"],
    [['--memory', '12x', '--', 'true'], '--memory: expected a size', 'write it as 256m'],
    [['--memory-swap', 'x', '--', 'true'], '--memory-swap: expected a size', undefined],
    [['--cpus', 'many', '--', 'true'], '--cpus: ', undefined],
    [['--pids-limit', 'many', '--', 'true'], '--pids-limit: ', undefined],
    [['--network', 'bridge', '--', 'true'], '--network: expected none or host', undefined],
    [['--workdir', 'here', '--', 'true'], '--workdir: expected an absolute path', undefined],
    [['--timeout', 'soon', '--', 'true'], '--timeout: ', '30s'],
    [['--name', 'a b', '--', 'true'], '--name: ', undefined],
    [['--user', 'a:b:c', '--', 'true'], '--user: ', undefined],
    [['--rootfs', '/no/such', '--', 'true'], '--rootfs: no such directory', undefined],
    [['--bundle', '/no/such', '--', 'true'], 'no bundle there', undefined],
    [['--workspace', '/no/such', '--', 'true'], '--workspace: no such directory', undefined],
    [['--workspace', '/', '--no-workspace', '--', 'true'], 'contradict', undefined],
    [['--rootfs', '/', '--bundle', '/', '--', 'true'], 'contradict', undefined],
    [['-v', '/no/such:/a', '--', 'true'], '--volume: no such file or directory', undefined],
    [['-v', 'data:/a', '--', 'true'], 'a sandbox has no volumes', '-v ./data:/data'],
    [['--mount', 'type=x,target=/a', '--', 'true'], 'unknown type', undefined],
    [['--cap-add', 'EVERYTHING', '--', 'true'], 'EVERYTHING', undefined],
    [['-it', '--', 'true'], 'stdin is not a terminal', 'leave out -t'],
    [['--apply-always', '--', 'true'], '--apply-always wants --apply', undefined],
    [['--security-opt', 'x=y', '--', 'true'], 'unknown option', undefined],
    [['--apply', '/proc', '--', 'true'], '/proc', undefined],
  ] as const)('%j', async (args, message, hint) => {
    const { code, stdout, stderr } = await nsbox(['run', ...args]);
    expect({ code, stdout }).toEqual({ code: 125, stdout: '' });
    expect(stderr).toMatch(/^nsbox: [^\n]+\n(hint: [^\n]+\n)?$/);
    expect(stderr).toContain(message);
    if (hint !== undefined) expect(stderr).toContain(hint);
  });

  test('NSBOX_DEBUG=1 shows where it comes from', async () => {
    const { stderr } = await nsbox(['run', '--memory', 'x', '--', 'true'], { env: { NSBOX_DEBUG: '1' } });
    expect(stderr).toMatch(/^ {4}at /m);
  });

  test('control characters of a name do not reach the terminal', async () => {
    const { stderr } = await nsbox(['run', '--', 'a\x1b[2Jb']);
    expect(stderr).not.toContain('\x1b');
  });
});

describe('options', () => {
  test('--env names a variable, or takes one along; nothing else comes along', async () => {
    const { stdout } = await nsbox(['run', '-e', 'A=1', '-e', 'TAKEN', '-e', 'ABSENT', '--', 'env'], {
      env: { TAKEN: 'yes', SECRET: 'no' },
    });
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['A', 'HOME', 'PATH', 'TAKEN']);
  });

  test('--env-file names more', async () => {
    await using folder = new TemporaryDirectory();
    writeFileSync(folder.join('env'), 'A=1\n# no\nB=two words\n');
    expect(await sh('echo "$A $B"', '--env-file', folder.join('env'))).toMatchObject({
      stdout: '1 two words\n',
    });
  });

  test('--workdir, --hostname, --name', async () => {
    expect(await sh('pwd; hostname', '-w', '/etc', '-h', 'hal')).toMatchObject({ stdout: '/etc\nhal\n' });
    expect(await nsbox(['run', '--name', 'hal-2', '--', 'hostname'])).toMatchObject({ stdout: 'hal-2\n' });
  });

  test('--volume and --mount show files, --tmpfs an empty directory', async () => {
    await using folder = new TemporaryDirectory();
    writeFileSync(folder.join('file'), 'content');
    const options = [
      '-v',
      `${folder.path}:/mnt`,
      '--mount',
      `type=bind,source=${folder.path},target=/opt,readonly`,
    ];
    const { stdout, code } = await sh(
      'cat /mnt/file; cp /mnt/file /mnt/copy; ls /run/t; echo x > /opt/x',
      ...options,
      '--tmpfs',
      '/run/t:size=1m',
    );
    expect(stdout).toBe('content');
    expect(code).not.toBe(0);
    expect(existsSync(folder.join('copy'))).toBe(true);
    expect(existsSync(folder.join('x'))).toBe(false);
  });

  test('--read-only refuses writes', async () => {
    expect((await nsbox(['run', '--read-only', '--', 'touch', '/etc/x'])).code).not.toBe(0);
    expect((await nsbox(['run', '--read-only', '--', 'touch', '/tmp/x'])).code).toBe(0);
  });

  test('--cap-drop takes capabilities, --security-opt takes the filter and no_new_privs away', async () => {
    const status = 'grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t"';
    const bare = [
      '--cap-drop',
      'ALL',
      '--security-opt',
      'seccomp=unconfined',
      '--security-opt',
      'no-new-privileges=false',
    ];
    expect((await sh(status)).stdout).toMatch(/CapBnd:0*a80425fb\nNoNewPrivs:1\nSeccomp:2/);
    expect((await sh(status, '--cap-drop=ALL')).stdout).toContain('CapBnd:0000000000000000');
    // Rootless, a filter of our own is not there either, but no_new_privs may be the kernel's price for one.
    expect((await sh(status, ...bare)).stdout).toMatch(/CapBnd:0000000000000000\n.*NoNewPrivs:0\nSeccomp:0/s);
  });

  test('--security-opt seccomp=FILE filters by the profile', async () => {
    await using folder = new TemporaryDirectory();
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }],
    };
    writeFileSync(folder.join('p.json'), JSON.stringify(profile));
    const { code, stderr } = await sh('mkdir /tmp/x', '--security-opt', `seccomp=${folder.join('p.json')}`);
    expect(code).toBe(1);
    expect(stderr).toContain('not implemented');
  });

  test.runIf(hasGroups)('limits hold, and running out of memory is said', async () => {
    const hog = 'const all = []; for (;;) all.push(Buffer.alloc(1e6, 1))';
    const { code, stderr } = await nsbox(['run', '--memory', '64m', '--', process.execPath, '-e', hog]);
    expect(code).toBe(137);
    expect(stderr).toContain('nsbox: out of memory: ');
    expect(stderr).toContain('64m');
    expect(await sh('cat /proc/self/cgroup >/dev/null', '--pids-limit', '8', '--cpus', '0.5')).toMatchObject({
      code: 0,
    });
  });

  test.runIf(!hasGroups)('limits that this user cannot have are refused, with the remedy', async () => {
    const { code, stderr } = await nsbox(['run', '--memory', '64m', '--', 'true']);
    expect(code).toBe(125);
    expect(stderr).toMatch(/^nsbox: .*memory.*\nhint: .*Delegate=yes/);
  });
});

describe('--json', () => {
  test('is one object with all that is known', async () => {
    const { code, stdout, stderr } = await sh('echo out; echo err >&2; exit 3', '--json');
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      exitCode: 3,
      signal: null,
      timedOut: false,
      oomKilled: false,
      durationMs: expect.any(Number),
      usage: { cpuMs: expect.any(Number), memoryPeak: expect.any(Number) },
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('tells of signals and time limits', async () => {
    expect(JSON.parse((await sh('kill -TERM $$', '--json')).stdout)).toMatchObject({
      exitCode: null,
      signal: 'SIGTERM',
    });
    const late = await nsbox(['run', '--json', '--timeout', '200ms', '--', 'sleep', '1000']);
    expect(late.code).toBe(124);
    expect(JSON.parse(late.stdout)).toMatchObject({ timedOut: true, signal: 'SIGKILL' });
  });

  test('is whole, however much there is of it', async () => {
    const { stdout } = await sh('head -c 1000000 /dev/zero | tr "\\0" x', '--json');
    expect(JSON.parse(stdout).stdout).toHaveLength(1_000_000);
  });

  test('holds the error when nsbox fails', async () => {
    const { code, stdout, stderr } = await nsbox(['run', '--json', '--network', 'x', '--', 'true']);
    expect(code).toBe(125);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('--network'),
    });
    expect(stderr).toContain('nsbox: --network');
    expect(JSON.parse((await nsbox(['run', '--json', '-t', '--', 'true'])).stdout).error.message).toContain(
      'contradict',
    );
  });
});

/** A folder that a sandbox shows copy-on-write. */
class Workspace extends TemporaryDirectory {
  run(options: readonly string[], script: string) {
    return nsbox(['run', ...options, '--', 'sh', '-c', script], { cwd: this.path });
  }
}

describe('what was written', () => {
  test('--diff lists it on stderr, behind what the command says', async () => {
    await using work = new Workspace();
    writeFileSync(work.join('old'), 'old');
    writeFileSync(work.join('gone'), 'gone');
    const { code, stdout, stderr } = await work.run(
      ['--diff'],
      'echo new > new; echo more >> old; rm gone; echo said',
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'said\n' });
    expect(stderr.trim().split('\n').sort()).toEqual([
      `A ${work.join('new')}`,
      `C ${work.join('old')}`,
      `D ${work.join('gone')}`,
    ]);
    expect(existsSync(work.join('new'))).toBe(false);
    expect(existsSync(work.join('gone'))).toBe(true);
  });

  test('--diff --json has it in the object', async () => {
    await using work = new Workspace();
    const { stdout, stderr } = await work.run(['--diff', '--json'], 'echo new > new');
    expect(JSON.parse(stdout).changes).toEqual([
      { kind: 'added', path: work.join('new'), type: 'file', size: 4, mode: expect.any(Number) },
    ]);
    expect(stderr).toBe('');
  });

  test('a name with control characters is shown harmless', async () => {
    await using work = new Workspace();
    const { stderr } = await work.run(['--diff'], 'touch "$(printf "a\\033[2J\\nD b")"');
    expect(stderr).toBe(`A ${work.path}/a\\x1b[2J\\nD b\n`);
  });

  test('--apply copies what was named, relative to here', async () => {
    await using work = new Workspace();
    mkdirSync(work.join('out'));
    const script = 'echo 1 > out/a; mkdir -p made/deep; echo 2 > made/deep/b; echo 3 > other';
    expect(await work.run(['--apply', 'out', '--apply', work.join('made')], script)).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(readFileSync(work.join('out/a'), 'utf8')).toBe('1\n');
    expect(readFileSync(work.join('made/deep/b'), 'utf8')).toBe('2\n');
    expect(existsSync(work.join('other'))).toBe(false);
  });

  test('--apply leaves all as it was when the command fails, unless --apply-always', async () => {
    await using work = new Workspace();
    const failed = await work.run(['--apply', 'a'], 'echo 1 > a; exit 4');
    expect(failed).toMatchObject({ code: 4, stderr: expect.stringContaining('nothing was applied') });
    expect(existsSync(work.join('a'))).toBe(false);
    expect(await work.run(['--apply-always', '--apply', 'a'], 'echo 1 > a; exit 4')).toMatchObject({
      code: 4,
      stderr: '',
    });
    expect(existsSync(work.join('a'))).toBe(true);
  });

  test('--apply follows no link that the command has made', async () => {
    await using work = new Workspace();
    await using outside = new TemporaryDirectory();
    await work.run(['--apply', 'd'], `ln -s ${outside.path} d`);
    await work.run(['--apply', 'd/x'], 'rm -f d; mkdir d; echo evil > d/x');
    expect(existsSync(outside.join('x'))).toBe(false);
  });
});

describe('signals', () => {
  const trapping = (names: string) =>
    `for s in ${names}; do trap "echo got $s; exit 9" $s; done; echo ready; while :; do sleep 1000 & wait $!; done`;

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)(
    '%s goes to the command',
    async (name) => {
      const child = start(['run', '--', 'sh', '-c', trapping(name.slice(3))], { input: KEEP_OPEN });
      await saying(child, 'ready');
      child.kill(name);
      expect(await endOf(child)).toEqual({ code: 9, stdout: `got ${name.slice(3)}\n`, stderr: '' });
    },
  );

  test.each([[[]], [['--diff']]])('one that it does not handle ends it: 143 (%j)', async (options) => {
    const child = start(['run', ...options, '--', 'sh', '-c', 'echo ready; exec sleep 1000'], {
      input: KEEP_OPEN,
    });
    await saying(child, 'ready');
    child.kill('SIGTERM');
    expect(await endOf(child)).toMatchObject({ code: 143, stderr: '' });
  });

  test('a second SIGINT kills what ignores the first', async () => {
    const child = start(
      ['run', '--', 'sh', '-c', 'trap "echo again" INT; echo ready; while :; do sleep 1000 & wait $!; done'],
      {
        input: KEEP_OPEN,
      },
    );
    await saying(child, 'ready');
    child.kill('SIGINT');
    await saying(child, 'again');
    child.kill('SIGINT');
    expect(await endOf(child)).toMatchObject({ code: 137, stderr: '' });
  });
});
