import { quote } from '../../spec/validate.js';
import { ByteReader } from './byte-reader.js';
import { refuse } from './refuse.js';

/** One entry of an archive. What its body has and nobody reads is passed over. */
export interface TarEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'link';
  /** In bytes. */
  readonly size: number;
  /** Of a link: where it leads, as it is written; relative to the link's own directory unless it is a hard link. */
  readonly target: string;
  readonly isHard: boolean;
  readonly body: AsyncIterable<Buffer>;
}

const BLOCK = 512;
/** Of names and of what extends a header. */
const LARGEST_EXTENSION = 1024 * 1024;
const LONGEST_NAME = 4096;

/**
 * Reads what archives of images are made of: ustar, with pax and GNU's long names. It writes nothing; whatever its names
 * say, they are only compared.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`, `ERR_WRONG_CONTENT`
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void> {
  const reader = new ByteReader(source);
  try {
    let extension: Extension = {};
    for (let header = await nextHeader(reader); header !== undefined; header = await nextHeader(reader)) {
      if (isExtension(header)) {
        extension = { ...extension, ...(await readExtension(reader, header)) };
        continue;
      }
      const size = extension.size ?? header.size;
      let left = size;
      const body = async function* (): AsyncGenerator<Buffer, void> {
        for await (const part of reader.stream(left)) {
          left -= part.length;
          yield part;
        }
      };
      yield { ...entryOf(header, extension), size, body: { [Symbol.asyncIterator]: body } };
      await reader.skip(left + paddingOf(size));
      extension = {};
    }
  } finally {
    await reader.close();
  }
}

interface Header {
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly target: string;
}

/** What a header before an entry says of it. */
interface Extension {
  readonly name?: string;
  readonly target?: string;
  readonly size?: number;
}

async function nextHeader(reader: ByteReader): Promise<Header | undefined> {
  const block = await reader.block(BLOCK);
  // The end is marked by zeros; a stream that ends without them has lost nothing but these.
  if (block === undefined || block.every((byte) => byte === 0)) return undefined;
  if (!block.toString('latin1', 257, 262).startsWith('ustar')) throw refuse('it is no tar archive');
  if (number(block, 148, 8) !== checksumOf(block)) throw refuse('a header of it is damaged');
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: number(block, 124, 12),
    type: String.fromCharCode(block[156] ?? 0),
    target: text(block, 157, 100),
  };
}

function checksumOf(block: Buffer): number {
  // Its own field counts as blanks.
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0);
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

// Octal; or, with the first bit set, binary: GNU's form for what octal has no room for.
function number(block: Buffer, start: number, length: number): number {
  const field = block.subarray(start, start + length);
  const [first = 0] = field;
  const value = first & 0x80 ? binary(field) : octal(field);
  if (value === undefined || !Number.isSafeInteger(value)) throw refuse('a number in it cannot be read');
  return value;
}

function octal(field: Buffer): number | undefined {
  const digits = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : undefined;
}

// Negative ones have the second bit set, too.
function binary(field: Buffer): number | undefined {
  if (field[0] !== 0x80) return undefined;
  return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
}

function isExtension({ type }: Header): boolean {
  return 'xgLK'.includes(type);
}

async function readExtension(reader: ByteReader, { type, size }: Header): Promise<Extension> {
  if (size > LARGEST_EXTENSION) throw refuse('a header of it is too large');
  const content = (await reader.block(size)) ?? Buffer.alloc(0);
  await reader.skip(paddingOf(size));
  const whole = content.toString('utf8').replace(/\0+$/, '');
  if (type === 'L') return { name: whole };
  if (type === 'K') return { target: whole };
  return type === 'x' ? readPax(content) : {};
}

// pax(1), "pax Extended Header": each record begins with its own length.
function readPax(content: Buffer): Extension {
  let found: Extension = {};
  for (let at = 0; at < content.length; ) {
    const [, digits = ''] = /^(\d{1,7}) /.exec(content.toString('latin1', at, at + 8)) ?? [];
    const length = Number(digits);
    const record = content.toString('utf8', at + digits.length + 1, at + length - 1);
    const [, key, value = ''] = /^([^=]+)=(.*)$/s.exec(record) ?? [];
    if (length <= digits.length || content[at + length - 1] !== 0x0a || key === undefined)
      throw refuse('an extended header of it is damaged');
    if (key === 'path') found = { ...found, name: value };
    if (key === 'linkpath') found = { ...found, target: value };
    if (key === 'size') found = { ...found, size: decimal(value) };
    at += length;
  }
  return found;
}

function decimal(value: string): number {
  if (/^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
  throw refuse(`a size in it cannot be read: ${quote(value)}`);
}

function entryOf(header: Header, extension: Extension): Omit<TarEntry, 'size' | 'body'> {
  const { name = header.name, target = header.target } = extension;
  if (name.length > LONGEST_NAME || target.length > LONGEST_NAME) throw refuse('a name in it is too long');
  const type = typeOf(header, name);
  return { name, type, target, isHard: header.type === '1' };
}

function typeOf({ type, size }: Header, name: string): TarEntry['type'] {
  if (type === '0' || type === '\0' || type === '7') return 'file';
  if (size !== 0) throw refuse(`${quote(name)} has a content that it cannot have`);
  if (type === '5') return 'directory';
  if (type === '1' || type === '2') return 'link';
  throw refuse(`${quote(name)} is neither a file, a directory nor a link`);
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
