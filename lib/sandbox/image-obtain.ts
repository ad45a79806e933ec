import { NsboxError } from '../errors.js';
import { type Image, isWhole } from '../images/image.js';
import { Images } from '../images/images.js';
import type { OnProgress } from '../images/progress.js';
import { OverlaySnapshotter } from '../snapshots/overlay.js';
import type { LayerSource, UnpackProgress } from '../snapshots/snapshotter.js';
import type { ImageConfig } from '../spec/image/config.js';
import { formatPlatform, parsePlatform, selectPlatform } from '../spec/platform.js';
import { type ImageNote, ImageRoot, type ImageWish, imageTitle, rootName } from './image.js';

export interface ObtainOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears of the blobs that a registry sends. */
  readonly onPull?: OnProgress;
  /** Hears of the layers that are unpacked. */
  readonly onUnpack?: (progress: UnpackProgress) => void;
}

/**
 * An image to stand on, whatever that takes: a registry is asked where the wish says so, and layers are unpacked.
 *
 * @throws {@link NsboxError} as `pull`, and `ERR_NOT_FOUND` where no registry may be asked
 */
export async function obtainImage(wish: ImageWish, options: ObtainOptions = {}): Promise<ImageRoot> {
  await using images = await Images.open();
  const image = await obtain(images, wish, options);
  await using _ = await images.hold(image);
  return await unpackImage(images, image, wish, options);
}

async function obtain(images: Images, wish: ImageWish, { signal, onPull }: ObtainOptions): Promise<Image> {
  const { image: wanted = '', pull: policy = 'missing' } = wish;
  const platform = wish.platform === undefined ? undefined : parsePlatform(wish.platform);
  // An ID is nothing that a registry could be asked for.
  const stored = policy === 'always' ? undefined : await images.find(wanted, platform);
  if (stored !== undefined && (await isWhole(images.store, stored))) return stored;
  const pulling = images.pull(wanted, { policy, ...(platform && { platform }), ...(signal && { signal }) });
  for await (const progress of pulling) onPull?.(progress);
  return await pulling;
}

async function unpackImage(
  images: Images,
  image: Image,
  { image: wanted = '', platform }: ImageWish,
  { signal, onUnpack }: ObtainOptions,
): Promise<ImageRoot> {
  const title = imageTitle(wanted);
  refuseForeign(title, image.config);
  const note: ImageNote = { digest: image.descriptor.digest, config: image.config.config ?? {} };
  const root = await new OverlaySnapshotter().prepare(
    rootName(image.target.digest, platform),
    { layers: layersOf(images, image), note },
    { signal, onProgress: onUnpack },
  );
  return new ImageRoot(title, root);
}

function layersOf(images: Images, { manifest, config }: Image): LayerSource[] {
  return manifest.layers.map(({ digest }, i) => ({
    digest,
    // As many as there are layers: the configuration has been checked.
    diffId: config.rootfs.diff_ids[i] ?? digest,
    open: () => images.openBlob(digest),
  }));
}

/** Programs that this machine's processor runs beside its own. */
const ALSO_RUNS: Readonly<Record<string, string>> = { amd64: '386', arm64: 'arm' };

function refuseForeign(name: string, { os, architecture, variant }: ImageConfig): void {
  // Old and minimal images do not tell.
  if (os === '' || architecture === '') return;
  const here = parsePlatform(process.arch);
  const platform = { os, architecture, ...(variant ? { variant } : {}) };
  if (selectPlatform([{ platform }], here) !== undefined) return;
  if (os === 'linux' && ALSO_RUNS[here.architecture] === architecture) return;
  throw new NsboxError(
    'ERR_INVALID_CONFIG',
    `${name} is for ${formatPlatform(platform)} and cannot run on ${formatPlatform(here)}`,
    { hint: `pull it for this machine: nsbox pull --platform ${formatPlatform(here)} ${name}` },
  );
}
