import { readFile } from 'node:fs/promises';
import { NsboxError } from '../../errors.js';
import type { Digest } from '../../spec/digest.js';
import type { Descriptor } from '../../spec/image/descriptor.js';
import { parseIndex } from '../../spec/image/index.js';
import { parseManifest } from '../../spec/image/manifest.js';
import { isIndexType, isManifestType } from '../../spec/image/media-types.js';
import { ioError, isErrno } from './files.js';
import { blobPath, sizeOf } from './layout.js';

/** An index can list indexes. Deeper than this, none does that anybody made for use. */
const DEEPEST = 8;
/** Of documents, not of layers: as much as registries take. */
export const LARGEST_DOCUMENT = 4 * 1024 * 1024;

/** What a document names: the manifests of an index, the configuration and layers of a manifest. */
export function childrenOf(descriptor: Descriptor, json: string): readonly Descriptor[] {
  if (isIndexType(descriptor.mediaType)) return parseIndex(json, `index ${descriptor.digest}`).manifests;
  if (!isManifestType(descriptor.mediaType)) return [];
  const { config, layers } = parseManifest(json, `manifest ${descriptor.digest}`);
  return [config, ...layers];
}

/**
 * All that the roots name, directly and through others, themselves included. What is not in the layout, such as an
 * index's manifests for other platforms, is given as well, but cannot be looked into.
 */
export async function reachable(
  root: string,
  roots: readonly Descriptor[],
): Promise<Map<Digest, Descriptor>> {
  const found = new Map<Digest, Descriptor>();
  let level = roots;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST)
      throw new NsboxError('ERR_INVALID_CONFIG', `indexes lie ${DEEPEST} deep in each other`);
    const fresh = level.filter(({ digest }) => !found.has(digest));
    for (const descriptor of fresh) found.set(descriptor.digest, descriptor);
    level = (await Promise.all(fresh.map((one) => childrenIn(root, one)))).flat();
  }
  return found;
}

async function childrenIn(root: string, descriptor: Descriptor): Promise<readonly Descriptor[]> {
  if (!isIndexType(descriptor.mediaType) && !isManifestType(descriptor.mediaType)) return [];
  const json = await readDocument(root, descriptor.digest);
  return json === undefined ? [] : childrenOf(descriptor, json);
}

/** Reads a small blob; undefined where it is absent. It is not hashed again. */
export async function readDocument(root: string, digest: Digest): Promise<string | undefined> {
  const path = blobPath(root, digest);
  const size = await sizeOf(path);
  if (size === undefined) return undefined;
  if (size > LARGEST_DOCUMENT)
    throw new NsboxError('ERR_INVALID_CONFIG', `blob ${digest} is too large for a document: ${size} bytes`);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw ioError(`read blob ${digest}`, error);
  }
}
