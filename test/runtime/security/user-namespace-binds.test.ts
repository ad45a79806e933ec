import { mkdirSync } from 'node:fs';
import { afterAll, expect } from 'vitest';
import { empower } from '../support/attack.js';
import { type Bundle, type Config, Runtime } from '../support/runtime.js';
import { testOursRoot } from '../support/test.js';
import { prepareCalls, resetCalls } from '../support/wrapped.js';

// A bind into a user namespace is made by its creator, who may more than the namespace's root: what the host has
// forbidden on its mount must stay so for a container that may mount in its own namespace.

afterAll(resetCalls);

const ids = [{ containerID: 0, hostID: 100000, size: 65536 }];

/** The host's mount at the source, with these options, shared; what lies there afterwards is told on stderr. */
function hostMount(path: string, options: string): void {
  prepareCalls(`exec unshare --mount --propagation private sh -c '
mount -t tmpfs -o mode=777 host ${path} && mkdir -m 777 ${path}/deep && mount -o remount,bind,${options} ${path} &&
mount --make-shared ${path} || exit 99
"$@"; code=$?
grep "${path}" /proc/self/mountinfo | sed "s/^/outside: /" >&2
exit $code' sh "$@"`);
}

function bindInto(bundle: Bundle, config: Config, source: string, ...options: string[]): void {
  mkdirSync(bundle.inside('mnt'));
  config.linux.namespaces.push({ type: 'user' });
  config.linux.uidMappings = [...ids];
  config.linux.gidMappings = [...ids];
  empower(config, 'CAP_SYS_ADMIN');
  config.mounts.push({ destination: '/mnt', type: 'bind', source, options });
}

testOursRoot.each([['rbind'], ['bind']])(
  'a bind (%s) in a user namespace keeps what the host forbids on its mount',
  async (kind) => {
    await using runtime = new Runtime();
    const source = `${runtime.folder}/source`;
    mkdirSync(source);
    hostMount(source, 'ro,nosuid,nodev,noexec');
    const script = [
      'rw,nosuid,nodev,noexec',
      'ro,suid,nodev,noexec',
      'ro,nosuid,dev,noexec',
      'ro,nosuid,nodev,exec',
    ]
      .map((options) => `mount -o remount,bind,${options} /mnt 2>/dev/null && echo ${options}`)
      .join('; ');
    const result = await runtime.runPrepared(
      `${script}; grep " /mnt " /proc/self/mountinfo`,
      (bundle, config) => bindInto(bundle, config, source, kind),
    );
    expect(result.stderr).toMatch(/^outside: /);
    expect(result.stdout.split('\n')[0]).toMatch(/ \/mnt ro,nosuid,nodev,noexec/);
  },
);

testOursRoot.each([['rbind'], ['bind']])(
  'a bind (%s) in a user namespace of a mount that the host shares shows the host nothing',
  async (kind) => {
    await using runtime = new Runtime();
    const source = `${runtime.folder}/source`;
    mkdirSync(source);
    hostMount(source, 'rw');
    const script = 'mount -t tmpfs inner /mnt/deep && echo mounted; grep " /mnt " /proc/self/mountinfo';
    const result = await runtime.runPrepared(script, (bundle, config) =>
      bindInto(bundle, config, source, kind),
    );
    expect(result.stdout).toMatch(/^mounted\n/);
    expect(result.stdout).not.toMatch(/shared:/);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
    expect(result.stderr).not.toContain('inner');
  },
);
