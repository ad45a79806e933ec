/** One option of `nsbox run`, as the scanner, the help and the completions need it. */
export interface Flag {
  readonly long: string;
  readonly short?: string;
  /** What its value is called in the help; one without takes none, but for `=true` and `=false`. */
  readonly value?: string;
  /** May be given more than once. */
  readonly many?: true;
  /** Another name for it. */
  readonly alias?: string;
  readonly group: FlagGroup;
  readonly help: string;
  readonly choices?: readonly string[];
}

export type FlagGroup = 'Command' | 'Files' | 'Limits' | 'Isolation' | 'Result';

/**
 * All options of `nsbox run`. The hot path reads them with a scanner of its own (`scan.ts`): loading commander takes a
 * third of the time that a whole `nsbox run -- true` may take. Help and completions are made from the same table.
 */
export const RUN_FLAGS = [
  { long: 'interactive', short: 'i', group: 'Command', help: 'keep stdin open; it always is' },
  { long: 'tty', short: 't', group: 'Command', help: 'give the command a terminal of its own' },
  {
    long: 'env',
    short: 'e',
    value: 'KEY[=VALUE]',
    many: true,
    group: 'Command',
    help: 'set a variable; KEY alone takes the value from here',
  },
  {
    long: 'env-file',
    value: 'FILE',
    many: true,
    group: 'Command',
    help: 'set variables from a file, one a line',
  },
  {
    long: 'workdir',
    short: 'w',
    value: 'DIR',
    group: 'Command',
    help: "working directory inside (default: the image's, or the workspace)",
  },
  {
    long: 'user',
    short: 'u',
    value: 'USER[:GROUP]',
    group: 'Command',
    help: "names or ids, looked up inside (default: the image's, or root)",
  },
  {
    long: 'timeout',
    value: 'TIME',
    group: 'Command',
    help: 'end it after that time: 10s, 1m30s; exit code 124',
  },
  {
    long: 'name',
    value: 'ID',
    group: 'Command',
    help: 'name of the sandbox, and its host name (default: random)',
  },
  {
    long: 'hostname',
    short: 'h',
    value: 'NAME',
    group: 'Command',
    help: 'host name inside (default: the name)',
  },
  { long: 'init', group: 'Command', help: 'reap zombies as process 1; nsbox always does' },
  { long: 'rm', group: 'Command', help: 'remove the sandbox at its end; nsbox always does' },

  {
    long: 'pull',
    value: 'WHEN',
    group: 'Files',
    help: "ask the image's registry: always, missing or never (default: missing)",
    choices: ['always', 'missing', 'never'],
  },
  {
    long: 'platform',
    value: 'PLATFORM',
    group: 'Files',
    help: "which variant of the image: linux/386 (default: this machine's)",
  },
  {
    long: 'entrypoint',
    value: 'PROGRAM',
    group: 'Files',
    help: "in place of the image's own; empty: none",
  },
  { long: 'quiet', short: 'q', group: 'Files', help: 'do not show how an image is pulled' },
  {
    long: 'rootfs',
    value: 'DIR',
    group: 'Files',
    help: 'directory to be the root, in place of an image',
  },
  { long: 'bundle', value: 'DIR', group: 'Files', help: 'OCI bundle: a directory with config.json' },
  {
    long: 'workspace',
    value: 'DIR',
    group: 'Files',
    help: 'directory that stays visible without an image (default: the current one)',
  },
  { long: 'no-workspace', group: 'Files', help: 'hide the current directory where it lies in a home' },
  {
    long: 'volume',
    short: 'v',
    value: 'SRC:DST[:ro]',
    many: true,
    group: 'Files',
    help: 'show a file or directory; writes go to the original',
  },
  {
    long: 'mount',
    value: 'SPEC',
    many: true,
    group: 'Files',
    help: 'the same in words: type=bind,source=/a,target=/b,readonly',
  },
  {
    long: 'tmpfs',
    value: 'DST[:OPTIONS]',
    many: true,
    group: 'Files',
    help: 'an empty directory in memory: /cache:size=64m',
  },
  { long: 'read-only', group: 'Files', help: 'refuse all writes but to /tmp and other tmpfs' },
  {
    long: 'scratch-size',
    value: 'SIZE',
    group: 'Files',
    help: 'how much may be written (default: half of the memory)',
  },

  {
    long: 'memory',
    short: 'm',
    value: 'SIZE',
    group: 'Limits',
    help: 'memory: 64m, 1.5g; more of it ends a process',
  },
  {
    long: 'memory-swap',
    value: 'SIZE',
    group: 'Limits',
    help: 'memory and swap together (default: no swap)',
  },
  { long: 'cpus', value: 'NUMBER', group: 'Limits', help: 'CPU time: 0.5 is half of one CPU' },
  {
    long: 'cpu-shares',
    short: 'c',
    value: 'WEIGHT',
    group: 'Limits',
    help: 'share of CPU time against others, 2 to 262144',
  },
  { long: 'cpuset-cpus', value: 'LIST', group: 'Limits', help: 'the CPUs to run on: 0-2,4' },
  { long: 'pids-limit', value: 'NUMBER', group: 'Limits', help: 'processes and threads at one time' },

  {
    long: 'network',
    value: 'MODE',
    alias: 'net',
    group: 'Isolation',
    help: "none, or host: this machine's (default: none)",
    choices: ['none', 'host'],
  },
  { long: 'cap-add', value: 'NAME', many: true, group: 'Isolation', help: 'add a capability, or ALL' },
  {
    long: 'cap-drop',
    value: 'NAME',
    many: true,
    group: 'Isolation',
    help: 'take a capability away, or ALL',
  },
  {
    long: 'security-opt',
    value: 'OPTION',
    many: true,
    group: 'Isolation',
    help: 'seccomp=unconfined|FILE, no-new-privileges=false, apparmor=NAME, mask=PATH[:PATH], systempaths=unconfined',
  },

  { long: 'diff', group: 'Result', help: 'list what the command wrote, on stderr: A, C or D, and the path' },
  {
    long: 'apply',
    value: 'PATH',
    many: true,
    group: 'Result',
    help: 'copy what it wrote there out, if it exits with 0',
  },
  { long: 'apply-always', group: 'Result', help: '--apply also where it exits otherwise' },
  { long: 'json', group: 'Result', help: 'print one JSON object in place of the output' },
] as const satisfies readonly Flag[];

export type FlagName = (typeof RUN_FLAGS)[number]['long'];
