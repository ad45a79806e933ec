export type SeccompAction =
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_KILL_PROCESS'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_ALLOW'
  | 'SCMP_ACT_LOG'
  | 'SCMP_ACT_NOTIFY';

export type SeccompOperator =
  | 'SCMP_CMP_NE'
  | 'SCMP_CMP_LT'
  | 'SCMP_CMP_LE'
  | 'SCMP_CMP_EQ'
  | 'SCMP_CMP_GE'
  | 'SCMP_CMP_GT'
  | 'SCMP_CMP_MASKED_EQ';

export type SeccompFlag =
  | 'SECCOMP_FILTER_FLAG_TSYNC'
  | 'SECCOMP_FILTER_FLAG_LOG'
  | 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'
  | 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV';

export type SeccompArch =
  | 'SCMP_ARCH_X86'
  | 'SCMP_ARCH_X86_64'
  | 'SCMP_ARCH_X32'
  | 'SCMP_ARCH_ARM'
  | 'SCMP_ARCH_AARCH64'
  | 'SCMP_ARCH_LOONGARCH64'
  | 'SCMP_ARCH_M68K'
  | 'SCMP_ARCH_MIPS'
  | 'SCMP_ARCH_MIPS64'
  | 'SCMP_ARCH_MIPS64N32'
  | 'SCMP_ARCH_MIPSEL'
  | 'SCMP_ARCH_MIPSEL64'
  | 'SCMP_ARCH_MIPSEL64N32'
  | 'SCMP_ARCH_PPC'
  | 'SCMP_ARCH_PPC64'
  | 'SCMP_ARCH_PPC64LE'
  | 'SCMP_ARCH_S390'
  | 'SCMP_ARCH_S390X'
  | 'SCMP_ARCH_SH'
  | 'SCMP_ARCH_SHEB'
  | 'SCMP_ARCH_PARISC'
  | 'SCMP_ARCH_PARISC64'
  | 'SCMP_ARCH_RISCV64';

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
