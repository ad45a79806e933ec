import { NsboxError } from '../../errors.js';
import type { Digest } from '../../spec/digest.js';
import type { Descriptor } from '../../spec/image/descriptor.js';
import type { ImageIndex } from '../../spec/image/index.js';
import { MEDIA_TYPES } from '../../spec/image/media-types.js';
import { formatReference, parseReference } from '../../spec/reference.js';
import type { ContentStore } from '../content/store.js';
import { findImage, noImage } from '../find.js';
import type { Image } from '../image.js';
import type { DockerEntry } from './docker.js';
import { FULL_NAME, REF_NAME } from './layout.js';
import { type TarFile, writeTar } from './tar-writer.js';

export interface SaveOptions {
  /**
   * `docker-archive` is an OCI layout with Docker's list beside it, which `docker load`, `podman load`, `skopeo` and
   * containerd read; `oci-archive` is the layout alone. Default: `docker-archive`.
   */
  readonly format?: 'docker-archive' | 'oci-archive';
  readonly signal?: AbortSignal;
}

interface Saved {
  readonly image: Image;
  /** Under which of its names; none of an image that was asked for by its ID. */
  readonly name: string | undefined;
}

/**
 * Images as one archive, piece by piece. The same images make the same bytes.
 *
 * @throws {@link NsboxError} `ERR_NOT_FOUND` before the first piece
 */
export async function* saveImages(
  store: ContentStore,
  wanted: readonly string[],
  { format = 'docker-archive', signal }: SaveOptions,
): AsyncGenerator<Uint8Array, void> {
  if (wanted.length === 0) throw new NsboxError('ERR_INVALID_ARGUMENT', 'no image to save');
  await using lease = store.lease();
  const saved = await Promise.all(wanted.map((one) => find(store, one)));
  const blobs = await blobsOf(store, saved);
  await lease.hold([...blobs.keys()]);
  for (const { image } of saved) if (!(await store.isWhole(image.target))) throw notWhole(image);
  for await (const piece of writeTar(filesOf(store, saved, [...blobs.values()], format))) {
    if (signal?.aborted) throw new NsboxError('ERR_ABORTED', 'save: aborted', { cause: signal.reason });
    yield piece;
  }
}

async function find(store: ContentStore, wanted: string): Promise<Saved> {
  const image = await findImage(store, wanted);
  if (image === undefined) throw noImage(wanted, store);
  return { image, name: image.names.find((name) => name === fullName(wanted)) };
}

function fullName(wanted: string): string | undefined {
  try {
    return formatReference(parseReference(wanted));
  } catch {
    // An ID.
    return undefined;
  }
}

async function blobsOf(store: ContentStore, saved: readonly Saved[]): Promise<Map<Digest, Descriptor>> {
  const found = new Map<Digest, Descriptor>();
  for (const { image } of saved)
    for (const descriptor of await store.reachable(image.target)) found.set(descriptor.digest, descriptor);
  return found;
}

function* filesOf(
  store: ContentStore,
  saved: readonly Saved[],
  blobs: readonly Descriptor[],
  format: SaveOptions['format'],
): Generator<TarFile> {
  yield document('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield document('index.json', indexOf(saved));
  if (format === 'docker-archive') yield document('manifest.json', saved.map(dockerEntryOf));
  for (const { digest, size } of [...blobs].sort((a, b) => (a.digest < b.digest ? -1 : 1)))
    yield { name: pathOf(digest), size, content: () => store.read(digest) };
}

function document(name: string, content: unknown): TarFile {
  const bytes = Buffer.from(JSON.stringify(content));
  return {
    name,
    size: bytes.length,
    content: async function* () {
      yield bytes;
    },
  };
}

function indexOf(saved: readonly Saved[]): ImageIndex {
  const manifests = saved.map(({ image: { target }, name }) => {
    const { mediaType, digest, size } = target;
    const annotations = name === undefined ? {} : { annotations: { [FULL_NAME]: name, [REF_NAME]: name } };
    return { mediaType, digest, size, ...annotations };
  });
  return { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests };
}

function dockerEntryOf({ image: { manifest }, name }: Saved): DockerEntry {
  return {
    Config: pathOf(manifest.config.digest),
    RepoTags: name === undefined ? [] : [name],
    Layers: manifest.layers.map(({ digest }) => pathOf(digest)),
  };
}

function pathOf(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function notWhole({ names, id }: Image): NsboxError {
  return new NsboxError('ERR_NOT_FOUND', `of ${names[0] ?? id} something is absent`, {
    hint: 'pull it again',
  });
}
