import {
  absolutePath,
  cpuList,
  environment,
  id,
  refuseDuplicates,
  singleLine,
  uint16,
  uint64,
} from '../checks.js';
import {
  array,
  boolean,
  type Check,
  integer,
  object,
  oneOf,
  type Place,
  refine,
  text,
  validate,
} from '../validate.js';
import { CAPABILITIES, type Capability, RLIMITS, type RlimitType } from './linux-names.js';

/**
 * The container's process.
 *
 * @see runtime-spec, config.md, "Process"
 */
export interface ProcessConfig {
  /** Attach a terminal. Default: none. */
  readonly terminal?: boolean;
  /** Size of the terminal in characters; ignored without one. */
  readonly consoleSize?: ConsoleSize;
  /** Whom the process runs as. */
  readonly user: ProcessUser;
  /** Program and arguments, at least the program. Needed by the time of `start`. */
  readonly args?: readonly string[];
  /** The whole environment, as `NAME=value`. */
  readonly env?: readonly string[];
  /** Working directory: absolute, in the container. */
  readonly cwd: string;
  readonly capabilities?: LinuxCapabilities;
  /** At most one entry a type. */
  readonly rlimits?: readonly Rlimit[];
  /** No program started later gains privileges: prctl(2), `PR_SET_NO_NEW_PRIVS`. */
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  /** -1000 (never killed for memory) to 1000. Absent: as the runtime's own. */
  readonly oomScoreAdj?: number;
  readonly selinuxLabel?: string;
  readonly scheduler?: Scheduler;
  readonly ioPriority?: IoPriority;
  /** For processes that join by exec; the first process has cgroup's cpuset alone. */
  readonly execCPUAffinity?: ExecCpuAffinity;
}

export interface ConsoleSize {
  readonly height: number;
  readonly width: number;
}

/** Ids as seen inside the container: 0 to 2^32-2, as the kernel takes -1 for "leave it". */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
}

/**
 * The five sets of capabilities(7), each exactly as it shall be. An absent set is empty.
 *
 * @see runtime-spec, config.md, "Linux Process"
 */
export interface LinuxCapabilities {
  readonly bounding?: readonly Capability[];
  readonly effective?: readonly Capability[];
  readonly inheritable?: readonly Capability[];
  readonly permitted?: readonly Capability[];
  readonly ambient?: readonly Capability[];
}

/**
 * A limit as of setrlimit(2). `RLIM_INFINITY` is 2^64-1 in JSON, which reads as {@link RLIM_INFINITY}.
 *
 * @see runtime-spec, config.md, "POSIX process"
 */
export interface Rlimit {
  /** Such as `RLIMIT_NOFILE`. */
  readonly type: RlimitType;
  readonly soft: number;
  readonly hard: number;
}

const SCHEDULER_POLICIES = [
  'SCHED_OTHER',
  'SCHED_FIFO',
  'SCHED_RR',
  'SCHED_BATCH',
  'SCHED_ISO',
  'SCHED_IDLE',
  'SCHED_DEADLINE',
] as const;
export type SchedulerPolicy = (typeof SCHEDULER_POLICIES)[number];

const SCHEDULER_FLAGS = [
  'SCHED_FLAG_RESET_ON_FORK',
  'SCHED_FLAG_RECLAIM',
  'SCHED_FLAG_DL_OVERRUN',
  'SCHED_FLAG_KEEP_POLICY',
  'SCHED_FLAG_KEEP_PARAMS',
  'SCHED_FLAG_UTIL_CLAMP_MIN',
  'SCHED_FLAG_UTIL_CLAMP_MAX',
] as const;
export type SchedulerFlag = (typeof SCHEDULER_FLAGS)[number];

/** What sched_setattr(2) is given. */
export interface Scheduler {
  readonly policy: SchedulerPolicy;
  /** -20 to 19. */
  readonly nice?: number;
  /** 1 to 99, for `SCHED_FIFO` and `SCHED_RR`. */
  readonly priority?: number;
  readonly flags?: readonly SchedulerFlag[];
  /** Nanoseconds, for `SCHED_DEADLINE`, as are the two below. */
  readonly runtime?: number;
  readonly deadline?: number;
  readonly period?: number;
}

const IO_PRIORITY_CLASSES = ['IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'] as const;
export type IoPriorityClass = (typeof IO_PRIORITY_CLASSES)[number];

/** What ioprio_set(2) is given. */
export interface IoPriority {
  readonly class: IoPriorityClass;
  /** 0 (first) to 7. */
  readonly priority?: number;
}

/** Lists of CPUs such as `0-3,7`. */
export interface ExecCpuAffinity {
  /** While the runtime enters the container. */
  readonly initial?: string;
  /** When the program starts. */
  readonly final?: string;
}

/** What `JSON.parse` makes of 2^64-1, "no limit" in an {@link Rlimit}. */
export const RLIM_INFINITY = 2 ** 64;

const capabilityList = array(oneOf(CAPABILITIES));

const rlimits = refine(
  array(
    refine(object<Rlimit>({ type: oneOf(RLIMITS), soft: uint64, hard: uint64 }, {}), (rlimit, at) => {
      if (rlimit.soft > rlimit.hard) at.report('is above the hard limit', 'soft');
    }),
  ),
  (entries, at) => refuseDuplicates(entries, 'type', ({ type }) => type, at),
);

const scheduler = refine(
  object<Scheduler>(
    { policy: oneOf(SCHEDULER_POLICIES) },
    {
      nice: integer(-20, 19),
      priority: integer(0, 99),
      flags: array(oneOf(SCHEDULER_FLAGS)),
      runtime: uint64,
      deadline: uint64,
      period: uint64,
    },
  ),
  refuseForeignParameters,
);

// sched_setattr(2) would ignore some of these and fail on others without saying which.
function refuseForeignParameters({ policy, priority, ...times }: Scheduler, at: Place): void {
  if ((priority ?? 0) > 0 && policy !== 'SCHED_FIFO' && policy !== 'SCHED_RR')
    at.report('is only for SCHED_FIFO and SCHED_RR', 'priority');
  if (policy === 'SCHED_DEADLINE') return;
  for (const key of ['runtime', 'deadline', 'period'] as const)
    if ((times[key] ?? 0) > 0) at.report('is only for SCHED_DEADLINE', key);
}

/** Checks a process, of `config.json` or of exec. */
export const checkProcess: Check<ProcessConfig> = object<ProcessConfig>(
  {
    user: object<ProcessUser>({ uid: id, gid: id }, { umask: integer(0, 0o777), additionalGids: array(id) }),
    cwd: absolutePath,
  },
  {
    terminal: boolean,
    // The kernel's struct winsize has 16 bits for each.
    consoleSize: object<ConsoleSize>({ height: uint16, width: uint16 }, {}),
    args: array(text, 1),
    env: environment,
    capabilities: object<LinuxCapabilities>(
      {},
      {
        bounding: capabilityList,
        effective: capabilityList,
        inheritable: capabilityList,
        permitted: capabilityList,
        ambient: capabilityList,
      },
    ),
    rlimits,
    noNewPrivileges: boolean,
    apparmorProfile: singleLine,
    oomScoreAdj: integer(-1000, 1000),
    selinuxLabel: singleLine,
    scheduler,
    ioPriority: object<IoPriority>({ class: oneOf(IO_PRIORITY_CLASSES) }, { priority: integer(0, 7) }),
    execCPUAffinity: object<ExecCpuAffinity>({}, { initial: cpuList, final: cpuList }),
  },
);

/**
 * Checks the process of an exec.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function validateProcess(value: unknown, what = 'process'): ProcessConfig {
  return validate(checkProcess, value, what);
}
