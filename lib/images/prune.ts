import type { Digest } from '../spec/digest.js';
import type { ContentStore } from './content/store.js';
import type { Removed } from './remove.js';

export interface PruneOptions {
  /** Also images that have a name and that no container uses. */
  readonly all?: boolean;
}

/** Removes images without a name, what no image needs, and what pulls that were given up have left. */
export async function pruneImages(store: ContentStore, { all = false }: PruneOptions): Promise<Removed> {
  const held = new Set<Digest>();
  for (const digests of (await store.owners()).values()) for (const digest of digests) held.add(digest);
  const removed = await store.removeEntries(
    ({ name, descriptor }) => (all || name === undefined) && !held.has(descriptor.digest),
  );
  const names = removed.flatMap((entry) => (entry.name === undefined ? [] : [entry.name]));
  return { names, ...(await store.collect({ partials: true })) };
}
