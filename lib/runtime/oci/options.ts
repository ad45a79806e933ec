import { dirname, isAbsolute, resolve } from 'node:path';
import { NsboxError } from '../../errors.js';
import { type RuntimeConfig, stringifyConfig, validateConfig } from '../../spec/runtime/config.js';
import type { ProcessConfig } from '../../spec/runtime/process.js';
import { validateProcess } from '../../spec/runtime/process.js';
import { lazyFiles } from '../../util/builtin.js';
import { readConfigFile } from '../bundle.js';
import type { Scratch } from './executable.js';
import type { CgroupManager, StateOptions } from './place.js';
import type { ContainerProcessOptions } from './process.js';
import type { StdioOptions } from './streams.js';

/** What a container is made from: a bundle, or a configuration, or both. */
export interface ContainerSource {
  /** A directory with a root, and with `config.json` unless there is `config`. Default: the one that holds the root. */
  readonly bundle?: string;
  /** In place of the bundle's `config.json`. Without a bundle, `root.path` is absolute. */
  readonly config?: RuntimeConfig;
}

interface MakeOptions extends StateOptions, ContainerSource {
  /** Default: `'cgroupfs'`. */
  readonly cgroupManager?: CgroupManager;
  /** Keep this process's session keyring, as does `--no-new-keyring`. Default: false. */
  readonly keepKeyring?: boolean;
}

export interface ContainerCreateOptions extends MakeOptions, StdioOptions {
  /** Aborted, the container is not made, and nothing of it is left. */
  readonly signal?: AbortSignal;
}

export interface ContainerRunOptions extends MakeOptions, ContainerProcessOptions {}

export interface ContainerExecOptions extends ContainerProcessOptions {
  /** Default: the container's own, as all here. Absolute. */
  readonly cwd?: string;
  /** Beside the container's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** `uid` or `uid:gid`, by numbers. */
  readonly user?: number | string;
  /** Capabilities beside the container's own. */
  readonly capAdd?: readonly string[];
  /** A terminal of its own; all output is stdout. */
  readonly tty?: boolean | { readonly columns: number; readonly rows: number };
  /** Also in a paused container, where it begins when that goes on. */
  readonly ignorePaused?: boolean;
}

/** A source that has been looked at. */
export interface Source {
  readonly bundle: string;
  /** What goes into a file of its own. */
  readonly text: string | undefined;
  readonly tty: boolean;
}

/** @throws {@link NsboxError} `ERR_INVALID_CONFIG`, `ERR_INVALID_ARGUMENT`, `ERR_NOT_FOUND` */
export function readSource({ bundle, config }: ContainerSource): Source {
  if (config === undefined) {
    const folder = resolve(bundle ?? '.');
    return { bundle: folder, text: undefined, tty: readConfigFile(folder).process?.terminal ?? false };
  }
  const checked = validateConfig(config, 'config');
  if (bundle === undefined && !isAbsolute(checked.root.path))
    throw new NsboxError(
      'ERR_INVALID_ARGUMENT',
      `config.root.path: ${checked.root.path} is relative, and there is no bundle`,
      { hint: 'name the bundle, or give an absolute path' },
    );
  return {
    bundle: bundle === undefined ? dirname(checked.root.path) : resolve(bundle),
    text: stringifyConfig(checked),
    tty: checked.process?.terminal ?? false,
  };
}

/** The flags of `create` and `run`. */
export async function makeFlags(options: MakeOptions, source: Source, scratch: Scratch): Promise<string[]> {
  const flags = ['--bundle', source.bundle];
  if (options.keepKeyring) flags.push('--no-new-keyring');
  if (source.text !== undefined) {
    await lazyFiles().writeFile(scratch.file('config.json'), source.text, { mode: 0o600 });
    flags.push('--config', scratch.file('config.json'));
  }
  return flags;
}

/** The words of `exec` behind its sockets, up to the command itself. */
export async function execWords(
  id: string,
  command: readonly string[] | ProcessConfig,
  options: ContainerExecOptions,
  scratch: Scratch,
): Promise<string[]> {
  const words = options.ignorePaused ? ['--ignore-paused'] : [];
  if (!isList(command)) {
    await lazyFiles().writeFile(scratch.file('process.json'), JSON.stringify(command), { mode: 0o600 });
    return [...words, '--process', scratch.file('process.json'), id];
  }
  if (options.tty) words.push('--tty');
  if (options.cwd !== undefined) words.push('--cwd', options.cwd);
  if (options.user !== undefined) words.push('--user', String(options.user));
  for (const name of options.capAdd ?? []) words.push('--cap', name);
  for (const [name, value] of Object.entries(options.env ?? {})) words.push('--env', `${name}=${value}`);
  return [...words, id, ...command];
}

/** A process that is checked, in whichever form. */
export function checkCommand(command: readonly string[] | ProcessConfig): readonly string[] | ProcessConfig {
  if (!isList(command)) return validateProcess(command);
  if (command.length > 0 && command.every((word) => typeof word === 'string' && !word.includes('\0')))
    return command;
  throw new NsboxError('ERR_INVALID_ARGUMENT', 'exec: expected a list of strings, the program first');
}

export function isList(command: readonly string[] | ProcessConfig): command is readonly string[] {
  return Array.isArray(command);
}
