import { existsSync } from 'node:fs';
import type { Images } from '../images/images.js';
import { OverlaySnapshotter } from '../snapshots/overlay.js';
import { ownForm, snapshotDirectory } from '../snapshots/place.js';
import type { Pruned } from '../snapshots/snapshotter.js';

// Images as the faces see them: what is stored, and what of it is unpacked.

export type { ImportOptions } from '../images/archive/import.js';
export type { SaveOptions } from '../images/archive/save.js';
export type { HistoryStep } from '../images/history.js';
export type { Image } from '../images/image.js';
export {
  type ImagePullOptions,
  type ImagePushOptions,
  Images,
  type ImagesOptions,
  type PullPolicy,
} from '../images/images.js';
export type { BlobProgress } from '../images/progress.js';
export { type LoginOptions, login, logout } from '../images/registry/login.js';
export type { Removed, RemoveOptions } from '../images/remove.js';
export type { UnpackProgress } from '../snapshots/snapshotter.js';
export { canRun, unpackImage } from './image-obtain.js';

/** Removes what is unpacked of images that are not in the store any more, and that no sandbox stands on. */
export async function pruneUnpacked(images: Images): Promise<Pruned> {
  // Where nothing has ever been unpacked, nothing is made.
  if (!existsSync(snapshotDirectory(ownForm()))) return { roots: [], layers: 0 };
  const kept = (await images.list()).map(({ target }) => target.digest);
  return await new OverlaySnapshotter().prune(new Set(kept));
}
