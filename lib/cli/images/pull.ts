import { type BlobProgress, canRun, Images, type UnpackProgress, unpackImage } from '../../sandbox/images.js';
import { formatReference, parseReference } from '../../spec/reference.js';
import { Bars, type Step } from '../output/bars.js';
import { print } from '../output/print.js';
import { familiar, repositoryAndTag, shortDigest } from './titles.js';

export interface PullFlags {
  readonly quiet?: boolean;
  readonly platform?: string;
  readonly allPlatforms?: boolean;
}

/** `nsbox pull`: brings an image here and unpacks it, so that sandboxes start on it at once. */
export async function pull(
  name: string,
  { quiet = false, platform, allPlatforms }: PullFlags,
): Promise<number> {
  await using images = await Images.open();
  const full = formatReference(parseReference(name));
  const before = await images.find(full).catch(() => undefined);
  const [repository, tag] = repositoryAndTag(full);
  if (!quiet) await print(`${tag}: Pulling from ${repository}\n`);
  const bars = new Bars(process.stdout, quiet);
  const pulling = images.pull(name, {
    ...(platform !== undefined && { platform }),
    ...(allPlatforms === true && { allPlatforms }),
  });
  for await (const step of pulling) bars.set(shortDigest(step.digest), pullStep(step));
  const image = await pulling;
  if (canRun(image.config))
    await unpackImage(
      images,
      image,
      { image: name, ...(platform !== undefined && { platform }) },
      {
        onUnpack: (step) => bars.set(shortDigest(step.digest), unpackStep(step)),
      },
    );
  bars.finish();
  if (!quiet) {
    const isNew = before?.target.digest !== image.target.digest;
    const status = isNew ? 'Downloaded newer image' : 'Image is up to date';
    await print(`Digest: ${image.source}\nStatus: ${status} for ${familiar(full)}\n`);
  }
  await print(`${full}\n`);
  return 0;
}

/** What a layer's line says while it comes. */
export function pullStep({ status, done, size }: BlobProgress): Step {
  if (status === 'moving') return { text: 'Downloading', done, size };
  return { text: status === 'exists' ? 'Already exists' : 'Download complete' };
}

/** And while it is unpacked. */
export function unpackStep({ status }: UnpackProgress): Step {
  if (status === 'unpacking') return { text: 'Extracting' };
  return { text: status === 'unpacked' ? 'Pull complete' : 'Already exists' };
}
