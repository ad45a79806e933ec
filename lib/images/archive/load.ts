import { parseLayout } from '../../spec/image/layout.js';
import { type Platform, parsePlatform } from '../../spec/platform.js';
import { abortable } from '../abort.js';
import type { Lease } from '../content/lease.js';
import type { ContentStore } from '../content/store.js';
import { listed } from '../find.js';
import { type Image, readImage } from '../image.js';
import type { Policy } from '../trust/policy.js';
import { checkArchivePolicy } from '../trust/trust.js';
import { decompressed } from './compression.js';
import { type Contents, readContents } from './contents.js';
import { type ArchivedImage, readDocker } from './docker.js';
import { readLayout } from './layout.js';
import { refuse } from './refuse.js';

export interface LoadOptions {
  /** Of images that the archive has for several. Default: this machine's. */
  readonly platform?: Platform;
  /** What images must fulfil; by default, nothing. */
  readonly policy?: Policy;
  readonly signal?: AbortSignal;
}

/** What an archive is can only be told when it is read; the policy must allow both. */
const KINDS = ['docker-archive', 'oci-archive'];

/**
 * Takes in the images of an archive, as a stream, compressed or not: of `docker save`, `podman save`, `skopeo`, or ours. All
 * of it is verified before anything gets its name.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`, `ERR_WRONG_CONTENT`, `ERR_NO_SPACE`, `ERR_IO`, `ERR_ABORTED`
 */
export async function loadImages(
  store: ContentStore,
  source: AsyncIterable<Uint8Array>,
  { platform = parsePlatform(process.arch), policy, signal }: LoadOptions,
): Promise<Image[]> {
  return await abortable('load', signal, async () => {
    if (policy !== undefined) for (const kind of KINDS) checkArchivePolicy(policy, kind);
    await using lease = store.lease();
    const contents = await readContents(store, lease, decompressed(source), signal);
    const found = await imagesOf(store, lease, contents, platform);
    // Before any of them is named: what cannot be read is no image.
    for (const one of found) await readImage(store, one, platform);
    const images: Image[] = [];
    for (const { names, descriptor } of found) {
      for (const name of names.length === 0 ? [undefined] : names) await store.tag(name, descriptor);
      images.push(await readImage(store, await listed(store, descriptor), platform));
    }
    return images;
  });
}

// Docker writes both: an index, which may list what is not there, and its own list.
async function imagesOf(
  store: ContentStore,
  lease: Lease,
  contents: Contents,
  platform: Platform,
): Promise<readonly ArchivedImage[]> {
  const { documents } = contents;
  const [index, marker, docker] = ['index.json', 'oci-layout', 'manifest.json'].map((name) =>
    documents.get(name),
  );
  if (index !== undefined && marker !== undefined) {
    parseLayout(marker);
    const found = await readLayout(store, index, platform);
    if (found !== undefined && found.length > 0) return found;
    if (docker === undefined)
      throw refuse(found === undefined ? 'it does not hold all that its index lists' : 'it lists no image');
  }
  if (docker === undefined) throw refuse('it has neither manifest.json nor index.json with oci-layout');
  return await readDocker(store, lease, contents, docker);
}
