import { NsboxError } from '../errors.js';
import type { Descriptor } from '../spec/image/descriptor.js';
import { parseReference, type Reference } from '../spec/reference.js';
import { abortable } from './abort.js';
import type { ContentStore } from './content/store.js';
import type { Incomplete, Verified } from './content/verify.js';
import { fetchTree } from './fetch.js';
import type { OnProgress } from './progress.js';
import type { RegistryClient } from './registry/client.js';

export interface RepairOptions {
  readonly store: ContentStore;
  readonly client: () => RegistryClient;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** What a verification with repair found and did. */
export interface Repaired extends Verified {
  /** The names of images that were not whole and are now. */
  readonly repaired: readonly string[];
  /** Those that still are not, with the reason. */
  readonly incomplete: readonly (Incomplete & { readonly reason?: NsboxError })[];
}

/** Hashes everything, removes what is damaged, and fetches anew what images lack, from the registries of their names. */
export async function verifyAndRepair(options: RepairOptions): Promise<Repaired> {
  const { store, signal } = options;
  const verified = await store.verify({ ...(signal && { signal }) });
  const repaired: string[] = [];
  const incomplete: (Incomplete & { readonly reason?: NsboxError })[] = [];
  for (const one of verified.incomplete) {
    const reason = await tryToRepair(one.tag, options);
    if (reason === undefined) repaired.push(one.tag);
    else incomplete.push({ ...one, reason });
  }
  return { ...verified, repaired, incomplete };
}

async function tryToRepair(tag: string, options: RepairOptions): Promise<NsboxError | undefined> {
  try {
    await abortable(`repair ${tag}`, options.signal, () => repair(tag, options));
    return undefined;
  } catch (error) {
    if (!(error instanceof NsboxError) || error.code === 'ERR_ABORTED') throw error;
    return error;
  }
}

// By digests alone: the registry's tag may have moved on, but what it named is what is to be mended.
async function repair(tag: string, { store, client, ...options }: RepairOptions): Promise<void> {
  const target = await store.resolve(tag);
  if (target === undefined) return;
  await using lease = store.lease();
  await fetchTree({ ...options, store, lease, client: client(), reference: registryOf(tag, target) }, target);
}

function registryOf(tag: string, { digest }: Descriptor): Reference {
  try {
    return parseReference(tag);
  } catch (cause) {
    throw new NsboxError('ERR_NOT_FOUND', `no registry is known for ${digest}, the image ${tag}`, { cause });
  }
}
