import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { NsboxError } from '../../errors.js';
import { ByteReader } from './byte-reader.js';
import { truncated } from './refuse.js';

export type Compression = 'none' | 'gzip' | 'zstd';

const MAGIC = 4;

/** How something is compressed, by its first bytes. */
export function compressionOf(head: Uint8Array): Compression {
  const [a, b, c, d] = head;
  if (a === 0x1f && b === 0x8b) return 'gzip';
  return a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd ? 'zstd' : 'none';
}

/** The bytes of a stream before compression, however that was done. */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = new ByteReader(source);
  const head = (await reader.upTo(MAGIC)) ?? Buffer.alloc(0);
  const compression = compressionOf(head);
  const whole = async function* (): AsyncGenerator<Uint8Array, void> {
    yield head;
    yield* reader.rest();
  };
  try {
    if (compression === 'none') yield* whole();
    else yield* through(decompressor(compression), whole());
  } finally {
    await reader.close();
  }
}

function decompressor(compression: 'gzip' | 'zstd'): Transform {
  if (compression === 'gzip') return zlib.createGunzip();
  // Node has it from 22.15 on.
  const make: unknown = Reflect.get(zlib, 'createZstdDecompress');
  if (typeof make === 'function') return make();
  throw new NsboxError('EUNSUPPORTED', 'zstd cannot be read by this version of Node.js', {
    hint: 'use Node.js 22.15 or later, or decompress it before: zstd -dc FILE',
  });
}

async function* through(
  stream: Transform,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  // The failure is met below.
  pipeline(Readable.from(source), stream, () => {});
  try {
    for await (const chunk of stream) yield chunk;
  } catch (cause) {
    if (cause instanceof NsboxError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code === 'Z_BUF_ERROR') throw truncated();
    throw new NsboxError('ERR_WRONG_CONTENT', `what is compressed is damaged: ${String(cause)}`, { cause });
  }
}
