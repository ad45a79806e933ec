import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { NsboxError } from '../../errors.js';
import { addon } from '../../native/load.js';
import { type RuntimeFeatures, validateFeatures } from '../../spec/runtime/features.js';
import { signalNumber } from '../../spec/runtime/linux-names.js';
import type { ProcessConfig } from '../../spec/runtime/process.js';
import { type LinuxResources, validateResources } from '../../spec/runtime/resources.js';
import { parseDuration } from '../../util/units.js';
import type { ContainerStats } from '../stats.js';
import { createContainer, removeHalfMade } from './create.js';
import { type ContainerEvent, eventsOf, statsNow, untilEnded } from './events.js';
import { runCall } from './executable.js';
import { aborted, fromRuntime } from './failure.js';
import {
  type ContainerCreateOptions,
  type ContainerExecOptions,
  type ContainerRunOptions,
  checkCommand,
  execWords,
  isList,
  makeFlags,
  readSource,
} from './options.js';
import { type Place, placeOf, type StateOptions, stateRoot } from './place.js';
import { ContainerProcess } from './process.js';
import { type ContainerState, parseContainerState } from './state.js';
import type { Streams } from './streams.js';

/** What may take long, and may be given up. */
export interface AbortOptions {
  readonly signal?: AbortSignal;
}

/**
 * An OCI container, as `nsbox-runtime` and other runtimes know it: made from a bundle or a configuration, named by an id,
 * kept in a directory of state, and there until it is deleted. It outlives this process, and `nsbox-runtime` sees what
 * this class makes, as this class sees what that made.
 *
 * {@link Sandbox} is what runs a command in isolation with nothing to prepare; this is the runtime below an engine.
 *
 * @example
 * await using container = await Container.create('web', { bundle: '/srv/web' });
 * await container.start();
 * const { stdout } = await container.exec(['cat', '/etc/os-release']);
 */
export class Container implements AsyncDisposable {
  /** Of letters, digits and `_ + - .` */
  readonly id: string;
  /** The directory that its state lies in. */
  readonly root: string;
  readonly #streams: Streams | undefined;

  private constructor({ root, id }: Place, streams?: Streams) {
    this.root = root;
    this.id = id;
    this.#streams = streams;
  }

  /**
   * Makes a container up to where its program is about to start; {@link start} lets it begin. Its stdin, stdout and stderr
   * are nothing unless told, so that it can outlive this process; a pipe that nobody listens to is read and dropped.
   *
   * @throws {@link NsboxError} `ERR_ALREADY_EXISTS`, `ERR_INVALID_ARGUMENT`, `ERR_INVALID_CONFIG`, `ERR_NOT_FOUND`,
   * `ERR_PERMISSION`, `ERR_START_FAILED`, `ERR_ABORTED`; then nothing of it is left
   */
  static async create(id: string, options: ContainerCreateOptions = {}): Promise<Container> {
    const place = placeOf(id, options);
    return new Container(place, await createContainer(place, options));
  }

  /**
   * Makes a container, runs its program to the end, and deletes it. Aborted or disposed of, it is killed and deleted.
   *
   * @throws {@link NsboxError} as {@link create}; what fails later rejects the process
   */
  static run(id: string, options: ContainerRunOptions = {}): ContainerProcess {
    const place = placeOf(id, options);
    const source = readSource(options);
    const isNew = !existsSync(join(place.root, id));
    return new ContainerProcess({
      what: 'run',
      tty: source.tty,
      options,
      call: async (scratch, sockets) => ({
        root: place.root,
        cgroupManager: options.cgroupManager,
        args: ['run', ...(await makeFlags(options, source, scratch)), ...sockets, id],
      }),
      ...(isNew && { clear: (creator) => removeHalfMade(place, creator) }),
    });
  }

  /**
   * A container that is there already, whoever made it.
   *
   * @throws {@link NsboxError} `ERR_NOT_FOUND`
   */
  static async get(id: string, options: StateOptions = {}): Promise<Container> {
    const container = new Container(placeOf(id, options));
    await container.state();
    return container;
  }

  /** The states of all containers below a root. One whose state is damaged or half made is left out. */
  static async list(options: StateOptions = {}): Promise<readonly ContainerState[]> {
    const root = stateRoot(options);
    const ids = await native(addon().ociIds(root));
    const states = await Promise.allSettled(ids.map((id) => addon().ociState(root, id)));
    return states.flatMap((one) => (one.status === 'fulfilled' ? [parseContainerState(one.value)] : []));
  }

  /** What this runtime understands: `nsbox-runtime features`. */
  static async features(options: AbortOptions = {}): Promise<RuntimeFeatures> {
    const text = await runCall({ root: '/', args: ['features'] }, options);
    const parsed: unknown = JSON.parse(text);
    return validateFeatures(parsed);
  }

  /** What its program reads, where it was created with `stdin: 'pipe'` or a terminal. */
  get stdin(): Writable {
    return this.#needStreams('stdin').stdin;
  }

  /** What its program writes, where it was created with `stdout: 'pipe'` or a terminal. Ask for it before {@link start}. */
  get stdout(): Readable {
    return this.#needStreams('stdout').stdout;
  }

  get stderr(): Readable {
    return this.#needStreams('stderr').stderr;
  }

  #needStreams(name: string): Streams {
    if (this.#streams) return this.#streams;
    throw new NsboxError('ERR_INVALID_ARGUMENT', `${name}: who creates a container has its streams`);
  }

  /** Tells the container's terminal its new size. Without a terminal it does nothing. */
  resize(columns: number, rows: number): void {
    this.#streams?.resize(columns, rows);
  }

  /**
   * What it is doing.
   *
   * @throws {@link NsboxError} `ERR_NOT_FOUND`
   */
  async state(): Promise<ContainerState> {
    return parseContainerState(await native(addon().ociState(this.root, this.id)));
  }

  /**
   * Lets a created container's program begin; settles when it runs. Aborted meanwhile, the container is killed.
   *
   * @throws {@link NsboxError} `ERR_INVALID_STATE`, `ERR_NOT_FOUND`, `ERR_PROGRAM_NOT_FOUND`, `ERR_PROGRAM_NOT_EXECUTABLE`,
   * `ERR_START_FAILED`, `ERR_ABORTED`
   */
  async start({ signal }: AbortOptions = {}): Promise<void> {
    if (signal?.aborted) throw aborted('start', signal);
    const onAbort = (): void => void this.kill('SIGKILL').catch(() => {});
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const isDone = await native(addon().ociStart(this.root, this.id));
      // Hooks are processes, which this one, being threaded, does not make by itself.
      if (!isDone) await runCall({ root: this.root, args: ['start', this.id] });
    } catch (error) {
      throw signal?.aborted ? aborted('start', signal) : error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Sends a signal to the first process, or with `all` to each.
   *
   * @throws {@link NsboxError} `ERR_INVALID_STATE` when it does not run, `ERR_NOT_FOUND`, `ERR_INVALID_ARGUMENT`
   */
  async kill(
    signal: NodeJS.Signals | number = 'SIGTERM',
    { all = false }: { readonly all?: boolean } = {},
  ): Promise<void> {
    await native(addon().ociKill(this.root, this.id, signalNumber(signal), all));
  }

  /**
   * Stops every process of it where it stands.
   *
   * @throws {@link NsboxError} `ERR_INVALID_STATE`, `ERR_LIMIT_UNAVAILABLE` where it has no group, `ERR_NOT_FOUND`
   */
  async pause(): Promise<void> {
    await native(addon().ociPause(this.root, this.id));
  }

  /** Lets a paused container go on. Throws as {@link pause} does. */
  async resume(): Promise<void> {
    await native(addon().ociResume(this.root, this.id));
  }

  /**
   * Changes limits; what is not named stays as it is.
   *
   * @throws {@link NsboxError} `ERR_INVALID_CONFIG`, `ERR_INVALID_STATE`, `ERR_LIMIT_UNAVAILABLE`, `ERR_NOT_FOUND`
   */
  async update(resources: LinuxResources): Promise<void> {
    const text = JSON.stringify(validateResources(resources));
    await native(addon().ociUpdate(this.root, this.id, text, ...buses()));
  }

  /**
   * Starts a further process, whose environment, user and rights are those of the container's own unless told; or exactly
   * this process, as a configuration has it.
   *
   * @example const { exitCode, stdout } = await container.exec(['ls', '-l'], { cwd: '/etc' });
   * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`, `ERR_INVALID_CONFIG`; what fails later rejects the process:
   * `ERR_INVALID_STATE`, `ERR_NOT_FOUND`, `ERR_PROGRAM_NOT_FOUND`, `ERR_PROGRAM_NOT_EXECUTABLE`, `ERR_MAX_BUFFER`, `ERR_ABORTED`
   */
  exec(command: readonly string[] | ProcessConfig, options: ContainerExecOptions = {}): ContainerProcess {
    const checked = checkCommand(command);
    const { tty } = options;
    return new ContainerProcess({
      what: 'exec',
      tty: isList(checked) ? tty !== undefined && tty !== false : (checked.terminal ?? false),
      size: typeof tty === 'object' ? tty : undefined,
      options,
      call: async (scratch, sockets) => ({
        root: this.root,
        args: ['exec', ...sockets, ...(await execWords(this.id, checked, options, scratch))],
      }),
    });
  }

  /** The pids of its processes, as this machine counts them. */
  async ps(): Promise<readonly number[]> {
    return await native(addon().ociProcesses(this.root, this.id));
  }

  /** What it uses now. */
  async stats(): Promise<ContainerStats> {
    return await statsNow(this);
  }

  /**
   * What happens to it from now on, until it ends: processes killed for want of memory where it has a group that counts it,
   * and what it uses, every `interval` (`'5s'`, or milliseconds; default: never).
   *
   * @throws {@link NsboxError} `ERR_NOT_FOUND`, `ERR_ABORTED`
   */
  events({
    interval,
    signal,
  }: AbortOptions & { readonly interval?: string | number } = {}): AsyncIterable<ContainerEvent> {
    return eventsOf(this, interval === undefined ? undefined : parseDuration(interval, 'interval'), signal);
  }

  /**
   * Settles when its first process has ended. With what exit code is known to that process's parent alone, which this one
   * is not: {@link run} tells it.
   *
   * @throws {@link NsboxError} `ERR_NOT_FOUND`, `ERR_ABORTED`
   */
  async wait({ signal }: AbortOptions = {}): Promise<void> {
    await untilEnded(this, signal, 'wait');
  }

  /**
   * Removes what is left of it. A running one is ended first only with `force`, which also finds nothing wrong with one
   * that is not there, and removes one that is half made.
   *
   * @throws {@link NsboxError} `ERR_INVALID_STATE`, `ERR_NOT_FOUND`, `ERR_IN_USE`
   */
  async delete({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    try {
      const isDone = await native(addon().ociDelete(this.root, this.id, force, ...buses()));
      const flags = force ? ['--force'] : [];
      if (!isDone) await runCall({ root: this.root, args: ['delete', ...flags, this.id] });
    } catch (error) {
      if (!force || !(error instanceof NsboxError) || error.code !== 'ERR_NOT_FOUND') throw error;
    }
    this.#streams?.close();
  }

  /** Ends it and deletes it, whatever it is doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.delete({ force: true });
    this.#streams?.abandon();
  }
}

async function native<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw fromRuntime(error);
  }
}

/** Where the user's systemd is. */
function buses(): readonly [string, string] {
  return [process.env.DBUS_SESSION_BUS_ADDRESS ?? '', process.env.XDG_RUNTIME_DIR ?? ''];
}
