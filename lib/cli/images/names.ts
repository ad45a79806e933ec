import { Images, pruneUnpacked, type Removed } from '../../sandbox/images.js';
import { report } from '../failure.js';
import { humanSize } from '../output/human.js';
import { print } from '../output/print.js';
import { familiar } from './titles.js';

/** `nsbox tag`. */
export async function tag(source: string, target: string): Promise<number> {
  await using images = await Images.open();
  await images.tag(source, target);
  return 0;
}

/** `nsbox rmi`: takes names away, and images with their last one. What cannot be removed is told, and the rest goes on. */
export async function remove(
  names: readonly string[],
  { force = false }: { readonly force?: boolean },
): Promise<number> {
  await using images = await Images.open();
  let exitCode = 0;
  for (const name of names)
    try {
      await print(linesOf(await images.remove(name, { force })));
    } catch (error) {
      report(error);
      exitCode = 1;
    }
  await pruneUnpacked(images);
  return exitCode;
}

function linesOf({ names, blobs }: Removed): string {
  const untagged = names.map((name) => `Untagged: ${familiar(name)}\n`);
  return [...untagged, ...blobs.map((digest) => `Deleted: ${digest}\n`)].join('');
}

/** `nsbox image prune`: what nobody names or uses. */
export async function prune({ all = false }: { readonly all?: boolean }): Promise<number> {
  await using images = await Images.open();
  const removed = await images.prune({ all });
  await pruneUnpacked(images);
  await print(`${linesOf(removed)}Total reclaimed space: ${humanSize(removed.freed)}\n`);
  return 0;
}

/** `nsbox image verify`: hashes everything. Answers 1 where an image is not whole afterwards. */
export async function verify({ repair = false }: { readonly repair?: boolean }): Promise<number> {
  await using images = await Images.open();
  const { checked, damaged, repaired, incomplete } = await images.verify({ repair });
  const lines = [
    ...damaged.map((digest) => `damaged, and removed: ${digest}`),
    ...repaired.map((name) => `repaired: ${familiar(name)}`),
    ...incomplete.map(({ tag: name, missing }) => `not whole: ${familiar(name)} lacks ${missing.join(', ')}`),
    `${checked} blobs verified`,
  ];
  await print(lines.map((line) => `${line}\n`).join(''));
  return incomplete.length > 0 ? 1 : 0;
}
