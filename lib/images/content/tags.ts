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

/** What the layout lists, under a name or, since that has been given to another, without. */
export interface Entry {
  readonly name: string | undefined;
  readonly descriptor: Descriptor;
}

/** All that the layout lists. Of entries with one name the first counts, as it does for umoci. */
export async function listEntries(root: string): Promise<Entry[]> {
  return entriesOf((await readIndex(root)).manifests);
}

function entriesOf(manifests: readonly Descriptor[]): Entry[] {
  const found = new Map<string, Entry>();
  for (const descriptor of manifests) {
    const name = descriptor.annotations?.[REF_NAME];
    const key = name ?? `@${descriptor.digest}`;
    if (!found.has(key)) found.set(key, { name, descriptor });
  }
  return [...found.values()];
}

/** The names of a layout. */
export async function listTags(root: string): Promise<Tag[]> {
  return (await listEntries(root)).flatMap(({ name, descriptor }) =>
    name === undefined ? [] : [{ name, descriptor }],
  );
}

/**
 * Lists what is in the layout, under a name or without; who had the name stays listed without.
 */
export async function setTag(root: string, name: string | undefined, descriptor: Descriptor): Promise<void> {
  await change(root, (entries) => {
    const rest = entries.map((entry) => (entry.name === name ? { ...entry, name: undefined } : entry));
    return withoutNamed([...rest, { name, descriptor }]);
  });
}

// What has a name need not be listed without one as well.
function withoutNamed(entries: readonly Entry[]): Entry[] {
  const named = new Set(
    entries.flatMap(({ name, descriptor: { digest } }) => (name === undefined ? [] : digest)),
  );
  return entries.filter(({ name, descriptor: { digest } }) => name !== undefined || !named.has(digest));
}

/** Takes a name away; gives whether there was one. What it named goes with the next collection. */
export async function removeTag(root: string, name: string): Promise<boolean> {
  return (await removeEntries(root, (entry) => entry.name === name)).length > 0;
}

/**
 * Removes what is chosen from the list, and gives it back. The choice sees the list as it is at this moment, and may throw:
 * then nothing is removed.
 */
export async function removeEntries(
  root: string,
  isChosen: (entry: Entry, all: readonly Entry[]) => boolean,
): Promise<Entry[]> {
  let removed: Entry[] = [];
  await change(root, (entries) => {
    removed = entries.filter((entry) => isChosen(entry, entries));
    return entries.filter((entry) => !removed.includes(entry));
  });
  return removed;
}

async function change(root: string, edit: (entries: readonly Entry[]) => readonly Entry[]): Promise<void> {
  await withLock(ownFolder(root), async () => {
    const index = await readIndex(root);
    const manifests = edit(entriesOf(index.manifests)).map(({ name, descriptor }) => named(descriptor, name));
    await writeIndex(root, { ...index, manifests });
  });
}

function named({ annotations = {}, ...descriptor }: Descriptor, name: string | undefined): Descriptor {
  const { [REF_NAME]: _, ...others } = annotations;
  const all = name === undefined ? others : { ...others, [REF_NAME]: name };
  return Object.keys(all).length === 0 ? descriptor : { ...descriptor, annotations: all };
}
