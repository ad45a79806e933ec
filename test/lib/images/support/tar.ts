/** One entry, true or false as the test wants it. */
export interface Member {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly type?: string;
  readonly target?: string;
  /** As the header writes it. */
  readonly size?: string;
  readonly checksum?: string;
}

/** A tar archive of these entries. */
export function tarOf(...members: readonly Member[]): Buffer {
  return Buffer.concat([...members.flatMap(entry), Buffer.alloc(1024)]);
}

function entry({ name, content = '', type = '0', target = '', ...wrong }: Member): Buffer[] {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(name);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(wrong.size ?? `${bytes.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(target, 157);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(wrong.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
}
