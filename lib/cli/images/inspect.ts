import { type Image, Images } from '../../sandbox/images.js';
import { print, printJson } from '../output/print.js';
import { formatOne } from '../output/template.js';
import { familiar, repositoryAndTag } from './titles.js';

/** `nsbox inspect`: all that is known of images, as docker names it. */
export async function inspect(
  names: readonly string[],
  { format }: { readonly format?: string },
): Promise<number> {
  await using images = await Images.open();
  const found = [];
  for (const name of names) found.push(described(await images.get(name)));
  if (format === undefined) await printJson(found);
  else for (const one of found) await print(formatOne(one, format));
  return 0;
}

function described(image: Image): object {
  const { config, names, platform } = image;
  return {
    Id: image.id,
    RepoTags: names.filter((name) => !name.includes('@')).map(familiar),
    RepoDigests: [...new Set(names.map((name) => `${repositoryAndTag(name)[0]}@${image.source}`))],
    Created: config.created ?? '',
    Author: config.author ?? '',
    Config: config.config ?? {},
    Architecture: platform.architecture,
    ...(platform.variant !== undefined && { Variant: platform.variant }),
    Os: platform.os,
    Size: image.size,
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Descriptor: image.descriptor,
  };
}
