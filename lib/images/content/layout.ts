import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NsboxError } from '../../errors.js';
import { type Digest, parseDigest } from '../../spec/digest.js';
import { type ImageIndex, parseIndex } from '../../spec/image/index.js';
import { LAYOUT_FILES, parseLayout } from '../../spec/image/layout.js';
import { MEDIA_TYPES } from '../../spec/image/media-types.js';
import { ioError, isErrno, ownFolder, replaceFile } from './files.js';
import { withLock } from './lock.js';
import { ownName } from './owner.js';

/** Where a blob lies. The digest has been checked, so it names a file in there and nothing else. */
export function blobPath(root: string, digest: Digest): string {
  const { algorithm, hex } = parseDigest(digest);
  return join(root, LAYOUT_FILES.blobs, algorithm, hex);
}

/**
 * Makes the directory an image layout, unless it is one. What is ours beside it is in `.nsbox`, which the
 * specification allows and other tools pass over.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG` for a layout that we do not know
 */
export async function prepareLayout(root: string): Promise<void> {
  try {
    // Images may hold what is no other user's business.
    await mkdir(root, { recursive: true, mode: 0o700 });
    for (const folder of ['ingest', 'leases']) await mkdir(ownFolder(root, folder), { recursive: true });
    await mkdir(join(root, LAYOUT_FILES.blobs, 'sha256'), { recursive: true });
  } catch (error) {
    throw ioError(`make the image store ${root}`, error);
  }
  if (!(await isThere(join(root, LAYOUT_FILES.marker)))) await withLock(ownFolder(root), () => fill(root));
  parseLayout(await readText(root, LAYOUT_FILES.marker), join(root, LAYOUT_FILES.marker));
}

// The marker last: where it is, so is the rest.
async function fill(root: string): Promise<void> {
  if (await isThere(join(root, LAYOUT_FILES.marker))) return;
  if (!(await isThere(join(root, LAYOUT_FILES.index)))) await writeIndex(root, emptyIndex());
  const marker = JSON.stringify({ imageLayoutVersion: '1.0.0' });
  await replaceFile(join(root, LAYOUT_FILES.marker), marker, asideOf(root));
}

function emptyIndex(): ImageIndex {
  return { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [] };
}

/** The tags and what they name. */
export async function readIndex(root: string): Promise<ImageIndex> {
  return parseIndex(await readText(root, LAYOUT_FILES.index), join(root, LAYOUT_FILES.index));
}

/** Only under the lock. */
export async function writeIndex(root: string, index: ImageIndex): Promise<void> {
  await replaceFile(join(root, LAYOUT_FILES.index), JSON.stringify(index), asideOf(root));
}

/** A name for a file that is being written; on the same file system, so that it can be renamed. */
export function asideOf(root: string): string {
  return ownFolder(root, 'ingest', `file.${ownName()}`);
}

async function readText(root: string, name: string): Promise<string> {
  try {
    return await readFile(join(root, name), 'utf8');
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw ioError(`read ${join(root, name)}`, cause);
    throw new NsboxError('ERR_INVALID_CONFIG', `${root} is no image layout: it has no ${name}`, { cause });
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await sizeOf(path)) !== undefined;
}

/** A file's size; undefined where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw ioError(`look at ${path}`, error);
  }
}
