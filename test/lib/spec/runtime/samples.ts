/** A `config.json` that has every field once, and keeps every rule. */
export function fullConfig(): Record<string, unknown> {
  return {
    ociVersion: '1.3.0',
    root: { path: 'rootfs', readonly: true },
    process: fullProcess(),
    hostname: 'box',
    domainname: 'example.org',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      {
        destination: '/data',
        type: 'bind',
        source: '/srv/data',
        options: ['rbind', 'rro', 'ridmap'],
        uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
        gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
      },
    ],
    hooks: Object.fromEntries(
      ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'].map(
        (name) => [name, [{ path: '/bin/hook', args: ['hook', name], env: ['A=b', 'EMPTY='], timeout: 5 }]],
      ),
    ),
    annotations: { 'org.example.key': 'value', empty: '' },
    linux: fullLinux(),
  };
}

function fullProcess(): Record<string, unknown> {
  return {
    terminal: true,
    consoleSize: { height: 25, width: 80 },
    user: { uid: 1, gid: 2, umask: 0o22, additionalGids: [3, 4] },
    args: ['sh', '-c', 'exit'],
    env: ['PATH=/usr/bin', 'EMPTY='],
    cwd: '/',
    capabilities: {
      bounding: ['CAP_CHOWN', 'CAP_KILL'],
      effective: ['CAP_CHOWN'],
      inheritable: ['CAP_CHOWN'],
      permitted: ['CAP_CHOWN'],
      ambient: ['CAP_CHOWN'],
    },
    rlimits: [
      { type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 },
      { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
    ],
    noNewPrivileges: true,
    apparmorProfile: 'profile',
    oomScoreAdj: 100,
    selinuxLabel: 'system_u:system_r:container_t:s0',
    scheduler: {
      policy: 'SCHED_RR',
      nice: 0,
      priority: 10,
      flags: ['SCHED_FLAG_RESET_ON_FORK'],
      runtime: 0,
      deadline: 0,
      period: 0,
    },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
    execCPUAffinity: { initial: '0-1,3', final: '2' },
  };
}

function fullLinux(): Record<string, unknown> {
  const rate = [{ major: 8, minor: 0, rate: 600 }];
  return {
    namespaces: [
      ...['pid', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'].map((type) => ({ type })),
      { type: 'network', path: '/run/netns/one' },
    ],
    uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
    gidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
    timeOffsets: { monotonic: { secs: -5, nanosecs: 7 }, boottime: { secs: 6, nanosecs: 0 } },
    devices: [
      { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 },
      { path: '/dev/pipe', type: 'p' },
    ],
    netDevices: { eth1: { name: 'net1' }, eth2: {} },
    cgroupsPath: '/nsbox/one',
    resources: {
      devices: [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' },
      ],
      memory: {
        limit: 536_870_912,
        reservation: 268_435_456,
        swap: 536_870_912,
        kernel: -1,
        kernelTCP: -1,
        swappiness: 60,
        disableOOMKiller: false,
        useHierarchy: true,
        checkBeforeUpdate: true,
      },
      cpu: {
        shares: 1024,
        quota: 50_000,
        burst: 10_000,
        period: 100_000,
        realtimeRuntime: 950_000,
        realtimePeriod: 1_000_000,
        cpus: '0-3,7',
        mems: '0',
        idle: 0,
      },
      pids: { limit: 64 },
      blockIO: {
        weight: 500,
        leafWeight: 300,
        weightDevice: [
          { major: 8, minor: 0, weight: 500, leafWeight: 300 },
          { major: 8, minor: 16, weight: 500 },
        ],
        throttleReadBpsDevice: rate,
        throttleWriteBpsDevice: rate,
        throttleReadIOPSDevice: rate,
        throttleWriteIOPSDevice: rate,
      },
      hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }],
      network: { classID: 1_048_577, priorities: [{ name: 'eth0', priority: 500 }] },
      rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10_000 } },
      unified: { 'memory.high': '1073741824', 'io.max': '8:0 rbps=1\n8:16 rbps=2' },
    },
    rootfsPropagation: 'slave',
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
      flags: ['SECCOMP_FILTER_FLAG_LOG'],
      listenerPath: '/run/listener.sock',
      listenerMetadata: 'metadata',
      syscalls: [
        {
          names: ['clone'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 2_114_060_288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
        },
        { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
      ],
    },
    sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.shmmax': '65536', 'net/ipv4/conf/eth0.1/forwarding': '0' },
    maskedPaths: ['/proc/kcore'],
    readonlyPaths: ['/proc/sys'],
    mountLabel: 'system_u:object_r:container_file_t:s0',
    intelRdt: {
      closID: 'guaranteed',
      schemata: ['L3:0=7f0;1=1f'],
      l3CacheSchema: 'L3:0=7f0;1=1f',
      memBwSchema: 'MB:0=20;1=70',
      enableMonitoring: true,
      enableCMT: true,
      enableMBM: false,
    },
    memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-1', flags: ['MPOL_F_STATIC_NODES'] },
    personality: { domain: 'LINUX32', flags: [] },
  };
}

/** What `state` prints, every field. */
export function fullState(): Record<string, unknown> {
  return {
    ociVersion: '1.3.0',
    id: 'one',
    status: 'running',
    pid: 42,
    bundle: '/bundle',
    annotations: { key: 'value' },
  };
}

/** What `features` prints, every field. */
export function fullFeatures(): Record<string, unknown> {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: '1.3.0',
    hooks: ['prestart', 'poststop'],
    mountOptions: ['ro', 'rro'],
    annotations: { 'org.example.version': '1' },
    potentiallyUnsafeConfigAnnotations: ['org.example.'],
    linux: {
      namespaces: ['mount', 'pid'],
      capabilities: ['CAP_CHOWN'],
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: false, rdma: true },
      seccomp: {
        enabled: true,
        actions: ['SCMP_ACT_ALLOW'],
        operators: ['SCMP_CMP_EQ'],
        archs: ['SCMP_ARCH_X86_64'],
        knownFlags: ['SECCOMP_FILTER_FLAG_LOG'],
        supportedFlags: ['SECCOMP_FILTER_FLAG_LOG'],
      },
      apparmor: { enabled: true },
      selinux: { enabled: false },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      memoryPolicy: { modes: ['MPOL_BIND'], flags: ['MPOL_F_STATIC_NODES'] },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
  };
}
