import { type BlobProgress, Images } from '../../sandbox/images.js';
import { formatReference, parseReference } from '../../spec/reference.js';
import { Bars, type Step } from '../output/bars.js';
import { print } from '../output/print.js';
import { repositoryAndTag, shortDigest } from './titles.js';

/** `nsbox push`: sends an image to the registry of its name. */
export async function push(name: string, { quiet = false }: { readonly quiet?: boolean }): Promise<number> {
  await using images = await Images.open();
  const full = formatReference(parseReference(name));
  const [repository, tag] = repositoryAndTag(full);
  if (!quiet) await print(`The push refers to repository [${repository}]\n`);
  const bars = new Bars(process.stdout, quiet);
  const pushing = images.push(name);
  for await (const step of pushing) bars.set(shortDigest(step.digest), pushStep(step));
  const { digest, size } = await pushing;
  bars.finish();
  await print(quiet ? `${full}\n` : `${tag}: digest: ${digest} size: ${size}\n`);
  return 0;
}

const TEXTS = {
  moving: 'Pushing',
  done: 'Pushed',
  exists: 'Layer already exists',
  mounted: 'Mounted from another repository',
} as const;

function pushStep({ status, done, size }: BlobProgress): Step {
  return status === 'moving' ? { text: TEXTS.moving, done, size } : { text: TEXTS[status] };
}
