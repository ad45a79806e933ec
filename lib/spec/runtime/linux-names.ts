import { NsboxError } from '../../errors.js';

/** The capabilities of capabilities(7), each at the index that is its number. */
export const CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** The resources of getrlimit(2), each at the index that is its number on x86 and arm. */
export const RLIMITS = [
  'RLIMIT_CPU',
  'RLIMIT_FSIZE',
  'RLIMIT_DATA',
  'RLIMIT_STACK',
  'RLIMIT_CORE',
  'RLIMIT_RSS',
  'RLIMIT_NPROC',
  'RLIMIT_NOFILE',
  'RLIMIT_MEMLOCK',
  'RLIMIT_AS',
  'RLIMIT_LOCKS',
  'RLIMIT_SIGPENDING',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
] as const;

export type RlimitType = (typeof RLIMITS)[number];

/** The signals of signal(7) with their numbers on x86 and arm; where two share one, the usual name first. */
const SIGNALS: ReadonlyMap<string, number> = new Map([
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGQUIT', 3],
  ['SIGILL', 4],
  ['SIGTRAP', 5],
  ['SIGABRT', 6],
  ['SIGIOT', 6],
  ['SIGBUS', 7],
  ['SIGFPE', 8],
  ['SIGKILL', 9],
  ['SIGUSR1', 10],
  ['SIGSEGV', 11],
  ['SIGUSR2', 12],
  ['SIGPIPE', 13],
  ['SIGALRM', 14],
  ['SIGTERM', 15],
  ['SIGSTKFLT', 16],
  ['SIGCHLD', 17],
  ['SIGCLD', 17],
  ['SIGCONT', 18],
  ['SIGSTOP', 19],
  ['SIGTSTP', 20],
  ['SIGTTIN', 21],
  ['SIGTTOU', 22],
  ['SIGURG', 23],
  ['SIGXCPU', 24],
  ['SIGXFSZ', 25],
  ['SIGVTALRM', 26],
  ['SIGPROF', 27],
  ['SIGWINCH', 28],
  ['SIGIO', 29],
  ['SIGPOLL', 29],
  ['SIGPWR', 30],
  ['SIGSYS', 31],
  ['SIGUNUSED', 31],
]);

const SIGRTMIN = 34;
const SIGRTMAX = 64;

const SIGNAL_NAMES: readonly (string | undefined)[] = namesByNumber();

function namesByNumber(): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  for (const [name, number] of SIGNALS) names[number] ??= name;
  for (let number = SIGRTMIN; number <= SIGRTMAX; number++) names[number] = realtimeName(number);
  return names;
}

// kill -l counts from the nearer end.
function realtimeName(number: number): string {
  const [base, offset] =
    number - SIGRTMIN <= SIGRTMAX - number
      ? ['SIGRTMIN', number - SIGRTMIN]
      : ['SIGRTMAX', number - SIGRTMAX];
  return offset === 0 ? base : `${base}${offset > 0 ? '+' : ''}${offset}`;
}

/** A signal's name, such as `SIGTERM` or `SIGRTMIN+1`; undefined where the number has none. */
export function signalName(number: number): string | undefined {
  return SIGNAL_NAMES[number];
}

const REALTIME = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/;

/**
 * A signal's number from its name, with or without `SIG` and in any case, or from its number.
 *
 * @example signalNumber('term') // 15
 * @example signalNumber('SIGRTMIN+3') // 37
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function signalNumber(signal: string | number): number {
  const number = typeof signal === 'number' ? signal : numberOf(signal.trim().toUpperCase());
  if (number !== undefined && Number.isInteger(number) && number >= 1 && number <= SIGRTMAX) return number;
  throw new NsboxError('ERR_INVALID_ARGUMENT', `unknown signal: ${String(signal).slice(0, 40)}`, {
    hint: 'a name such as SIGTERM, or a number from 1 to 64',
  });
}

function numberOf(text: string): number | undefined {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  const name = text.startsWith('SIG') ? text : `SIG${text}`;
  return SIGNALS.get(name) ?? realtimeNumber(name);
}

function realtimeNumber(name: string): number | undefined {
  const match = REALTIME.exec(name);
  if (match === null) return undefined;
  const [, end, sign = '+', offset = '0'] = match;
  const number = (end === 'MIN' ? SIGRTMIN : SIGRTMAX) + (sign === '+' ? 1 : -1) * Number(offset);
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}

/**
 * A capability's name as the specification writes it, from Docker's and people's spellings.
 *
 * @example capabilityName('net_admin') // 'CAP_NET_ADMIN'
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function capabilityName(text: string): Capability {
  const upper = text.toUpperCase();
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  const known = CAPABILITIES.find((capability) => capability === name);
  if (known !== undefined) return known;
  throw new NsboxError('ERR_INVALID_ARGUMENT', `unknown capability: ${text.slice(0, 40)}`, {
    hint: 'a name of capabilities(7), such as NET_ADMIN',
  });
}
