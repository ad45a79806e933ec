import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NsboxError } from '../../lib/errors.js';
import { readTar } from '../../lib/images/archive/tar-reader.js';
import { tarOf } from '../lib/images/support/tar.js';
import { isLong } from '../support/mode.js';

const numRuns = isLong ? 20_000 : 500;

const SAMPLE = tarOf(
  { name: 'a/', type: '5' },
  { name: 'pax', type: 'x', content: '18 path=long/name\n' },
  { name: 'short', content: 'x'.repeat(700) },
  { name: '././@LongLink', type: 'L', content: 'another/long/name\0' },
  { name: 'other', type: '2', target: 'a/b' },
);

/** Reads all of it; whatever is wrong, only one of our errors may come. */
async function read(bytes: Uint8Array, pieces: number): Promise<void> {
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieces) yield bytes.subarray(at, at + pieces);
  };
  try {
    for await (const { name, size, body } of readTar(source())) {
      let length = 0;
      for await (const part of body) length += part.length;
      expect(length).toBe(size);
      expect(name.length).toBeLessThanOrEqual(4096);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(NsboxError);
  }
}

const piece = fc.integer({ min: 1, max: 2000 });

test('the reader of archives survives what differs in some bytes', async () => {
  const change = fc.tuple(fc.integer({ min: 0, max: SAMPLE.length - 1 }), fc.integer({ min: 0, max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), piece, async (changes, pieces) => {
      const bytes = Buffer.from(SAMPLE);
      for (const [at, value] of changes) bytes[at] = value;
      await read(bytes, pieces);
    }),
    { numRuns },
  );
});

// The checksum would catch nearly all of the above: here it is made right again.
test('the reader of archives survives headers that say anything', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 345, maxLength: 345 }), piece, async (fields, pieces) => {
      const header = Buffer.alloc(512);
      header.set(fields);
      header.write('        ', 148);
      header.write('ustar\x0000', 257);
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      await read(Buffer.concat([header, SAMPLE]), pieces);
    }),
    { numRuns },
  );
});

test('the reader of archives survives extended headers that say anything', async () => {
  const records = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.stringMatching(/^(\d{1,2} (path|size|linkpath)=\w{0,9}\n){0,4}$/),
  );
  await fc.assert(
    fc.asyncProperty(records, piece, async (content, pieces) => {
      await read(tarOf({ name: 'pax', type: 'x', content }, { name: 'a', content: 'a' }), pieces);
    }),
    { numRuns },
  );
});
