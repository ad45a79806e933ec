/**
 * Every function of the addon, typed and documented once. Nothing else declares them, and only `lib/` calls them.
 * Descriptors are plain numbers; who closes them is said at each.
 */
export interface Addon {
  readonly NativeBox: NativeBoxConstructor;
  readonly PipeReader: PipeReaderConstructor;
  readonly CgroupParent: CgroupParentConstructor;
  /**
   * Told of each lack of memory in one box's group, with the kills so far. Keeps no event loop alive. An OCI container is
   * named by the root of its state and its id.
   */
  readonly OomWatcher: new (
    parent: CgroupParent | string,
    name: string,
    onLack: (kills: number) => void,
  ) => { close(): void };

  /** Told when the process of a pidfd has ended. Keeps the event loop alive until then, or until it is closed. */
  readonly PidfdWatch: new (
    pidfd: number,
    onEnd: () => void,
  ) => { close(): void };
  /**
   * Listens at `directory/name` for one caller, who hands over one descriptor; -1 when it goes without. Keeps the event loop
   * alive until then, or until it is closed.
   */
  readonly DescriptorReceiver: new (
    directory: string,
    name: string,
    onDescriptor: (fd: number) => void,
  ) => { close(): void };
  /** Whether there was still somebody to get the signal. */
  signalPidfd(pidfd: number, signal: number): boolean;

  /**
   * Unpacks a layer, compressed or not, into an empty directory in overlay's form: whiteouts, opaque directories. Names are
   * resolved beneath the directory. After an error the caller removes what is there. Nothing is synchronised to the disk, and
   * both descriptors stay the caller's.
   *
   * @param rootless - owners go into `user.containers.override_stat`, devices are left out
   */
  unpackLayer(source: number, target: number, options: UnpackLayerOptions): Promise<UnpackedLayer>;
  /**
   * Gives {@link UnpackedLayer.implied} the mode, owner, times and attributes that they have in the layers below, the topmost
   * first.
   */
  adoptDirectories(
    target: number,
    lowers: readonly number[],
    paths: readonly string[],
    rootless: boolean,
  ): Promise<void>;

  // OCI containers, by the root of their state and their id: what nsbox-runtime's verbs do, in this process.
  /** Where their state lies unless told. */
  defaultStateRoot(xdgRuntimeDir: string): string;
  ociIds(root: string): Promise<readonly string[]>;
  /** JSON: what `nsbox-runtime state` prints, with the owner's number. */
  ociState(root: string, id: string): Promise<string>;
  /** The pid of the process that created it. */
  ociCreator(root: string, id: string): Promise<number>;
  /** False when it has poststart hooks, which are the executable's to run: then nothing was done. */
  ociStart(root: string, id: string): Promise<boolean>;
  ociKill(root: string, id: string, signal: number, all: boolean): Promise<void>;
  ociPause(root: string, id: string): Promise<void>;
  ociResume(root: string, id: string): Promise<void>;
  /** `resources`: the JSON of an OCI `linux.resources` object. */
  ociUpdate(
    root: string,
    id: string,
    resources: string,
    dbusSessionBusAddress: string,
    xdgRuntimeDir: string,
  ): Promise<void>;
  /** Pids of this machine, rising. */
  ociProcesses(root: string, id: string): Promise<readonly number[]>;
  /** False when it has poststop hooks, which are the executable's to run: then nothing was done. */
  ociDelete(
    root: string,
    id: string,
    force: boolean,
    dbusSessionBusAddress: string,
    xdgRuntimeDir: string,
  ): Promise<boolean>;
  ociStats(root: string, id: string): Promise<NativeStats>;
  /** A pidfd of its first process, which the caller closes; -1 when that has ended. */
  ociOpenInit(root: string, id: string): Promise<number>;

  /** A sealed copy of the executable in memory; the caller keeps the descriptor. */
  loadRuntime(path: string): number;
  /** Starts a janitor; it goes to work when the descriptor answered here is closed. */
  startJanitor(runtime: number): number;
  /** Hands the janitor a tree of files to remove: the entry `name` of `directory`. */
  chargeJanitor(janitor: number, name: string, directory: number): void;

  /** `[stdin read, stdin write, stdout read, stdout write, stderr read, stderr write]`; our ends do not block. */
  makePipes(): readonly [number, number, number, number, number, number];
  closeFd(fd: number): void;
  /** The descriptor has a new owner: it is no longer closed when the environment ends. */
  forgetFd(fd: number): void;
  duplicateFd(fd: number): number;
  setNonBlocking(fd: number): void;
  setWindowSize(terminal: number, columns: number, rows: number): void;
  /** How many bytes a non-blocking descriptor took at once; -1 when its other end is closed. */
  writeNow(fd: number, bytes: Uint8Array): number;

  /** The BPF program of an OCI `linux.seccomp` object in JSON. */
  compileSeccomp(json: string): Uint8Array;
  /** The BPF program of the default profile, for a container with these capabilities. */
  defaultSeccomp(capabilities: bigint): Uint8Array;
  /** The default profile as the JSON of a `linux.seccomp` object. */
  defaultSeccompProfile(capabilities: bigint): string;
  /** The capabilities that this process could give away. */
  boundingCapabilities(): bigint;
  /** Whether a tmpfs keeps `user.` attributes, as an ordinary user's overlay needs (Linux 6.6). */
  tmpfsHoldsUserMarks(): boolean;
  /** The same of the file system that a directory of this user's is on. */
  directoryHoldsUserMarks(path: string): boolean;
  probe(): Promise<Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>>;

  // Files beneath `root`, wherever links in it point: openat2(2), RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS.
  fsOpen(root: number, path: string, flags: number, mode: number): Promise<number>;
  fsStat(root: number, path: string, follow: boolean): Promise<NativeStat>;
  fsReaddir(root: number, path: string): Promise<readonly (readonly [name: string, type: number])[]>;
  fsMkdir(root: number, path: string, mode: number, recursive: boolean): Promise<void>;
  fsRemove(root: number, path: string, recursive: boolean, force: boolean): Promise<void>;
  fsRename(root: number, from: string, to: string): Promise<void>;
  fsSymlink(root: number, path: string, target: string): Promise<void>;
  fsReadlink(root: number, path: string): Promise<string>;
  fsChmod(root: number, path: string, mode: number): Promise<void>;
  fsChown(root: number, path: string, uid: number, gid: number): Promise<void>;

  /** What an overlay's upper directory changes of its lower ones, topmost first. */
  listChanges(upper: number, lowers: readonly number[]): Promise<readonly NativeChange[]>;
  /** Copies the tree below the descriptor into an existing directory of this machine. */
  copyTree(from: number, path: string): Promise<void>;
  /** Carries changes out to a directory of this machine; answers how many entries it changed. */
  applyChanges(upper: number, target: string, paths: readonly string[]): Promise<number>;
  /** Removes a tree of this machine; gone is fine. */
  removeTree(path: string): Promise<void>;
  /** Waits until all that was written to the file system of this path is on the disk. */
  syncFileSystem(path: string): Promise<void>;
  /** An `O_PATH` descriptor; the caller closes it. */
  openDirectory(path: string): number;
}

/** A box's init, from this side. */
export interface NativeBox {
  /** Init's pid on this machine. */
  readonly pid: number;
  /** Hands over the plan; `fds` go along, `closeAfter` are closed in any case. Throws when the process is gone. */
  begin(
    plan: string,
    filter: Uint8Array | undefined,
    fds: readonly number[],
    closeAfter: readonly number[],
  ): void;
  /** Sends a request; `fds` go along, `closeAfter` are closed in any case. Throws when the box is gone. */
  request(
    kind: RequestKind,
    id: number,
    value: number,
    text: string | undefined,
    fds: readonly number[],
    closeAfter: readonly number[],
  ): void;
  /** Signals init itself by its pidfd: SIGKILL ends the whole box. */
  kill(signal: number): void;
  /** Whether the box keeps the event loop alive. */
  ref(): void;
  unref(): void;
}

/** Told of everything that a box says; the last call has {@link ReplyKind.closed}. */
export type OnMessage = (
  kind: ReplyKind,
  id: number,
  value: number,
  status: number,
  userUs: number,
  systemUs: number,
  memoryPeakKb: number,
  text: string,
  fds: readonly number[],
) => void;

/**
 * Clones init into new namespaces; it waits for its plan, and makes the `prepared` ones meanwhile. The call blocks until
 * the clone has executed `runtime`, and for no longer.
 */
export type NativeBoxConstructor = new (
  runtime: number,
  namespaces: number,
  prepared: number,
  onMessage: OnMessage,
) => NativeBox;

/** Reads a pipe on the event loop. Owns its descriptor. */
export interface PipeReader {
  start(): void;
  /** Reads nothing more for now: the writer at the other end waits. */
  stop(): void;
  /** Reads what is in the pipe now, and keeps the event loop alive no longer. */
  drain(): void;
  close(): void;
}
export type PipeReaderConstructor = new (fd: number, onChunk: (chunk: Buffer | null) => void) => PipeReader;

export interface CgroupHierarchy {
  readonly fd: number;
  readonly controllers: number;
  readonly version: 1 | 2;
}

export interface MissingController {
  readonly controller: string;
  readonly cause: string;
  readonly text: string;
}

/** This process's own group, in each hierarchy; each box has a group in it. */
export interface CgroupParent {
  entries(): readonly CgroupHierarchy[];
  missing(): readonly MissingController[];
  /** Kills what is left in the box's group and removes it. */
  remove(name: string): Promise<void>;
  /** Removes the groups of a box that has ended; false when one of them is not empty, which {@link remove} is for. */
  removeNow(name: string): boolean;
  /** Removes the parent itself, at once. */
  removeSelf(): void;
  stats(name: string): Promise<NativeStats>;
  /** `resources`: the JSON of an OCI `linux.resources` object. */
  update(name: string, resources: string): Promise<void>;
  freeze(name: string): Promise<void>;
  thaw(name: string): Promise<void>;
  /** Processes killed for want of memory so far; -1 when the kernel does not tell. */
  oomKills(name: string): number;
}
/** The janitor is charged with the group before it is made. */
export type CgroupParentConstructor = new (name: string, wanted: number, janitor: number) => CgroupParent;

export interface NativeStat {
  readonly mode: number;
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtimeMs: number;
}

export interface NativeChange {
  readonly kind: 'added' | 'modified' | 'deleted';
  readonly path: string;
  readonly mode: number;
  readonly size: number;
}

export interface NativeStats {
  readonly memory: {
    readonly current?: number;
    readonly peak?: number;
    readonly limit?: number;
    readonly swap?: number;
    readonly oomKills?: number;
    readonly limitHits?: number;
  };
  readonly cpu: {
    readonly usageNs?: number;
    readonly userNs?: number;
    readonly systemNs?: number;
    readonly throttledNs?: number;
  };
  readonly pids: { readonly current?: number; readonly peak?: number; readonly limit?: number };
}

/** native/core/container/protocol.h */
export const RequestKind = { go: 1, exec: 2, signal: 3, files: 4, signalAll: 5 } as const;
export type RequestKind = (typeof RequestKind)[keyof typeof RequestKind];

/** native/core/container/protocol.h; `closed` is the addon's own. */
export const ReplyKind = { ready: 1, started: 2, failed: 3, exited: 4, files: 5, closed: 100 } as const;
export type ReplyKind = (typeof ReplyKind)[keyof typeof ReplyKind];

/** native/core/cgroup/controllers.h */
export const Controller = {
  cpu: 1 << 0,
  cpuacct: 1 << 1,
  cpuset: 1 << 2,
  memory: 1 << 3,
  pids: 1 << 4,
  devices: 1 << 5,
  freezer: 1 << 6,
  blkio: 1 << 7,
  hugetlb: 1 << 8,
  unified: 1 << 14,
} as const;

/** clone(2) */
export const CloneFlag = {
  newUts: 0x04000000,
  newIpc: 0x08000000,
  newUser: 0x10000000,
  newPid: 0x20000000,
  newNet: 0x40000000,
} as const;

export interface UnpackLayerOptions {
  readonly rootless?: boolean;
  /** Bytes of all files. */
  readonly maxSize?: number;
  readonly maxEntries?: number;
}

export interface UnpackedLayer {
  /** Of the source as it is. */
  readonly digest: string;
  /** Of the tar in it. */
  readonly diffId: string;
  readonly compressedSize: number;
  /** Bytes of all files. */
  readonly size: number;
  readonly entries: number;
  /** Devices that could not be made. */
  readonly skipped: number;
  /** Directories that the layer needs and does not mention, parents first. */
  readonly implied: readonly string[];
}
