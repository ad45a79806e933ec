import { nonEmpty, uint32, uint64 } from '../checks.js';
import { array, type Check, integer, object, oneOf, type Place, refine, text } from '../validate.js';

/** What the specification lists. */
export const SECCOMP_ACTIONS = [
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
] as const;
export type SeccompAction = (typeof SECCOMP_ACTIONS)[number];

/** What the specification lists. */
export const SECCOMP_OPERATORS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;
export type SeccompOperator = (typeof SECCOMP_OPERATORS)[number];

/** What the specification lists. */
export const SECCOMP_FLAGS = [
  'SECCOMP_FILTER_FLAG_TSYNC',
  'SECCOMP_FILTER_FLAG_LOG',
  'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
  'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
] as const;
export type SeccompFlag = (typeof SECCOMP_FLAGS)[number];

/** What the specification lists. */
export const SECCOMP_ARCHS = [
  'SCMP_ARCH_X86',
  'SCMP_ARCH_X86_64',
  'SCMP_ARCH_X32',
  'SCMP_ARCH_ARM',
  'SCMP_ARCH_AARCH64',
  'SCMP_ARCH_LOONGARCH64',
  'SCMP_ARCH_M68K',
  'SCMP_ARCH_MIPS',
  'SCMP_ARCH_MIPS64',
  'SCMP_ARCH_MIPS64N32',
  'SCMP_ARCH_MIPSEL',
  'SCMP_ARCH_MIPSEL64',
  'SCMP_ARCH_MIPSEL64N32',
  'SCMP_ARCH_PPC',
  'SCMP_ARCH_PPC64',
  'SCMP_ARCH_PPC64LE',
  'SCMP_ARCH_S390',
  'SCMP_ARCH_S390X',
  'SCMP_ARCH_SH',
  'SCMP_ARCH_SHEB',
  'SCMP_ARCH_PARISC',
  'SCMP_ARCH_PARISC64',
  'SCMP_ARCH_RISCV64',
] as const;
export type SeccompArch = (typeof SECCOMP_ARCHS)[number];

/**
 * Which system calls the container may make.
 *
 * @see runtime-spec, config-linux.md, "Seccomp"
 */
export interface LinuxSeccomp {
  /** For calls that no rule names. */
  readonly defaultAction: SeccompAction;
  /** The errno of `SCMP_ACT_ERRNO`, or the data of `SCMP_ACT_TRACE`. Default: `EPERM`. */
  readonly defaultErrnoRet?: number;
  /** Beside the kernel's own. */
  readonly architectures?: readonly SeccompArch[];
  readonly flags?: readonly SeccompFlag[];
  /** Unix socket that gets the notification descriptor of `SCMP_ACT_NOTIFY`. */
  readonly listenerPath?: string;
  /** Handed to that socket; only together with `listenerPath`. */
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly SeccompRule[];
}

/** What to do with calls by these names, if `args` match. */
export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  /** Only with `SCMP_ACT_ERRNO` and `SCMP_ACT_TRACE`. */
  readonly errnoRet?: number;
  /** All must match. */
  readonly args?: readonly SeccompArgument[];
}

export interface SeccompArgument {
  /** Which argument, 0 to 5. */
  readonly index: number;
  /** The operand, or the mask of `SCMP_CMP_MASKED_EQ`. */
  readonly value: number;
  /** What the masked argument must equal. Default: 0. */
  readonly valueTwo?: number;
  readonly op: SeccompOperator;
}

const action = oneOf(SECCOMP_ACTIONS);

const argument = object<SeccompArgument>(
  { index: integer(0, 5), value: uint64, op: oneOf(SECCOMP_OPERATORS) },
  { valueTwo: uint64 },
);

const rule = refine(
  object<SeccompRule>({ names: array(nonEmpty, 1), action }, { errnoRet: uint32, args: array(argument) }),
  (value, at) => refuseErrno(value.action, value.errnoRet, 'errnoRet', at),
);

export const checkSeccomp: Check<LinuxSeccomp> = refine(
  object<LinuxSeccomp>(
    { defaultAction: action },
    {
      defaultErrnoRet: uint32,
      architectures: array(oneOf(SECCOMP_ARCHS)),
      flags: array(oneOf(SECCOMP_FLAGS)),
      listenerPath: nonEmpty,
      listenerMetadata: text,
      syscalls: array(rule),
    },
  ),
  (seccomp, at) => {
    refuseErrno(seccomp.defaultAction, seccomp.defaultErrnoRet, 'defaultErrnoRet', at);
    refuseMissingListener(seccomp, at);
  },
);

// The kernel cuts what does not fit: an errno ends at 4095, the data for a tracer has 16 bits.
const MOST_DATA: Partial<Record<SeccompAction, number>> = { SCMP_ACT_ERRNO: 4095, SCMP_ACT_TRACE: 0xffff };

function refuseErrno(of: SeccompAction, errno: number | undefined, key: string, at: Place): void {
  if (errno === undefined) return;
  const most = MOST_DATA[of];
  if (most === undefined) at.report(`has no meaning with ${of}`, key);
  else if (errno > most) at.report(`expected a number up to ${most}, got ${errno}`, key);
}

// Without a listener such a call would wait for an answer for ever.
function refuseMissingListener(seccomp: LinuxSeccomp, at: Place): void {
  if (seccomp.listenerPath !== undefined) return;
  if (seccomp.listenerMetadata !== undefined) at.report('needs a listenerPath', 'listenerMetadata');
  if (seccomp.defaultAction === 'SCMP_ACT_NOTIFY')
    at.report('SCMP_ACT_NOTIFY needs a listenerPath', 'defaultAction');
  seccomp.syscalls?.forEach((entry, index) => {
    if (entry.action === 'SCMP_ACT_NOTIFY')
      at.report('SCMP_ACT_NOTIFY needs a listenerPath', 'syscalls', index, 'action');
  });
}
