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
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

/**
 * A limit as of setrlimit(2). `RLIM_INFINITY` is 2^64-1 in JSON, which reads as {@link RLIM_INFINITY}.
 *
 * @see runtime-spec, config.md, "POSIX process"
 */
export interface Rlimit {
  /** Such as `RLIMIT_NOFILE`. */
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export type SchedulerPolicy =
  | 'SCHED_OTHER'
  | 'SCHED_FIFO'
  | 'SCHED_RR'
  | 'SCHED_BATCH'
  | 'SCHED_ISO'
  | 'SCHED_IDLE'
  | 'SCHED_DEADLINE';

export type SchedulerFlag =
  | 'SCHED_FLAG_RESET_ON_FORK'
  | 'SCHED_FLAG_RECLAIM'
  | 'SCHED_FLAG_DL_OVERRUN'
  | 'SCHED_FLAG_KEEP_POLICY'
  | 'SCHED_FLAG_KEEP_PARAMS'
  | 'SCHED_FLAG_UTIL_CLAMP_MIN'
  | 'SCHED_FLAG_UTIL_CLAMP_MAX';

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

export type IoPriorityClass = 'IOPRIO_CLASS_RT' | 'IOPRIO_CLASS_BE' | 'IOPRIO_CLASS_IDLE';

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
