import { expect, test } from 'vitest';
import { validateFeatures } from '../../../lib/spec/runtime/features.js';
import { Runtime } from '../support/runtime.js';
import { isOurs } from '../support/under-test.js';

interface Features {
  readonly ociVersionMin: string;
  readonly ociVersionMax: string;
  readonly hooks: readonly string[];
  readonly mountOptions: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux: {
    readonly namespaces: readonly string[];
    readonly capabilities: readonly string[];
    readonly cgroup: Readonly<Record<string, boolean>>;
    readonly seccomp: Readonly<Record<string, unknown>>;
    readonly [name: string]: unknown;
  };
}

async function features(): Promise<Features> {
  await using runtime = new Runtime();
  return JSON.parse((await runtime.ok(['features'])).stdout);
}

test('features: prints one JSON object of the specification’s form', async () => {
  expect(validateFeatures(await features())).toBeTruthy();
});

test('features: tells the versions of the specification', async () => {
  const { ociVersionMin, ociVersionMax } = await features();
  expect(ociVersionMin).toBe('1.0.0');
  expect(ociVersionMax).toMatch(isOurs ? /^1\.3\.\d+$/ : /^1\.\d+\.\d+/);
});

test('features: tells the six kinds of hooks', async () => {
  expect([...(await features()).hooks].sort()).toEqual(
    ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'].sort(),
  );
});

test('features: tells the mount options', async () => {
  const { mountOptions } = await features();
  for (const option of ['ro', 'rw', 'bind', 'rbind', 'rprivate', 'noatime', 'rro', 'tmpcopyup'])
    expect(mountOptions).toContain(option);
  expect(new Set(mountOptions).size).toBe(mountOptions.length);
});

test('features: tells the namespaces', async () => {
  const { linux } = await features();
  for (const type of ['mount', 'pid', 'network', 'ipc', 'uts', 'user', 'cgroup'])
    expect(linux.namespaces).toContain(type);
  if (isOurs) expect(linux.namespaces).toContain('time');
});

test('features: tells the capabilities', async () => {
  const { linux } = await features();
  expect(linux.capabilities).toContain('CAP_CHECKPOINT_RESTORE');
  expect(linux.capabilities).toHaveLength(41);
});

test('features: tells of cgroups v1 and v2, systemd and rdma', async () => {
  expect((await features()).linux.cgroup).toMatchObject({
    v1: true,
    v2: true,
    systemd: true,
    systemdUser: true,
  });
});

test('features: tells the actions, operators, architectures and flags of seccomp', async () => {
  const { seccomp } = (await features()).linux;
  expect(seccomp).toMatchObject({ enabled: true });
  expect(seccomp.actions).toContain('SCMP_ACT_NOTIFY');
  expect(seccomp.operators).toContain('SCMP_CMP_MASKED_EQ');
  expect(seccomp.archs).toContain('SCMP_ARCH_X86_64');
});

test.runIf(isOurs)('features: tells what runtime-spec 1.3 has added', async () => {
  const { linux } = await features();
  for (const name of ['mountExtensions', 'intelRdt', 'memoryPolicy', 'netDevices'])
    expect(linux).toHaveProperty(name);
});
