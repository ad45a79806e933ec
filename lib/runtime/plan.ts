import type { RuntimeConfig } from '../spec/runtime/config.js';

/** How the root comes about: native/core/container/plan.h. */
export type RootKind = 'bind' | 'overlay' | 'split';

export interface SnapshotLayer {
  /** The overlay that the layers belong to, by its place in the box. */
  readonly target: string;
  /** Directories of this machine, topmost first. */
  readonly lowers: readonly string[];
}

/** What init is handed: the OCI configuration, and beside it what only this side knows. */
export interface Plan {
  readonly config: RuntimeConfig;
  readonly root: RootKind;
  readonly idMaps: 'none' | 'self' | 'wait';
  readonly hold: boolean;
  readonly start: boolean;
  readonly scratchSize?: number;
  /** A directory of the host's to write to, in place of a tmpfs. */
  readonly scratchPath?: string;
  readonly clampCapabilities: boolean;
  /** The working directory is made where it is absent. */
  readonly makeCwd?: boolean;
  readonly snapshots?: readonly SnapshotLayer[];
  readonly cgroup?: {
    readonly name: string;
    readonly join: number;
    readonly parents: readonly { readonly controllers: number; readonly version: number }[];
  };
}
