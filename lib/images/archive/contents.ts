import { posix } from 'node:path';
import { NsboxError } from '../../errors.js';
import { type Digest, isDigest } from '../../spec/digest.js';
import { quote } from '../../spec/validate.js';
import type { Lease } from '../content/lease.js';
import type { Spooled } from '../content/spool.js';
import type { ContentStore } from '../content/store.js';
import { refuse } from './refuse.js';
import { readTar, type TarEntry } from './tar-reader.js';

/** What an archive of images holds, by the names in it. Its blobs are in the store, held by a lease, and nothing names them yet. */
export interface Contents {
  /** The small files by which the others are found. */
  readonly documents: ReadonlyMap<string, string>;
  file(name: string): Spooled;
}

const DOCUMENTS: readonly string[] = ['manifest.json', 'index.json', 'oci-layout', 'repositories'];
const LARGEST_DOCUMENT = 4 * 1024 * 1024;
/** Images have some hundred layers at most. */
const MOST_ENTRIES = 20_000;
const MOST_LINKS = 8;

/** Takes an archive in as it comes, without ever holding more than a piece of it in memory. */
export async function readContents(
  store: ContentStore,
  lease: Lease,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Contents> {
  const documents = new Map<string, string>();
  const files = new Map<string, Spooled>();
  const links = new Map<string, string>();
  let count = 0;
  for await (const entry of readTar(source)) {
    signal?.throwIfAborted();
    count += 1;
    if (count > MOST_ENTRIES) throw refuse(`it has more than ${MOST_ENTRIES} entries`);
    const name = plainName(entry.name);
    if (entry.type === 'directory') continue;
    if (documents.has(name) || files.has(name) || links.has(name))
      throw refuse(`it has ${quote(name)} twice`);
    if (entry.type === 'link') links.set(name, targetOf(name, entry));
    else if (DOCUMENTS.includes(name)) documents.set(name, await readText(name, entry));
    else files.set(name, await store.spool(lease, entry.body, { expected: digestOf(name), signal }));
  }
  return { documents, file: (name) => find(plainName(name), files, links) };
}

// Nothing is ever written under such a name; but who makes one means harm.
function plainName(name: string): string {
  const plain = posix.normalize(name).replace(/^\.\//, '').replace(/\/$/, '');
  if (plain === '' || plain.startsWith('/') || plain.split('/').includes('..') || plain.includes('\0'))
    throw refuse(`it has a name that leads out of it: ${quote(name)}`);
  return plain;
}

function targetOf(name: string, { target, isHard }: TarEntry): string {
  return plainName(isHard ? target : posix.join(posix.dirname(name), target));
}

async function readText(name: string, { size, body }: TarEntry): Promise<string> {
  if (size > LARGEST_DOCUMENT) throw refuse(`${name} in it has ${size} bytes`);
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

// In a layout a blob's name says what it is.
function digestOf(name: string): Digest | undefined {
  const [, algorithm, hex] = /^blobs\/(sha256|sha384|sha512)\/([^/]+)$/.exec(name) ?? [];
  if (algorithm === undefined) return undefined;
  const digest = `${algorithm}:${hex}`;
  if (isDigest(digest)) return digest;
  throw refuse(`${quote(name)} is no blob's name`);
}

function find(
  name: string,
  files: ReadonlyMap<string, Spooled>,
  links: ReadonlyMap<string, string>,
): Spooled {
  let at: string | undefined = name;
  for (let count = 0; at !== undefined && count < MOST_LINKS; count += 1) {
    const found = files.get(at);
    if (found !== undefined) return found;
    at = links.get(at);
  }
  throw new NsboxError('ERR_INVALID_CONFIG', `the archive names ${quote(name)}, but does not hold it`);
}
