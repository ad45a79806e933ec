import fc from 'fast-check';
import { CAPABILITIES, RLIMITS } from '../../../../lib/spec/runtime/linux-names.js';
import { SECCOMP_ARCHS, SECCOMP_FLAGS, SECCOMP_OPERATORS } from '../../../../lib/spec/runtime/seccomp.js';

const text = fc.string({ maxLength: 12 }).filter((value) => !value.includes('\0'));
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const path = fc.array(word, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const environment = fc.array(
  fc.tuple(word, text).map(([name, value]) => `${name}=${value}`),
  { maxLength: 4 },
);
const id = fc.nat({ max: 65_535 });
const uint32 = fc.nat({ max: 0xffff_ffff });
const size = fc.oneof(fc.constant(-1), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
const list = fc.constantFrom('', '0', '0-3', '1,3-5');

/** An object whose fields may each be there or not. */
function optional<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record(fields, { requiredKeys: [] });
}

function dictionary<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> {
  return fc.dictionary(word, value, { maxKeys: 3 });
}

const capabilities = fc.subarray([...CAPABILITIES]);

const rlimits = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom(...RLIMITS), uint32, uint32)
    .map(([type, a, b]) => ({ type, soft: Math.min(a, b), hard: Math.max(a, b) })),
  { selector: ({ type }) => type, maxLength: 4 },
);

const scheduler = fc.oneof(
  fc.record({ policy: fc.constant('SCHED_FIFO'), priority: fc.integer({ min: 1, max: 99 }) }),
  fc.record({
    policy: fc.constantFrom('SCHED_OTHER', 'SCHED_BATCH'),
    nice: fc.integer({ min: -20, max: 19 }),
  }),
  fc.record({ policy: fc.constant('SCHED_DEADLINE'), runtime: uint32, deadline: uint32, period: uint32 }),
);

const process = fc
  .record({
    cwd: path,
    user: fc.record(
      { uid: id, gid: id, umask: fc.nat({ max: 0o777 }), additionalGids: fc.array(id, { maxLength: 3 }) },
      { requiredKeys: ['uid', 'gid'] },
    ),
  })
  .chain((required) =>
    optional({
      terminal: fc.boolean(),
      consoleSize: fc.record({ height: fc.nat({ max: 65_535 }), width: fc.nat({ max: 65_535 }) }),
      args: fc.array(text, { minLength: 1, maxLength: 4 }),
      env: environment,
      capabilities: optional({
        bounding: capabilities,
        effective: capabilities,
        inheritable: capabilities,
        permitted: capabilities,
        ambient: capabilities,
      }),
      rlimits,
      noNewPrivileges: fc.boolean(),
      oomScoreAdj: fc.integer({ min: -1000, max: 1000 }),
      scheduler,
      ioPriority: fc.record({
        class: fc.constantFrom('IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'),
        priority: fc.nat({ max: 7 }),
      }),
      execCPUAffinity: optional({ initial: list, final: list }),
    }).map((rest) => ({ ...required, ...rest })),
  );

const hook = fc.record(
  {
    path,
    args: fc.array(text, { maxLength: 3 }),
    env: environment,
    timeout: fc.integer({ min: 1, max: 3600 }),
  },
  { requiredKeys: ['path'] },
);
const hooks = fc.array(hook, { maxLength: 2 });

const mount = fc.record(
  {
    destination: path,
    type: word,
    source: text,
    options: fc.array(fc.constantFrom('ro', 'rbind', 'rro', 'nosuid', 'rslave', 'mode=755', 'size=64k')),
  },
  { requiredKeys: ['destination'] },
);

const number = { major: fc.nat({ max: 4095 }), minor: fc.nat({ max: 0xf_ffff }) };
const throttle = fc.array(fc.record({ ...number, rate: fc.nat() }), { maxLength: 2 });

const resources = optional({
  devices: fc.array(
    fc.record(
      {
        allow: fc.boolean(),
        type: fc.constantFrom('a', 'b', 'c'),
        ...number,
        access: fc.constantFrom('r', 'rw', 'rwm'),
      },
      { requiredKeys: ['allow'] },
    ),
    { maxLength: 4 },
  ),
  memory: optional({
    limit: size,
    reservation: size,
    swappiness: fc.nat({ max: 100 }),
    disableOOMKiller: fc.boolean(),
    useHierarchy: fc.boolean(),
    checkBeforeUpdate: fc.boolean(),
  }),
  cpu: optional({
    shares: fc.nat(),
    quota: size,
    period: fc.nat(),
    cpus: list,
    mems: list,
    idle: fc.constantFrom(0, 1),
  }),
  pids: fc.record({ limit: size }),
  blockIO: optional({
    weight: fc.nat({ max: 65_535 }),
    weightDevice: fc.array(fc.record({ ...number, weight: fc.nat({ max: 65_535 }) }), { maxLength: 2 }),
    throttleReadBpsDevice: throttle,
    throttleWriteIOPSDevice: throttle,
  }),
  hugepageLimits: fc.array(fc.record({ pageSize: fc.constantFrom('64KB', '2MB', '1GB'), limit: fc.nat() })),
  network: optional({ classID: uint32, priorities: fc.array(fc.record({ name: word, priority: uint32 })) }),
  rdma: dictionary(fc.record({ hcaHandles: uint32 })),
  unified: dictionary(text),
});

const rule = fc.record(
  {
    names: fc.array(word, { minLength: 1, maxLength: 5 }),
    action: fc.constantFrom('SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_LOG'),
    args: fc.array(
      fc.record({
        index: fc.nat({ max: 5 }),
        value: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        valueTwo: fc.nat(),
        op: fc.constantFrom(...SECCOMP_OPERATORS),
      }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ['names', 'action'] },
);

const seccomp = fc.record(
  {
    defaultAction: fc.constantFrom('SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE'),
    defaultErrnoRet: fc.nat({ max: 4095 }),
    architectures: fc.subarray([...SECCOMP_ARCHS]),
    flags: fc.subarray([...SECCOMP_FLAGS]),
    syscalls: fc.array(rule, { maxLength: 4 }),
  },
  { requiredKeys: ['defaultAction'] },
);

const namespaces = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'].map((type) => ({
  type,
}));
const mappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

const linux = optional({
  uidMappings: fc.constant(mappings),
  gidMappings: fc.constant(mappings),
  timeOffsets: optional({
    monotonic: fc.record({ secs: fc.integer(), nanosecs: fc.nat({ max: 999_999_999 }) }),
    boottime: optional({ secs: fc.integer() }),
  }),
  devices: fc.array(
    fc.record(
      {
        type: fc.constantFrom('c', 'b', 'u'),
        path,
        ...number,
        fileMode: fc.nat({ max: 0o777 }),
        uid: id,
        gid: id,
      },
      { requiredKeys: ['type', 'path', 'major', 'minor'] },
    ),
    { maxLength: 3 },
  ),
  netDevices: dictionary(fc.constant({})),
  cgroupsPath: path,
  resources,
  rootfsPropagation: fc.constantFrom('private', 'shared', 'slave', 'unbindable'),
  seccomp,
  sysctl: fc.dictionary(fc.constantFrom('net.core.somaxconn', 'kernel.msgmax', 'fs.mqueue.msg_max'), word),
  maskedPaths: fc.array(path, { maxLength: 3 }),
  readonlyPaths: fc.array(path, { maxLength: 3 }),
  mountLabel: word,
  intelRdt: optional({ closID: word, l3CacheSchema: text, enableMonitoring: fc.boolean() }),
  memoryPolicy: fc.constantFrom({ mode: 'MPOL_LOCAL' }, { mode: 'MPOL_INTERLEAVE', nodes: '0-1' }),
  personality: fc.record({ domain: fc.constantFrom('LINUX', 'LINUX32') }),
}).map((rest) => ({ ...rest, namespaces }));

/** Configurations that keep every rule; all namespaces are there, as other fields depend on them. */
export const configs = fc
  .tuple(
    fc.record({
      ociVersion: fc.constantFrom('1.0.0', '1.0.2-dev', '1.2.1+dev', '1.3.0'),
      root: fc.record({ path: fc.constantFrom('rootfs', '/rootfs'), readonly: fc.boolean() }),
      linux,
    }),
    optional({
      process,
      hostname: word,
      domainname: word,
      mounts: fc.array(mount, { maxLength: 4 }),
      hooks: optional({
        prestart: hooks,
        createRuntime: hooks,
        createContainer: hooks,
        startContainer: hooks,
        poststart: hooks,
        poststop: hooks,
      }),
      annotations: dictionary(text),
    }),
  )
  .map(([required, rest]) => ({ ...required, ...rest }));
