import { NsboxError } from '../errors.js';
import type { Image } from '../images/image.js';
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
  return await unpackImage(images, image, wish, options);
}

const ID = /^(sha256:)?[0-9a-f]{6,64}$/;

async function obtain(images: Images, wish: ImageWish, { signal, onPull }: ObtainOptions): Promise<Image> {
  const { image: wanted = '', pull: policy = 'missing' } = wish;
  const platform = wish.platform === undefined ? undefined : parsePlatform(wish.platform);
  // An ID is nothing that a registry could be asked for.
  const stored = ID.test(wanted) && policy !== 'always' ? await images.find(wanted, platform) : undefined;
  if (stored !== undefined) return stored;
  const pulling = images.pull(wanted, { policy, ...(platform && { platform }), ...(signal && { signal }) });
  try {
    for await (const progress of pulling) onPull?.(progress);
    return await pulling;
  } catch (error) {
    if (policy !== 'missing' || platform !== undefined || signal?.aborted) throw error;
    await refuseForeignInstead(images, wanted, error);
    throw error;
  }
}

// The store has it for another machine, which is why a registry was asked, and which is more to the point than its answer.
async function refuseForeignInstead(images: Images, wanted: string, cause: unknown): Promise<void> {
  const stored = await images.find(wanted).catch(() => undefined);
  if (stored !== undefined) refuseForeign(imageTitle(wanted), stored.config, cause);
}

/**
 * Unpacks an image, so that sandboxes start on it at once.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG` for layers that are not what the image says, `ERR_NO_SPACE`, `ERR_IO`
 */
export async function unpackImage(
  images: Images,
  image: Image,
  { image: wanted = image.names[0] ?? image.id, platform }: ImageWish,
  { signal, onUnpack }: ObtainOptions = {},
): Promise<ImageRoot> {
  const title = imageTitle(wanted);
  await using _ = await images.hold(image);
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

/** Whether programs of an image run on this machine. Old and minimal images do not tell for which they are. */
export function canRun({ os, architecture, variant }: ImageConfig): boolean {
  if (os === '' || architecture === '') return true;
  const here = parsePlatform(process.arch);
  const platform = { os, architecture, ...(variant ? { variant } : {}) };
  if (selectPlatform([{ platform }], here) !== undefined) return true;
  return os === 'linux' && ALSO_RUNS[here.architecture] === architecture;
}

function refuseForeign(name: string, config: ImageConfig, cause?: unknown): void {
  if (canRun(config)) return;
  const { os, architecture, variant } = config;
  const platform = formatPlatform({ os, architecture, ...(variant ? { variant } : {}) });
  const here = formatPlatform(parsePlatform(process.arch));
  throw new NsboxError('ERR_INVALID_CONFIG', `${name} is for ${platform} and cannot run on ${here}`, {
    ...(cause !== undefined && { cause }),
    hint: `pull it for this machine: nsbox pull --platform ${here} ${name}`,
  });
}
