import { NsboxError } from '../errors.js';
import { type CgroupParent, Controller } from '../native/contract.js';
import { fromNative } from '../native/errors.js';
import { addon } from '../native/load.js';
import { Box } from '../runtime/box.js';
import type { Plan, SnapshotLayer } from '../runtime/plan.js';
import { statsOf } from '../runtime/stats.js';
import type { LinuxResources, ProcessConfig, ProcessUser } from '../spec/runtime/config.js';
import { type Blueprint, blueprint, mergeEnvironment } from './blueprint.js';
import { type Change, type ChangeSelection, Changes } from './changes.js';
import { type Argument, checkCommand, parseTemplate } from './command.js';
import {
  EXEC_OPTIONS,
  type ExecOptions,
  type NormalExecOptions,
  normalExecOptions,
  normalise,
} from './exec-options.js';
import { SandboxFiles } from './files.js';
import { writeIdMaps } from './id-maps.js';
import { findImage, type ImageRoot, imageCommand, type SandboxImage, wantsImage } from './image.js';
import { controllerMask, requireControllers, resourcesOf } from './limits.js';
import {
  checkSandboxOptions,
  invalid,
  type RunOptions,
  type SandboxLimits,
  type SandboxOptions,
} from './options.js';
import { Process } from './process.js';
import type { Result } from './result.js';
import { randomText, scope } from './scope.js';
import { Snapshot } from './snapshot.js';
import type { SandboxStats } from './stats.js';
import { openStdio, stdioBits } from './stdio.js';

/** Starts commands in one sandbox; see {@link Sandbox.exec}. */
export interface Exec {
  /** An argument list. Never a shell. (A template is a list too, but for its `raw`: it must not be taken for one.) */
  (command: readonly string[] & { readonly raw?: never }, options?: ExecOptions): Process;
  /** A template whose values become single arguments. */
  (template: TemplateStringsArray, ...values: readonly Argument[]): Process;
  /** The same with options: `` box.exec({ cwd: '/tmp' })`ls -l ${name}` ``. */
  (options: ExecOptions): (template: TemplateStringsArray, ...values: readonly Argument[]) => Process;
}

const NO_SHELL = "write ['ls', '-l'], or ['sh', '-c', script] for a shell";
const names = new Set<string>();
const SIGSTOP = 19;
const SIGCONT = 18;

/**
 * A fresh, isolated, copy-on-write machine for commands: of the host's own files, of a directory, or of an OCI bundle.
 * It belongs to this process and is gone with it, whatever ends it.
 *
 * @example
 * await using box = await Sandbox.create({ limits: { memory: '256m', pids: 64 } });
 * const { stdout } = await box.exec`node -p ${'1+1'}`;
 */
export class Sandbox implements AsyncDisposable {
  readonly id: string;
  /** The image that it was made from; undefined where it was made from something else. */
  readonly image: SandboxImage | undefined;
  /** Files of the sandbox, by its own paths. */
  readonly fs: SandboxFiles;
  /** Starts a command: `` box.exec`ls ${folder}` ``, or `box.exec(['ls', folder], options)`. */
  readonly exec: Exec;

  readonly #container: Box;
  readonly #blueprint: Blueprint;
  readonly #options: SandboxOptions;
  readonly #groups: CgroupParent | undefined;
  readonly #layers: readonly SnapshotLayer[];
  readonly #root: ImageRoot | undefined;
  readonly #ended: Promise<void>;
  readonly #onAbort = (): void => this.kill();
  readonly #groupWork: Set<Promise<unknown>>;
  #freezing: Promise<void> | undefined;
  #paused = false;
  #resources: LinuxResources | undefined;

  private constructor(made: MadeSandbox) {
    this.id = made.id;
    this.image = made.image?.image;
    this.#container = made.container;
    this.#blueprint = made.blueprint;
    this.#options = made.options;
    this.#groups = made.groups;
    this.#layers = made.layers;
    this.#root = made.image;
    this.#ended = made.ended;
    this.#resources = made.resources;
    this.#groupWork = made.groupWork;
    this.fs = new SandboxFiles(made.container);
    this.exec = this.#makeExec();
    const { signal } = made.options;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    void this.#ended.then(() => signal?.removeEventListener('abort', this.#onAbort));
  }

  /**
   * Makes a sandbox that stays until it is disposed of, for any number of commands.
   *
   * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`, `ERR_NOT_FOUND` (a root or source is absent),
   * `ERR_LIMIT_UNAVAILABLE`, `ERR_PERMISSION`, `ERR_ABORTED`, `ERR_START_FAILED`, `EUNSUPPORTED`
   */
  static async create(options: SandboxOptions = {}): Promise<Sandbox> {
    return await Sandbox.createOn(undefined, options);
  }

  /** @internal On an image that has been found already, and is handed over. */
  static async createOn(image: ImageRoot | undefined, options: SandboxOptions): Promise<Sandbox> {
    checkSandboxOptions(options);
    refuseAborted(options.signal);
    return await Sandbox.#start(options, image ?? (await imageOf(options)));
  }

  /** @internal A sandbox on top of a snapshot's layers, and of the image that they lie on. */
  static async fromSnapshot(
    options: SandboxOptions,
    layers: readonly SnapshotLayer[],
    image: ImageRoot | undefined,
  ): Promise<Sandbox> {
    checkSandboxOptions(options);
    return await Sandbox.#start(options, image?.share(), layers);
  }

  static async #start(
    options: SandboxOptions,
    image: ImageRoot | undefined,
    layers?: readonly SnapshotLayer[],
  ): Promise<Sandbox> {
    const made = make(options, { hold: true, image, layers });
    const sandbox = new Sandbox(made);
    try {
      await made.mapped;
      await made.container.ready;
      refuseAborted(options.signal);
      return sandbox;
    } catch (error) {
      await sandbox[Symbol.asyncDispose]();
      refuseAborted(options.signal);
      throw error;
    }
  }

  /**
   * Runs one command in a sandbox of its own, which ends with it.
   *
   * @example
   * const { stdout } = await Sandbox.run(['node', '-p', '1+1'], { limits: { memory: '128m' } });
   * @throws {@link NsboxError} as {@link Sandbox.create}: at once what is found before anything is started, through the
   * promise what the start itself meets; and `CommandError` through the promise when the command fails
   */
  static run(command: readonly string[], options: RunOptions = {}): Process {
    return Sandbox.runOn(undefined, command, options);
  }

  /** @internal As {@link Sandbox.createOn}. */
  static runOn(image: ImageRoot | undefined, command: readonly string[], options: RunOptions): Process {
    const hasImage = wantsImage(options);
    const args = hasImage && command.length === 0 ? [] : checkCommand(command);
    checkSandboxOptions(options, EXEC_OPTIONS);
    const exec = normalise(options);
    refuseAborted(options.signal);
    const root = hasImage ? (image ?? findImage(options)) : undefined;
    const stdio = openStdio(exec);
    const process = new Process(args, exec, stdio);
    const first: FirstProcess = { exec, process, stdio: stdio.theirs, handedOver: false };
    if (hasImage && root === undefined) {
      void Sandbox.#runLater(first, options);
      return process;
    }
    try {
      Sandbox.#begin(first, options, root);
    } catch (error) {
      process.abandon(first.handedOver ? [] : stdio.theirs);
      throw error;
    }
    return process;
  }

  // The image has to be pulled or unpacked first.
  static async #runLater(first: FirstProcess, options: RunOptions): Promise<void> {
    const { process } = first;
    const stop = new AbortController();
    process.wait(() => stop.abort());
    try {
      const image = await obtain(options, stop.signal);
      Sandbox.#begin(first, options, image);
    } catch (error) {
      process.fail(error, first.handedOver ? [] : first.stdio);
    }
  }

  static #begin(first: FirstProcess, options: RunOptions, image: ImageRoot | undefined): void {
    const { process } = first;
    if (image) process.command = commandOf(image, process.command, options);
    const made = make(options, { hold: false, image, first });
    const { container } = made;
    process.attach(container, {
      oomKills: () => made.oomKills,
      kill: () => container.end(),
      ended: made.ended,
    });
    made.mapped.catch(() => container.kill());
  }

  /** Init's pid on this machine. */
  get pid(): number {
    return this.#container.pid;
  }

  #makeExec(): Exec {
    const start = (command: string[], options: NormalExecOptions): Process => this.#exec(command, options);
    const limit = this.#options.timeout;
    function exec(
      first: string | readonly string[] | TemplateStringsArray | ExecOptions,
      ...rest: readonly unknown[]
    ): unknown {
      if (typeof first === 'string')
        throw invalid('command: expected a list of arguments, got a text', NO_SHELL);
      if (isTemplate(first))
        return start(parseTemplate(first, rest as readonly Argument[]), normalise({}, limit));
      if (isList(first))
        return start(checkCommand(first), normalExecOptions((rest[0] ?? {}) as ExecOptions, limit));
      const options = normalExecOptions(first, limit);
      return (template: TemplateStringsArray, ...values: readonly Argument[]) =>
        start(parseTemplate(template, values), options);
    }
    return exec as Exec;
  }

  #exec(command: string[], options: NormalExecOptions): Process {
    this.#refuseGone();
    if (this.#paused)
      throw new NsboxError('ERR_IN_USE', `the sandbox ${this.id} is paused`, { hint: 'call resume() first' });
    refuseAborted(options.signal);
    const stdio = openStdio(options);
    const process = new Process(command, options, stdio);
    const before = this.#groups?.oomKills(this.id) ?? -1;
    try {
      process.id = this.#container.exec(
        processConfig(this.#blueprint, command, options),
        stdio.theirs,
        process.listener,
      );
    } catch (error) {
      process.abandon([]);
      throw error;
    }
    process.attach(this.#container, {
      oomKills: () => Math.max(0, (this.#groups?.oomKills(this.id) ?? -1) - before),
      kill: () => process.kill('SIGKILL'),
      ended: undefined,
    });
    return process;
  }

  /** What the sandbox has written: against its root, in the order of the paths' folders. */
  changes(): AsyncIterable<Change> {
    return this.#changes().list();
  }

  /**
   * Copies changes out to the host: to the directories that the sandbox shows copy-on-write. Set-user-ID bits, file
   * capabilities, devices and sockets stay behind. Answers how many entries it changed.
   *
   * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT` for a path that is not absolute or not copy-on-write
   */
  async apply(selection: ChangeSelection): Promise<number> {
    return await this.#changes().apply(selection);
  }

  #changes(): Changes {
    this.#refuseGone();
    return new Changes(this.#container, this.#blueprint.config, this.#layers, {
      isImage: this.#root !== undefined,
    });
  }

  /** A frozen copy of all that the sandbox has written so far, to start others from. The sandbox goes on. */
  async snapshot(): Promise<Snapshot> {
    this.#refuseGone();
    const wasPaused = this.#paused;
    if (!wasPaused) await this.pause();
    try {
      const below = { layers: this.#layers, image: this.#root, options: this.#options };
      return await Snapshot.take(this.#container, below, (options, layers, image) =>
        Sandbox.fromSnapshot(options, layers, image),
      );
    } finally {
      // One that has ended meanwhile needs none, and what was copied of it is whole.
      if (!wasPaused) await this.resume().catch((error: unknown) => this.#refuseUnlessGone(error));
    }
  }

  /**
   * Changes the limits of the running sandbox; those not named stay.
   *
   * @throws {@link NsboxError} `ERR_LIMIT_UNAVAILABLE`, `ERR_INVALID_ARGUMENT`
   */
  async update(limits: SandboxLimits): Promise<void> {
    this.#refuseGone();
    checkSandboxOptions({ limits });
    const groups = this.#needGroups('update');
    requireControllers(groups, limits);
    const resources = resourcesOf(limits, countsSwap(groups));
    if (!resources) return;
    await this.#inGroups('update the limits', groups.update(this.id, JSON.stringify(resources)));
    this.#resources = { ...this.#resources, ...resources };
  }

  /** Stops all processes where they are. Without a cgroup they are stopped by signals, which they can see. */
  async pause(): Promise<void> {
    this.#refuseGone();
    if (this.#paused) return;
    // Init stands still with the rest: what it must be asked for, it is asked now.
    await this.#container.withFiles(async () => {});
    if (this.#groups) {
      this.#freezing = this.#inGroups('pause', this.#groups.freeze(this.id));
      await this.#freezing;
    } else {
      this.#container.signalAll(SIGSTOP);
    }
    this.#paused = true;
  }

  async resume(): Promise<void> {
    this.#refuseGone();
    if (!this.#paused) return;
    if (this.#groups) await this.#inGroups('resume', this.#groups.thaw(this.id));
    else this.#container.signalAll(SIGCONT);
    this.#paused = false;
  }

  /**
   * What the sandbox uses now.
   *
   * @throws {@link NsboxError} `ERR_LIMIT_UNAVAILABLE` where it has no cgroup
   */
  async stats(): Promise<SandboxStats> {
    this.#refuseGone();
    return statsOf(await this.#inGroups('read the stats', this.#needGroups('stats').stats(this.id)));
  }

  /**
   * Calls the listener with the count of processes that the kernel has killed for want of memory, at each kill. Answers
   * a function that ends it.
   *
   * @throws {@link NsboxError} `ERR_LIMIT_UNAVAILABLE` where the sandbox has no memory controller
   */
  onOom(listener: (kills: number) => void): () => void {
    this.#refuseGone();
    const groups = this.#needGroups('onOom');
    let told = Math.max(0, groups.oomKills(this.id));
    // cgroup v1 tells of the lack of memory, and counts the kill a moment later.
    const tell = (kills: number, looksLeft = 50): void => {
      if (kills > told) {
        told = kills;
        listener(kills);
      } else if (looksLeft > 0 && !this.#container.isClosed) {
        setTimeout(() => tell(groups.oomKills(this.id), looksLeft - 1), 2).unref();
      }
    };
    try {
      const watcher = new (addon().OomWatcher)(groups, this.id, (kills) => tell(kills));
      void this.#ended.then(() => watcher.close());
      return () => watcher.close();
    } catch (error) {
      throw fromNative(error, 'onOom');
    }
  }

  /** Resolves when the sandbox has ended and nothing of it is left. */
  async wait(): Promise<void> {
    this.#container.keepAlive();
    await this.#ended;
  }

  /** Ends the sandbox with all its processes; {@link wait} tells when they are gone. */
  kill(): void {
    this.#container.kill();
    // A frozen process of cgroup v1 dies only when it is thawed.
    const thaw = (): void => {
      if (this.#groups && !this.#container.isClosed)
        this.#inGroups('thaw', this.#groups.thaw(this.id)).catch(() => {});
    };
    if (this.#paused) thaw();
    else this.#freezing?.then(thaw, () => {});
  }

  /** Ends the sandbox and waits until nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#ended;
  }

  // The groups are removed when this is done and not while: it would make them anew.
  async #inGroups<T>(doing: string, work: Promise<T>): Promise<T> {
    this.#groupWork.add(work);
    try {
      return await work;
    } catch (error) {
      throw fromNative(error, doing);
    } finally {
      this.#groupWork.delete(work);
    }
  }

  #needGroups(what: string): CgroupParent {
    if (this.#groups) return this.#groups;
    throw new NsboxError('ERR_LIMIT_UNAVAILABLE', `${what}: the sandbox ${this.id} has no cgroup`, {
      hint: 'as an ordinary user, start with a delegated group: systemd-run --user --scope -p Delegate=yes COMMAND',
    });
  }

  #refuseUnlessGone(error: unknown): void {
    if (!this.#container.isClosed) throw error;
  }

  #refuseGone(): void {
    if (this.#container.isClosed) throw new NsboxError('ERR_DISPOSED', `the sandbox ${this.id} has ended`);
  }
}

interface FirstProcess {
  readonly exec: NormalExecOptions;
  readonly process: Process;
  readonly stdio: readonly number[];
  /** Whether the descriptors are closed by whoever has them now. */
  handedOver: boolean;
}

interface MadeSandbox {
  readonly id: string;
  readonly options: SandboxOptions;
  readonly blueprint: Blueprint;
  readonly container: Box;
  readonly groups: CgroupParent | undefined;
  readonly layers: readonly SnapshotLayer[];
  readonly image: ImageRoot | undefined;
  readonly resources: LinuxResources | undefined;
  /** What is being done with its groups now. */
  readonly groupWork: Set<Promise<unknown>>;
  /** Settles when the id maps are written from outside, where they are. */
  readonly mapped: Promise<void>;
  /** Settles when the container and its groups are gone. */
  readonly ended: Promise<void>;
  /** Processes killed for want of memory in its whole life, known at its end. */
  readonly oomKills: number;
}

// For stats and pause alone: no controller here may refuse a process (as v1's cpu does one with a real-time priority).
const HELD_GROUPS = Controller.memory | Controller.pids | Controller.cpuacct | Controller.unified;

interface Making {
  readonly hold: boolean;
  /** Released when the sandbox is gone. */
  readonly image: ImageRoot | undefined;
  /** Frozen ones; default: the image's. */
  readonly layers?: readonly SnapshotLayer[] | undefined;
  readonly first?: FirstProcess;
}

function make(options: SandboxOptions, how: Making): MadeSandbox {
  try {
    return makeBox(options, how);
  } catch (error) {
    how.image?.release();
    throw error;
  }
}

function makeBox(options: SandboxOptions, how: Making): MadeSandbox {
  const id = takeName(options.id);
  let scratch: string | undefined;
  try {
    const design = blueprint(options, id, how.image);
    const layers = how.layers ?? layersOf(how.image);
    scratch = scratchFor(design);
    // A limit that makes no sense is wrong whether or not it could be set.
    resourcesOf(options.limits, false);
    const groups = groupsFor(options.limits, how.hold);
    const resources = resourcesOf(options.limits, groups !== undefined && countsSwap(groups));
    const join = how.hold ? HELD_GROUPS : 0;
    const used = join | controllerMask(options.limits);
    const entries = (groups?.entries() ?? []).filter(({ controllers }) => (controllers & used) !== 0);
    const process = how.first
      ? processConfig(design, how.first.process.command, how.first.exec)
      : design.process;
    const plan: Plan = {
      config: {
        ...design.config,
        process,
        linux: { ...design.config.linux, ...(resources && { resources }), seccomp: undefined as never },
      },
      root: design.root,
      idMaps: design.idMaps.how,
      hold: how.hold,
      start: how.first !== undefined,
      clampCapabilities: design.clampCapabilities,
      ...(design.scratchSize !== undefined && { scratchSize: design.scratchSize }),
      ...(scratch !== undefined && { scratchPath: scratch }),
      ...(layers.length > 0 && { snapshots: layers }),
      ...(design.makesCwd && { makeCwd: true }),
      ...(groups && {
        cgroup: {
          name: id,
          join: available(entries, join),
          parents: entries.map(({ controllers, version }) => ({ controllers, version })),
        },
      }),
    };
    if (how.first) how.first.handedOver = true;
    const container = new Box({
      plan,
      filter: design.filter,
      groups: entries.map(({ fd }) => fd),
      stdio: how.first?.stdio ?? [],
      ...(how.first && { first: how.first.process.listener }),
    });
    let oomKills = 0;
    const groupWork = new Set<Promise<unknown>>();
    const ended = container.closed.then(async () => {
      names.delete(id);
      how.image?.release();
      await removeScratch(scratch);
      if (!groups) return;
      if (groupWork.size > 0) await Promise.allSettled(groupWork);
      oomKills = Math.max(0, groups.oomKills(id));
      if (!groups.removeNow(id)) await groups.remove(id).catch(() => {});
    });
    return {
      id,
      options,
      blueprint: design,
      container,
      groups,
      layers,
      image: how.image,
      resources,
      groupWork,
      mapped: mapIds(design, container),
      ended,
      get oomKills() {
        return oomKills;
      },
    };
  } catch (error) {
    names.delete(id);
    void removeScratch(scratch);
    throw error;
  }
}

// The lowest one is the root's own path.
function layersOf(image: ImageRoot | undefined): SnapshotLayer[] {
  const lowers = image?.lowers.slice(0, -1) ?? [];
  return lowers.length === 0 ? [] : [{ target: '/', lowers }];
}

function commandOf(image: ImageRoot, given: readonly string[], { entrypoint }: RunOptions): string[] {
  try {
    return checkCommand(imageCommand(image.image, given, entrypoint));
  } catch (error) {
    image.release();
    throw error;
  }
}

async function imageOf(options: SandboxOptions): Promise<ImageRoot | undefined> {
  if (!wantsImage(options)) return undefined;
  return findImage(options) ?? (await obtain(options, options.signal));
}

// Hardly any start needs it, and it is large.
async function obtain(options: SandboxOptions, signal: AbortSignal | undefined): Promise<ImageRoot> {
  const { obtainImage } = await import('./image-obtain.js');
  const image = await obtainImage(options, { signal });
  if (!signal?.aborted) return image;
  image.release();
  throw new NsboxError('ERR_ABORTED', 'the operation was aborted', { cause: signal.reason });
}

async function removeScratch(path: string | undefined): Promise<void> {
  if (path !== undefined)
    await addon()
      .removeTree(path)
      .catch(() => {});
}

function takeName(wanted: string | undefined): string {
  const id = wanted ?? `box-${randomText()}`;
  if (names.has(id))
    throw new NsboxError('ERR_ALREADY_EXISTS', `a sandbox named ${id} exists already in this process`);
  names.add(id);
  return id;
}

/** Limits must be met; a held sandbox has groups where it can, for its stats and its pause. */
function groupsFor(limits: SandboxLimits | undefined, hold: boolean): CgroupParent | undefined {
  const limited = limits !== undefined && Object.values(limits).some((value) => value !== undefined);
  if (limited) {
    const groups = scope.groups();
    requireControllers(groups, limits);
    return groups;
  }
  if (!hold) return undefined;
  try {
    const groups = scope.groups();
    return groups.entries().length > 0 ? groups : undefined;
  } catch {
    return undefined;
  }
}

function available(entries: ReturnType<CgroupParent['entries']>, wanted: number): number {
  return entries.reduce((all, { controllers }) => all | controllers, 0) & wanted;
}

// A limit on what is written can be kept by a tmpfs alone.
function scratchFor({ scratchSize, idMaps }: Blueprint): string | undefined {
  // With ranges of ids come files of other owners, which this user could not remove from a directory.
  const path = idMaps.how === 'self' ? scope.scratchDirectory() : undefined;
  if (path === undefined || scratchSize === undefined) return path;
  void removeScratch(path);
  throw new NsboxError(
    'ERR_LIMIT_UNAVAILABLE',
    'scratchSize: this kernel’s tmpfs cannot hold what an ordinary user’s sandbox writes, and a directory has no limit',
    { hint: 'it needs Linux 6.6, or root; or leave scratchSize out' },
  );
}

// cgroup v2 limits swap by itself; v1 only where the kernel was told to count it.
function countsSwap(groups: CgroupParent): boolean {
  return groups
    .entries()
    .some(({ controllers, version }) => version === 2 && (controllers & Controller.memory) !== 0);
}

function mapIds(design: Blueprint, container: Box): Promise<void> {
  return design.idMaps.how === 'wait' ? writeIdMaps(container, design.idMaps) : Promise.resolve();
}

function processConfig(
  design: Blueprint,
  args: readonly string[],
  options: NormalExecOptions,
): ProcessConfig {
  const { process } = design;
  const user = options.user ?? design.user;
  const env =
    Object.keys(options.env).length > 0 ? mergeEnvironment(process.env ?? [], options.env) : process.env;
  return {
    ...process,
    args,
    ...(env && { env: options.tty ? withTerm(env) : env }),
    cwd: options.cwd ?? process.cwd,
    terminal: options.tty !== undefined,
    ...(options.tty && { consoleSize: { width: options.tty.columns, height: options.tty.rows } }),
    // The name is looked up inside, in the sandbox's own /etc/passwd.
    user: inside(process.user, user, options),
  };
}

// What only our own init understands, beside the OCI user.
function inside(
  user: ProcessUser,
  name: string | undefined,
  options: NormalExecOptions,
): ProcessUser & InsideUser {
  const { pipes, nulls } = stdioBits(options);
  return {
    ...user,
    ...(name !== undefined && { 'nsbox.name': name }),
    ...(pipes !== 0 && { 'nsbox.pipes': pipes }),
    ...(nulls !== 0 && { 'nsbox.null': nulls }),
  };
}

interface InsideUser {
  readonly 'nsbox.name'?: string;
  readonly 'nsbox.pipes'?: number;
  readonly 'nsbox.null'?: number;
}

function withTerm(env: readonly string[]): readonly string[] {
  return env.some((entry) => entry.startsWith('TERM=')) ? env : [...env, 'TERM=xterm'];
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new NsboxError('ERR_ABORTED', 'the operation was aborted', { cause: signal.reason });
}

function isTemplate(value: unknown): value is TemplateStringsArray {
  return Array.isArray(value) && 'raw' in value;
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value);
}

export type { Result };
