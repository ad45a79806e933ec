import { posix } from 'node:path';
import { NsboxError } from '../../errors.js';
import type { SandboxLimits, SandboxOptions, SandboxSecurity } from '../../sandbox/options.js';
import { parseCpus, parseSize } from '../../util/units.js';
import { readEnvironment } from './environment.js';
import type { FlagName } from './flags.js';
import { readMount, readTmpfs, readVolume } from './mounts.js';
import type { Scanned } from './scan.js';
import { readSecurity } from './security.js';

/** What `nsbox run` is to do. */
export interface Request {
  readonly command: readonly string[];
  readonly options: SandboxOptions;
  readonly tty: boolean;
  readonly interactive: boolean;
  readonly json: boolean;
  readonly diff: boolean;
  /** Absolute paths; empty: nothing is copied out. */
  readonly apply: readonly string[];
  readonly applyAlways: boolean;
  /** Nothing is said of how an image comes. */
  readonly quiet: boolean;
}

/**
 * Understands what was scanned. Values that the library checks itself are handed on as they are.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`, `ERR_NOT_FOUND`, `ERR_INVALID_CONFIG`
 */
export function requestOf({ values, image, command }: Scanned): Request {
  const flags = new Values(values);
  const request: Request = {
    command,
    options: { ...imageOptions(flags, image), ...sandboxOptions(flags) },
    tty: flags.isSet('tty'),
    interactive: flags.isSet('interactive'),
    json: flags.isSet('json'),
    diff: flags.isSet('diff'),
    apply: flags.all('apply').map((path) => posix.resolve(path)),
    applyAlways: flags.isSet('apply-always'),
    quiet: flags.isSet('quiet'),
  };
  refuseContradictions(request, flags);
  return request;
}

class Values {
  readonly #values: Scanned['values'];

  constructor(values: Scanned['values']) {
    this.#values = values;
  }

  one(name: FlagName): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  all(name: FlagName): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  isSet(name: FlagName): boolean {
    return this.one(name) === 'true';
  }

  /** An object with the one option, or with none. */
  optional<K extends string>(key: K, name: FlagName): { readonly [P in K]?: string } {
    const value = this.one(name);
    return value === undefined ? {} : ({ [key]: value } as { [P in K]?: string });
  }
}

function imageOptions(flags: Values, image: string | undefined): SandboxOptions {
  const entrypoint = flags.one('entrypoint');
  return {
    ...(image !== undefined && { image }),
    ...pullOption(flags.one('pull')),
    ...flags.optional('platform', 'platform'),
    ...(entrypoint !== undefined && { entrypoint: entrypoint === '' ? [] : [entrypoint] }),
  };
}

function pullOption(pull: string | undefined): Pick<SandboxOptions, 'pull'> {
  if (pull === undefined) return {};
  if (pull === 'always' || pull === 'missing' || pull === 'never') return { pull };
  throw invalid(`--pull: expected always, missing or never, got ${JSON.stringify(pull)}`);
}

function sandboxOptions(flags: Values): SandboxOptions {
  const workspace = flags.isSet('no-workspace') ? false : flags.one('workspace');
  return {
    ...flags.optional('id', 'name'),
    ...flags.optional('rootfs', 'rootfs'),
    ...flags.optional('bundle', 'bundle'),
    ...(workspace !== undefined && { workspace }),
    ...flags.optional('hostname', 'hostname'),
    ...flags.optional('cwd', 'workdir'),
    ...flags.optional('user', 'user'),
    ...flags.optional('timeout', 'timeout'),
    ...flags.optional('scratchSize', 'scratch-size'),
    ...(flags.isSet('read-only') && { readOnly: true }),
    ...networkOption(flags.one('network')),
    ...withContent('env', environment(flags)),
    ...withContent('limits', limits(flags)),
    ...withContent('security', security(flags)),
    ...withContent('mounts', [
      ...flags.all('volume').map(readVolume),
      ...flags.all('mount').map(readMount),
      ...flags.all('tmpfs').map(readTmpfs),
    ]),
  };
}

function networkOption(network: string | undefined): Pick<SandboxOptions, 'network'> {
  if (network === undefined) return {};
  if (network === 'none' || network === 'host') return { network };
  throw invalid(`--network: expected none or host, got ${JSON.stringify(network)}`);
}

function environment(flags: Values): Record<string, string> {
  const env = readEnvironment(flags.all('env-file'), flags.all('env'), process.env);
  // What draws on a terminal has to know which one it is.
  if (flags.isSet('tty') && env.TERM === undefined) env.TERM = process.env.TERM ?? 'xterm';
  return env;
}

// Read here, too: a user who may have no limits at all should hear first of what is written wrong.
function limits(flags: Values): SandboxLimits {
  for (const name of ['memory', 'memory-swap'] as const) parseSize(flags.one(name) ?? 0, `--${name}`);
  parseCpus(flags.one('cpus') ?? 1, '--cpus');
  const cpuShares = flags.one('cpu-shares');
  const pids = flags.one('pids-limit');
  return {
    ...flags.optional('memory', 'memory'),
    ...flags.optional('memorySwap', 'memory-swap'),
    ...flags.optional('cpus', 'cpus'),
    ...flags.optional('cpuset', 'cpuset-cpus'),
    ...(cpuShares !== undefined && { cpuShares: wholeNumber(cpuShares, '--cpu-shares') }),
    ...(pids !== undefined && { pids: wholeNumber(pids, '--pids-limit') }),
  };
}

function wholeNumber(value: string, flag: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw invalid(`${flag}: expected a whole number, got ${JSON.stringify(value)}`);
}

// Where nothing is asked for, the reader of the options is not even loaded.
function security(flags: Values): SandboxSecurity {
  const lists = [flags.all('security-opt'), flags.all('cap-add'), flags.all('cap-drop')] as const;
  return lists.every((list) => list.length === 0) ? {} : readSecurity(...lists);
}

// An empty list or object would count as given, where a bundle wants to say it itself.
function withContent<K extends string, T extends object>(key: K, value: T): { readonly [P in K]?: T } {
  return Object.keys(value).length === 0 ? {} : ({ [key]: value } as { [P in K]?: T });
}

function refuseContradictions(request: Request, flags: Values): void {
  const { image } = request.options;
  const hasImage = image !== undefined && image !== 'host';
  if (request.command.length === 0 && !hasImage) throw invalid('no command is given', USAGE);
  if (hasImage && request.apply.length > 0)
    throw invalid(
      "--apply is for this machine's own files: an image never changes",
      'show a directory to write to: -v ./out:/out',
    );
  if (request.command[0] === '') throw invalid('the command is an empty word');
  if (request.tty && request.json)
    throw invalid('--tty and --json contradict each other: a terminal shows the output itself');
  if (request.applyAlways && request.apply.length === 0)
    throw invalid('--apply-always wants --apply PATH beside it');
  if (flags.isSet('no-workspace') && flags.one('workspace') !== undefined)
    throw invalid('--workspace and --no-workspace contradict each other');
}

const USAGE =
  "write it as nsbox run [OPTIONS] IMAGE [COMMAND...], or nsbox run [OPTIONS] -- COMMAND for this machine's own files";

function invalid(message: string, hint = 'see nsbox run --help'): NsboxError {
  return new NsboxError('ERR_INVALID_ARGUMENT', message, { hint });
}
