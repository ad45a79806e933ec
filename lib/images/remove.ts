import { NsboxError } from '../errors.js';
import type { Digest } from '../spec/digest.js';
import { formatReference, parseReference } from '../spec/reference.js';
import type { Collected } from './content/collect.js';
import type { ContentStore } from './content/store.js';
import type { Entry } from './content/tags.js';
import { findImage, listImages, noImage } from './find.js';

export interface RemoveOptions {
  /** Also with all of several names, and though a container uses it: what that holds stays until it is gone. */
  readonly force?: boolean;
}

/** What a removal has taken away. */
export interface Removed extends Collected {
  /** The names that were taken away. */
  readonly names: readonly string[];
}

/**
 * Removes an image: of a name, that name alone, and the image with its last one; of an ID or a digest, the image with all its
 * names. Blobs go that no other image needs and nobody holds.
 *
 * @throws {@link NsboxError} `ERR_NOT_FOUND`; `ERR_IN_USE` for an image with several names or that a container uses, unless forced
 */
export async function removeImage(
  store: ContentStore,
  wanted: string,
  { force = false }: RemoveOptions,
): Promise<Removed> {
  const name = nameIn(await store.entries(), wanted);
  const digests = name === undefined ? await digestsOf(store, wanted) : undefined;
  const owners = force ? new Map<string, ReadonlySet<Digest>>() : await store.owners();
  const removed = await store.removeEntries((entry, all) => {
    const isChosen =
      name === undefined ? digests?.has(entry.descriptor.digest) === true : entry.name === name;
    if (isChosen && !force) refuseUse(wanted, entry, all, name === undefined, owners);
    return isChosen;
  });
  if (removed.length === 0) throw noImage(wanted, store);
  const names = removed.flatMap((entry) => (entry.name === undefined ? [] : [entry.name]));
  return { names, ...(await store.collect()) };
}

// What is damaged can be removed by its name, too: only the list is asked.
function nameIn(entries: readonly Entry[], wanted: string): string | undefined {
  const names = new Set(entries.map(({ name }) => name));
  if (names.has(wanted)) return wanted;
  try {
    const full = formatReference(parseReference(wanted));
    return names.has(full) ? full : undefined;
  } catch {
    return undefined;
  }
}

// One configuration may have several manifests: with layers compressed in another way, for instance.
async function digestsOf(store: ContentStore, wanted: string): Promise<Set<Digest>> {
  const image = await findImage(store, wanted);
  if (image === undefined) throw noImage(wanted, store);
  const same = (await listImages(store)).filter(({ id }) => id === image.id);
  return new Set(same.map(({ target }) => target.digest));
}

function refuseUse(
  wanted: string,
  { descriptor: { digest } }: Entry,
  all: readonly Entry[],
  isById: boolean,
  owners: ReadonlyMap<string, ReadonlySet<Digest>>,
): void {
  const names = all.filter((one) => one.descriptor.digest === digest && one.name !== undefined);
  if (isById && names.length > 1)
    throw new NsboxError(
      'ERR_IN_USE',
      `${wanted} has several names: ${names.map(({ name }) => name).join(', ')}`,
      {
        hint: 'remove it by one of them, or by force',
      },
    );
  const owner = [...owners].find(([, held]) => held.has(digest))?.[0];
  if (owner !== undefined && (isById || names.length === 1))
    throw new NsboxError('ERR_IN_USE', `${wanted} is used by container ${owner}`, {
      hint: 'remove the container first; by force the image’s name goes, and its content with the container',
    });
}
