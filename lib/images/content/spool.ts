import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NsboxError } from '../../errors.js';
import { type Digest, parseDigest } from '../../spec/digest.js';
import { ioError, moveSynced } from './files.js';
import { asideOf, blobPath, sizeOf } from './layout.js';
import type { Lease } from './lease.js';

/** A blob of which only now is known what it is. */
export interface Spooled {
  readonly digest: Digest;
  readonly size: number;
  /** Its first bytes, by which its kind can be told. */
  readonly head: Buffer;
}

export interface SpoolOptions {
  /** What it should turn out to be. */
  readonly expected?: Digest | undefined;
  readonly signal?: AbortSignal | undefined;
}

const HEAD = 512;

/**
 * Stores bytes of which nobody has said what they are, as those of an archive; the lease holds them.
 *
 * @throws {@link NsboxError} `ERR_WRONG_CONTENT`, `ERR_NO_SPACE`, `ERR_IO`
 */
export async function spool(
  root: string,
  lease: Lease,
  source: AsyncIterable<Uint8Array>,
  { expected, signal }: SpoolOptions,
): Promise<Spooled> {
  const aside = asideOf(root);
  try {
    const spooled = await write(
      aside,
      source,
      expected === undefined ? 'sha256' : parseDigest(expected).algorithm,
      signal,
    );
    if (expected !== undefined && spooled.digest !== expected)
      throw new NsboxError('ERR_WRONG_CONTENT', `blob ${expected} has another content: ${spooled.digest}`);
    await lease.hold([spooled.digest]);
    const place = blobPath(root, spooled.digest);
    await mkdir(dirname(place), { recursive: true });
    if ((await sizeOf(place)) === spooled.size) await rm(aside);
    else await moveSynced(aside, place);
    return spooled;
  } catch (error) {
    await rm(aside, { force: true });
    throw ioError('store what has come', error);
  }
}

async function write(
  aside: string,
  source: AsyncIterable<Uint8Array>,
  algorithm: string,
  signal: AbortSignal | undefined,
): Promise<Spooled> {
  const hash = createHash(algorithm);
  const file = await open(aside, 'wx', 0o644);
  let size = 0;
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      if (head.length < HEAD) head = Buffer.concat([head, chunk.subarray(0, HEAD - head.length)]);
      hash.update(chunk);
      for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
      size += chunk.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { digest: `${algorithm}:${hash.digest('hex')}`, size, head };
}
