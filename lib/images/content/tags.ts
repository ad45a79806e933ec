import type { Descriptor } from '../../spec/image/descriptor.js';
import { ownFolder } from './files.js';
import { readIndex, writeIndex } from './layout.js';
import { withLock } from './lock.js';

/** The annotation by which an image layout names an image: image-spec, annotations.md. */
const REF_NAME = 'org.opencontainers.image.ref.name';

/** A name and what it names. */
export interface Tag {
  /** The reference in full, as `formatReference` writes it; other tools may have written other names. */
  readonly name: string;
  readonly descriptor: Descriptor;
}

/** The tags of a layout. Of entries with one name the first counts, as it does for umoci. */
export async function listTags(root: string): Promise<Tag[]> {
  const found = new Map<string, Descriptor>();
  for (const descriptor of (await readIndex(root)).manifests) {
    const name = descriptor.annotations?.[REF_NAME];
    if (name !== undefined && !found.has(name)) found.set(name, descriptor);
  }
  return [...found].map(([name, descriptor]) => ({ name, descriptor }));
}

/** Gives a name to what is in the layout, and takes it from what had it. */
export async function setTag(root: string, name: string, descriptor: Descriptor): Promise<void> {
  const named = { ...descriptor, annotations: { ...descriptor.annotations, [REF_NAME]: name } };
  await change(root, (manifests) => [...without(manifests, name), named]);
}

/** Takes a name away; gives whether there was one. What it named goes with the next collection. */
export async function removeTag(root: string, name: string): Promise<boolean> {
  let wasThere = false;
  await change(root, (manifests) => {
    const rest = without(manifests, name);
    wasThere = rest.length < manifests.length;
    return rest;
  });
  return wasThere;
}

function without(manifests: readonly Descriptor[], name: string): Descriptor[] {
  return manifests.filter(({ annotations }) => annotations?.[REF_NAME] !== name);
}

async function change(
  root: string,
  edit: (manifests: readonly Descriptor[]) => readonly Descriptor[],
): Promise<void> {
  await withLock(ownFolder(root), async () => {
    const index = await readIndex(root);
    await writeIndex(root, { ...index, manifests: edit(index.manifests) });
  });
}
