import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { NsboxError } from '../errors.js';
import { type CgroupParent, Controller } from '../native/contract.js';
import { addon } from '../native/load.js';
import { runtimeDescriptor } from '../native/runtime-binary.js';
import { lazyCrypto } from '../util/builtin.js';
import { isRootless } from './identity.js';

/**
 * What all sandboxes of this process share: its group in the cgroup hierarchies, its directory for snapshots, and the
 * janitor that removes both when the process is gone, however it went. Each is made at its first need.
 */
class Scope {
  #janitor: number | undefined;
  #groups: CgroupParent | undefined;
  #groupsError: NsboxError | undefined;
  #directory: string | undefined;
  #snapshots = 0;
  #tmpfsHoldsMarks: boolean | undefined;
  #scratch: string | undefined;
  #scratches = 0;

  /**
   * The parent of the sandboxes' groups.
   *
   * @throws {@link NsboxError} `ERR_LIMIT_UNAVAILABLE` when no hierarchy can be used at all
   */
  groups(): CgroupParent {
    if (this.#groups) return this.#groups;
    if (this.#groupsError) throw this.#groupsError;
    try {
      this.#groups = this.#makeGroups();
    } catch (error) {
      this.#groupsError = new NsboxError(
        'ERR_LIMIT_UNAVAILABLE',
        `cgroups: ${error instanceof Error ? error.message : error}`,
        {
          cause: error,
        },
      );
      throw this.#groupsError;
    }
    return this.#groups;
  }

  #makeGroups(): CgroupParent {
    const groups = new (addon().CgroupParent)(
      `nsbox-${process.pid}-${randomText()}`,
      WANTED,
      this.#getJanitor(),
    );
    // They never change, and every start asks for them.
    const entries = groups.entries();
    return Object.defineProperty(groups, 'entries', { value: () => entries });
  }

  /** A new directory for one snapshot. Throws Node's own error. */
  snapshotDirectory(): string {
    this.#directory ??= this.#makeDirectory();
    return join(this.#directory, String(this.#snapshots++));
  }

  // Not on the file system that is the sandboxes' root: an overlay refuses a layer that lies inside another.
  #makeDirectory(): string {
    const root = statSync('/').dev;
    const places = [tmpdir(), '/dev/shm', '/run'];
    const place = isRootless()
      ? tmpdir()
      : places.find((path) => statSync(path, { throwIfNoEntry: false })?.dev !== root);
    if (place === undefined || !existsSync(place))
      throw new NsboxError('ERR_START_FAILED', 'snapshot: no place for it outside of the root file system', {
        hint: 'mount a tmpfs on /dev/shm',
      });
    return this.#makeCharged(place);
  }

  /**
   * A new directory for what one sandbox writes, where a tmpfs will not do: before Linux 6.6 it cannot hold the marks of an
   * ordinary user's overlay, and a directory of the root's could not be removed. Undefined where a tmpfs does, or nothing
   * else would.
   */
  scratchDirectory(): string | undefined {
    if (!isRootless() || this.#tmpfsDoes()) return undefined;
    this.#scratch ??= this.#makeScratch();
    if (this.#scratch === '') return undefined;
    const path = join(this.#scratch, String(this.#scratches++));
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  #tmpfsDoes(): boolean {
    this.#tmpfsHoldsMarks ??= addon().tmpfsHoldsUserMarks();
    return this.#tmpfsHoldsMarks;
  }

  #makeScratch(): string {
    for (const place of [tmpdir(), '/var/tmp', homedir()]) {
      if (!isUsable(place)) continue;
      const made = this.#makeCharged(place);
      if (addon().directoryHoldsUserMarks(made)) return made;
    }
    return '';
  }

  #makeCharged(place: string): string {
    const name = `nsbox-${lazyCrypto().randomUUID()}`;
    const parent = addon().openDirectory(place);
    addon().chargeJanitor(this.#getJanitor(), name, parent);
    addon().closeFd(parent);
    // Nobody can have made a directory of that name before.
    mkdirSync(join(place, name), { mode: 0o700 });
    return join(place, name);
  }

  #getJanitor(): number {
    this.#janitor ??= addon().startJanitor(runtimeDescriptor());
    return this.#janitor;
  }
}

function isUsable(place: string): boolean {
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const WANTED =
  Controller.memory |
  Controller.pids |
  Controller.cpu |
  Controller.cpuacct |
  Controller.cpuset |
  Controller.freezer |
  Controller.unified;

export const scope = new Scope();

export function randomText(): string {
  return Math.floor(Math.random() * 36 ** 8)
    .toString(36)
    .padStart(8, '0');
}
