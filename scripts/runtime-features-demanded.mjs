// What `nsbox-runtime` promises, as docs/runtime-features.md must show it. A test covers a feature when its name says so: the
// area stands before the first colon, a flag anywhere in the name.

const words = (text) => text.trim().split(/\s+/);
const flags = (verb, text) => words(text).map((flag) => ({ area: verb, word: flag }));
const fields = (text) => words(text).map((field) => ({ area: field }));

export const VERBS = words(
  'create start state kill delete run exec ps list pause resume update events checkpoint restore features spec',
).map((area) => ({ area }));

const DEMANDED_VERBS = [
  ...VERBS,
  { area: 'mounts add' },
  { area: 'mounts remove' },
  ...words(
    '--root --log --log-format --log-level --systemd-cgroup --cgroup-manager --rootless --debug --version',
  ).map((area) => ({ area })),
  ...words('--help --criu').map((area) => ({ area })),
  ...flags('create', '--bundle -b --config -f --pid-file --console-socket --no-pivot --no-new-keyring'),
  ...flags('create', '--preserve-fds --pidfd-socket'),
  ...flags(
    'run',
    '--detach -d --keep --no-subreaper --pid-file --console-socket --preserve-fds --pidfd-socket',
  ),
  ...flags('exec', '--process -p --detach -d --pid-file --console-socket --tty -t --cwd --env -e --user -u'),
  ...flags('exec', '--additional-gids -g --cap -c --no-new-privs --apparmor --process-label --preserve-fds'),
  ...flags('exec', '--cgroup --ignore-paused --pidfd-socket'),
  ...flags('kill', '--all -a --regex'),
  ...flags('delete', '--force -f --regex'),
  ...flags('list', '--format -f -q'),
  ...flags('ps', '--format -f'),
  ...flags(
    'update',
    '--resources -r --memory --memory-reservation --memory-swap --pids-limit --cpu-share --cpu-quota',
  ),
  ...flags(
    'update',
    '--cpu-period --cpu-rt-runtime --cpu-rt-period --cpuset-cpus --cpuset-mems --blkio-weight',
  ),
  ...flags('update', '--cpu-burst --cpu-idle --l3-cache-schema --mem-bw-schema'),
  ...flags('events', '--stats --interval oom'),
  ...flags('checkpoint', '--image-path --work-path --leave-running'),
  { area: 'state file' },
];

const DEMANDED_FIELDS = [
  ...fields('ociVersion root.path root.readonly hostname domainname mounts hooks annotations config.json'),
  ...fields('process.terminal process.consoleSize process.cwd process.env process.args process.rlimits'),
  ...fields('process.user.uid process.user.gid process.user.umask process.user.additionalGids'),
  ...fields('process.capabilities process.noNewPrivileges process.oomScoreAdj process.apparmorProfile'),
  ...fields('process.selinuxLabel process.scheduler process.ioPriority process.execCPUAffinity'),
  ...fields(
    'linux.namespaces linux.uidMappings linux.gidMappings linux.timeOffsets linux.devices linux.netDevices',
  ),
  ...fields('linux.cgroupsPath linux.rootfsPropagation linux.sysctl linux.maskedPaths linux.readonlyPaths'),
  ...fields('linux.mountLabel linux.intelRdt linux.memoryPolicy linux.personality'),
  ...fields('linux.resources.devices linux.resources.memory.limit linux.resources.memory.swap'),
  ...fields(
    'linux.resources.memory.reservation linux.resources.memory.checkBeforeUpdate linux.resources.cpu.shares',
  ),
  ...fields(
    'linux.resources.cpu.quota linux.resources.cpu.burst linux.resources.cpu.idle linux.resources.cpu.cpus',
  ),
  ...fields('linux.resources.pids.limit linux.resources.blockIO.weight linux.resources.hugepageLimits'),
  ...fields('linux.resources.network.classID linux.resources.rdma linux.resources.unified'),
  ...fields('linux.seccomp linux.seccomp.architectures linux.seccomp.flags linux.seccomp.listenerPath'),
  ...fields('linux.seccomp.listenerMetadata linux.seccomp.defaultErrnoRet linux.seccomp.syscalls.args'),
  ...flags(
    'mounts',
    'rro rnosuid rnodev rnoexec rnoatime tmpcopyup idmap ridmap copy-symlink src-nofollow dest-nofollow',
  ),
  ...flags('mounts', 'tmpfs proc sysfs devpts mqueue cgroup cgroup2 overlay bind'),
  ...flags('hooks', 'prestart createRuntime createContainer startContainer poststart timeout'),
  ...flags('annotation', 'org.systemd.property org.criu.config run.oci.keep_original_groups'),
  ...flags(
    'annotation',
    'run.oci.systemd.subgroup run.oci.delegate-cgroup run.oci.hooks.stdout run.oci.hooks.stderr',
  ),
  ...flags(
    'annotation',
    'run.oci.seccomp.receiver run.oci.pidfd_receiver run.oci.seccomp_fail_unknown_syscall',
  ),
];

export const DEMANDED = [...DEMANDED_VERBS, ...DEMANDED_FIELDS];

/** Demanded, and not shown by a test yet. One that has a test by now must leave this list. */
export const PENDING = new Set([]);
