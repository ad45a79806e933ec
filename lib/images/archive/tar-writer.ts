const BLOCK = 512;
const OCTAL_LIMIT = 8 ** 11;
const NAME_LIMIT = 100;

/** A file to be: its content comes when it is asked for, and must have the size. */
export interface TarFile {
  readonly name: string;
  readonly size: number;
  readonly content: () => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;
}

/** An archive of files that are read one after the other: ustar, root's, of no time, so that it is the same every time. */
export async function* writeTar(
  files: AsyncIterable<TarFile> | Iterable<TarFile>,
): AsyncGenerator<Uint8Array, void> {
  for await (const { name, size, content } of files) {
    yield* headersOf(name, size);
    let written = 0;
    for await (const chunk of await content()) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== size) throw new Error(`${name}: ${written} bytes instead of ${size}`);
    yield Buffer.alloc(paddingOf(size));
  }
  yield Buffer.alloc(2 * BLOCK);
}

// A name that its field has no room for is told by a header before: pax(1), "pax Extended Header".
function* headersOf(name: string, size: number): Generator<Buffer, void> {
  if (name.length > NAME_LIMIT) {
    const record = recordOf('path', name);
    yield headerOf('path', record.length, 'x');
    yield Buffer.concat([record, Buffer.alloc(paddingOf(record.length))]);
  }
  yield headerOf(name.slice(0, NAME_LIMIT), size, '0');
}

// Its length counts itself.
function recordOf(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  const digits = String(rest.length + 2).length;
  return Buffer.from(`${rest.length + digits}${rest}`, 'latin1');
}

function headerOf(name: string, size: number, type: '0' | 'x'): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'latin1');
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  writeSize(header, size);
  header.write('00000000000\0', 136);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

// Beyond 8 GiB octal has no room; GNU's binary form is what all programs read.
function writeSize(header: Buffer, size: number): void {
  if (size < OCTAL_LIMIT) header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
}
