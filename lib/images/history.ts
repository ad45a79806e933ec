import type { Digest } from '../spec/digest.js';
import type { ImageHistory } from '../spec/image/config.js';
import type { Descriptor } from '../spec/image/descriptor.js';
import type { Image } from './image.js';

/** One step by which an image was made. */
export interface HistoryStep extends ImageHistory {
  /** What it added; absent for a step that changed the configuration alone. */
  readonly layer?: Descriptor;
  /** The digest of the layer before compression. */
  readonly diffId?: Digest;
}

/** How an image was made, the last step first. Layers of which its history does not tell come first of all. */
export function historyOf({ config, manifest: { layers } }: Image): HistoryStep[] {
  const layerOf = (index: number): Pick<HistoryStep, 'layer' | 'diffId'> => {
    const layer = layers[index];
    const diffId = config.rootfs.diff_ids[index];
    return { ...(layer && { layer }), ...(diffId && { diffId }) };
  };
  let next = 0;
  const steps = (config.history ?? []).map((step): HistoryStep => {
    if (step.empty_layer === true) return step;
    next += 1;
    return { ...step, ...layerOf(next - 1) };
  });
  const untold = layers.slice(next).map((_, index) => layerOf(next + index));
  return [...steps, ...untold].reverse();
}
