import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { NsboxError } from '../errors.js';
import { fromNative } from '../native/errors.js';
import { addon } from '../native/load.js';
import type { Box } from '../runtime/box.js';
import type { SnapshotLayer } from '../runtime/plan.js';
import type { ImageRoot } from './image.js';
import type { SandboxOptions } from './options.js';
import type { Sandbox } from './sandbox.js';
import { scope } from './scope.js';

type Start = (
  options: SandboxOptions,
  layers: readonly SnapshotLayer[],
  image: ImageRoot | undefined,
) => Promise<Sandbox>;

/** What a frozen sandbox was made from. */
interface Below {
  readonly layers: readonly SnapshotLayer[];
  readonly image: ImageRoot | undefined;
  readonly options: SandboxOptions;
}

/** What may differ between a fork and the sandbox that was frozen: anything but its files. */
export type ForkOptions = Omit<
  SandboxOptions,
  'image' | 'pull' | 'platform' | 'rootfs' | 'bundle' | 'workspace'
>;

/**
 * All that a sandbox had written at one moment, frozen: any number of sandboxes start from it, each with its own copy on
 * write. It lies in the temporary directory, and is gone with this process.
 */
export class Snapshot implements AsyncDisposable {
  readonly #directory: string;
  readonly #layers: readonly SnapshotLayer[];
  #image: ImageRoot | undefined;
  readonly #options: SandboxOptions;
  readonly #start: Start;
  readonly #forks = new Set<Promise<Sandbox>>();
  #disposed = false;

  private constructor(
    directory: string,
    layers: readonly SnapshotLayer[],
    { image, options }: Below,
    start: Start,
  ) {
    this.#directory = directory;
    this.#layers = layers;
    this.#image = image?.share();
    this.#options = options;
    this.#start = start;
  }

  /** @internal */
  static async take(container: Box, below: Below, start: Start): Promise<Snapshot> {
    const directory = scope.snapshotDirectory();
    try {
      await fs.mkdir(directory, { mode: 0o700 });
      const layers = await copyLayers(container, below.layers, directory);
      return new Snapshot(directory, layers, below, start);
    } catch (error) {
      await fs.rm(directory, { recursive: true, force: true });
      throw fromNative(error, 'snapshot');
    }
  }

  /**
   * A new sandbox with these files, and the options of the one that was frozen but for those given here.
   *
   * @throws {@link NsboxError} as `Sandbox.create`, and `ERR_DISPOSED`
   */
  async start(options: ForkOptions = {}): Promise<Sandbox> {
    if (this.#disposed) throw new NsboxError('ERR_DISPOSED', 'the snapshot is gone');
    const { id: _, signal: __, ...inherited } = this.#options;
    const starting = this.#start({ ...inherited, ...options }, this.#layers, this.#image);
    this.#forks.add(starting);
    const forget = (): boolean => this.#forks.delete(starting);
    starting.then((fork) => fork.wait()).then(forget, forget);
    return await starting;
  }

  /** Removes the frozen files, and ends the sandboxes that stand on them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    // Those that start now too; one that fails is its starter's to hear of.
    await Promise.allSettled(
      [...this.#forks].map(async (starting) => (await starting)[Symbol.asyncDispose]()),
    );
    this.#image?.release();
    this.#image = undefined;
    await fs.rm(this.#directory, { recursive: true, force: true });
  }
}

async function copyLayers(
  container: Box,
  below: readonly SnapshotLayer[],
  directory: string,
): Promise<SnapshotLayer[]> {
  return await container.withFiles(async ({ overlays }) => {
    const layers: SnapshotLayer[] = [];
    for (const [i, { target, upper }] of overlays.entries()) {
      const path = join(directory, String(i));
      await fs.mkdir(path);
      await addon().copyTree(upper, path);
      const lowers = below.find((layer) => layer.target === target)?.lowers ?? [];
      layers.push({ target, lowers: [path, ...lowers] });
    }
    return layers;
  });
}
