import { NsboxError } from '../errors.js';
import { type Digest, isDigest } from '../spec/digest.js';
import type { Descriptor } from '../spec/image/descriptor.js';
import type { Platform } from '../spec/platform.js';
import { formatReference, parseReference, type Reference } from '../spec/reference.js';
import { quote } from '../spec/validate.js';
import { sourceOf } from './content/source.js';
import type { ContentStore } from './content/store.js';
import type { Entry } from './content/tags.js';
import { type Image, type ListedImage, readImage } from './image.js';

const ID_PREFIX = /^[a-f0-9]{1,64}$/;

/** Every image of the store that can be read. What is damaged, or no image, `verify` tells of. */
export async function listImages(store: ContentStore): Promise<Image[]> {
  const found = await Promise.all(grouped(await store.entries()).map((one) => readIfWhole(store, one)));
  return found.filter((one) => one !== undefined);
}

/**
 * Finds an image by its name, by a digest (its own, its manifest's or that of the index it came from), or by the beginning
 * of its ID, as people copy it from a list. A name wins over an ID that looks like it.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT` for what is neither, or for an ID that several images begin with
 */
export async function findImage(
  store: ContentStore,
  wanted: string,
  platform?: Platform,
): Promise<Image | undefined> {
  const listed = grouped(await store.entries());
  const named = findNamed(listed, wanted);
  if (named !== undefined) return await readImage(store, named, platform);
  const prefix = ID_PREFIX.test(wanted) ? `sha256:${wanted}` : wanted;
  return isKnownDigest(wanted) || ID_PREFIX.test(wanted) ? await findById(store, listed, prefix) : undefined;
}

/** One for each digest, with all its names. */
function grouped(entries: readonly Entry[]): ListedImage[] {
  const found = new Map<Digest, { names: string[]; descriptor: Descriptor }>();
  for (const { name, descriptor } of entries) {
    const image = found.get(descriptor.digest) ?? { names: [], descriptor };
    if (name !== undefined) image.names.push(name);
    found.set(descriptor.digest, image);
  }
  return [...found.values()];
}

/** What is listed of one digest. */
export async function listed(store: ContentStore, { digest }: Descriptor): Promise<ListedImage> {
  const found = grouped(await store.entries()).find(({ descriptor }) => descriptor.digest === digest);
  if (found === undefined) throw noImage(digest, store);
  return found;
}

function findNamed(listed: readonly ListedImage[], wanted: string): ListedImage | undefined {
  const reference = isKnownDigest(wanted) ? undefined : referenceOf(wanted);
  if (reference === undefined) return undefined;
  const name = formatReference(reference);
  const exact = listed.find(({ names }) => names.includes(name));
  const { digest } = reference;
  if (exact !== undefined || digest === undefined) return exact;
  const repository = `${reference.domain}/${reference.path}`;
  return listed.find(
    ({ names, descriptor }) =>
      (descriptor.digest === digest || sourceOf(descriptor) === digest) &&
      names.some((one) => repositoryOf(one) === repository),
  );
}

// By its form alone `node:24` could be a digest, too, of an algorithm that nobody knows.
function isKnownDigest(wanted: string): boolean {
  return /^sha\d+:/.test(wanted) && isDigest(wanted);
}

function referenceOf(wanted: string): Reference | undefined {
  try {
    return parseReference(wanted);
  } catch (error) {
    if (ID_PREFIX.test(wanted)) return undefined;
    throw error;
  }
}

function repositoryOf(name: string): string {
  return name.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
}

async function findById(
  store: ContentStore,
  listed: readonly ListedImage[],
  prefix: string,
): Promise<Image | undefined> {
  const images = (await Promise.all(listed.map((one) => readIfWhole(store, one)))).filter(
    (image) => image !== undefined && identifiersOf(image).some((one) => one.startsWith(prefix)),
  );
  const ids = new Set(images.map((image) => image?.id));
  if (ids.size <= 1) return images[0];
  throw new NsboxError(
    'ERR_INVALID_ARGUMENT',
    `several images begin with ${quote(prefix)}: ${[...ids].join(', ')}`,
    {
      hint: 'write more of it',
    },
  );
}

function identifiersOf({ id, descriptor, source }: Image): Digest[] {
  return [id, descriptor.digest, source];
}

async function readIfWhole(store: ContentStore, listed: ListedImage): Promise<Image | undefined> {
  try {
    return await readImage(store, listed);
  } catch (error) {
    if (
      error instanceof NsboxError &&
      (error.code === 'ERR_NOT_FOUND' || error.code === 'ERR_INVALID_CONFIG')
    )
      return undefined;
    throw error;
  }
}

/** Says that there is no such image. */
export function noImage(wanted: string, store: ContentStore): NsboxError {
  return new NsboxError('ERR_NOT_FOUND', `no image ${wanted} in ${store.path}`, {
    hint: 'pull or load it first, or look at the list of images for its name',
  });
}
