import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NsboxError } from '../../errors.js';
import { type Digest, parseDigest } from '../../spec/digest.js';
import { ioError, isErrno, moveSynced, namesIn, ownFolder } from './files.js';
import { blobPath, sizeOf } from './layout.js';
import { isAlive, ownerOf, ownName } from './owner.js';

/** What a blob must turn out to be. */
export interface Expected {
  readonly digest: Digest;
  readonly size: number;
}

/** Gives a blob's bytes from an offset on: what an earlier attempt has written is not asked for again. */
export type Source = (offset: number) => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;

export interface IngestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes there are of the blob, also of those from an earlier attempt. */
  readonly onBytes?: ((total: number) => void) | undefined;
}

/**
 * Writes a blob aside, verifies it on the way, and gives it its name when it is whole and on the disk. What arrived
 * before a failure is kept for the next attempt, by whichever process.
 *
 * @throws {@link NsboxError} `ERR_WRONG_CONTENT`, `ERR_NO_SPACE`, `ERR_IO`
 */
export async function ingest(
  root: string,
  expected: Expected,
  source: Source,
  options: IngestOptions = {},
): Promise<void> {
  const partial = await adopt(root, expected.digest);
  const offset = (await sizeOf(partial)) ?? 0;
  // Too much is as wrong as what does not hash; neither may be met again.
  if (offset > expected.size) await rm(partial);
  try {
    await fill(root, partial, expected, source, options);
  } catch (error) {
    if (!(error instanceof WrongContent)) throw ioError(`store blob ${expected.digest}`, error);
    await rm(partial, { force: true });
    // The damage may be in what an earlier attempt has left.
    if (offset === 0) throw error;
    await fill(root, partial, expected, source, options);
  } finally {
    await abandon(root, partial, expected.digest);
  }
}

/** Content that is not what its descriptor says. */
class WrongContent extends NsboxError {
  constructor(message: string) {
    super('ERR_WRONG_CONTENT', message, {
      hint: 'the sender, or something between, is broken or malicious; nothing of it was kept',
    });
  }
}

async function fill(
  root: string,
  partial: string,
  expected: Expected,
  source: Source,
  options: IngestOptions,
): Promise<void> {
  const hash = createHash(parseDigest(expected.digest).algorithm);
  const file = await open(partial, 'a', 0o644);
  try {
    const size = await append(file, await rehash(partial, hash), hash, expected, source, options);
    verify(expected, size, hash.digest('hex'));
    await file.sync();
  } finally {
    await file.close();
  }
  const place = blobPath(root, expected.digest);
  // Of sha512 there was none yet.
  await mkdir(dirname(place), { recursive: true });
  await moveSynced(partial, place);
}

async function rehash(partial: string, hash: Hash): Promise<number> {
  let size = 0;
  for await (const chunk of createReadStream(partial, { highWaterMark: 1 << 20 })) {
    hash.update(chunk);
    size += chunk.length;
  }
  return size;
}

async function append(
  file: FileHandle,
  offset: number,
  hash: Hash,
  expected: Expected,
  source: Source,
  { signal, onBytes }: IngestOptions,
): Promise<number> {
  let size = offset;
  onBytes?.(size);
  if (size === expected.size) return size;
  for await (const chunk of await source(offset)) {
    signal?.throwIfAborted();
    size += chunk.length;
    // Before it is written: a sender that does not stop must not fill the disk.
    if (size > expected.size) verify(expected, size, '');
    hash.update(chunk);
    await writeAll(file, chunk);
    onBytes?.(size);
  }
  return size;
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; )
    written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
}

function verify({ digest, size }: Expected, gotSize: number, gotHex: string): void {
  if (gotSize > size) throw new WrongContent(`blob ${digest} is larger than its ${size} bytes`);
  if (gotSize < size) throw new WrongContent(`blob ${digest} has ${gotSize} bytes instead of ${size}`);
  const { algorithm, hex } = parseDigest(digest);
  if (gotHex !== hex) throw new WrongContent(`blob ${digest} has another content: ${algorithm}:${gotHex}`);
}

// A half-written blob's name is its digest and its writer's; renaming it is how a process makes it its own, and of two that
// try one fails. Those that failed in a living process are nobody's.
async function adopt(root: string, digest: Digest): Promise<string> {
  const own = ownFolder(root, 'ingest', `${partialName(digest)}.${ownName()}`);
  for (const name of await namesIn(ownFolder(root, 'ingest'))) {
    if (!name.startsWith(`${partialName(digest)}.`) || !isAbandoned(name)) continue;
    try {
      await rename(ownFolder(root, 'ingest', name), own);
      return own;
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw ioError(`take over ${name}`, error);
    }
  }
  return own;
}

async function abandon(root: string, partial: string, digest: Digest): Promise<void> {
  try {
    await rename(partial, ownFolder(root, 'ingest', `${partialName(digest)}.free`));
  } catch (error) {
    // It has become the blob.
    if (!isErrno(error, 'ENOENT')) throw ioError(`leave ${partial}`, error);
  }
}

function partialName(digest: Digest): string {
  return digest.replace(':', '-');
}

/** Whether nobody is writing this file of `ingest` any more. */
export function isAbandoned(name: string): boolean {
  const owner = ownerOf(name.slice(name.indexOf('.') + 1));
  return owner === undefined || !isAlive(owner);
}
