import type { Descriptor } from '../../spec/image/descriptor.js';
import type { Answer } from './answer.js';
import { RegistryFailure } from './failure.js';
import type { Session } from './session.js';

/** Gives a part of the blob, from byte `start` to byte `end`, both included. */
export type BlobReader = (range: { start: number; end: number }) => Promise<AsyncIterable<Uint8Array>>;

export interface UploadOptions {
  /** A blob larger than this goes up in pieces of this size. */
  readonly chunkSize: number;
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes have been sent. */
  readonly onBytes?: ((total: number) => void) | undefined;
}

export interface Upload extends UploadOptions {
  readonly session: Session;
  /** Repository in the registry. */
  readonly path: string;
  readonly scope: string;
  readonly blob: Descriptor;
  readonly what: string;
}

/**
 * Asks the registry to take a blob that another of its repositories has.
 *
 * @returns where to send it instead, or undefined when it has been taken
 */
export async function beginUpload(upload: Upload, from?: string): Promise<URL | undefined> {
  const { session, path, scope, blob, signal, what } = upload;
  const query = from === undefined ? '' : `?${new URLSearchParams({ mount: blob.digest, from })}`;
  const answer = await session.send({
    method: 'POST',
    target: `/v2/${path}/blobs/uploads/${query}`,
    scope,
    accept: from === undefined ? [202] : [201, 202],
    headers: { 'content-length': '0' },
    signal,
    what,
  });
  answer.discard();
  return answer.status === 201 ? undefined : await nextLocation(upload, answer);
}

/** Sends a blob to where {@link beginUpload} has said. */
export async function sendBlob(upload: Upload, location: URL, read: BlobReader): Promise<void> {
  const { blob, chunkSize } = upload;
  const isWhole = blob.size <= chunkSize;
  const end = isWhole ? location : await sendChunks(upload, location, read);
  await finish(upload, end, isWhole ? read : undefined);
}

async function sendChunks(upload: Upload, first: URL, read: BlobReader): Promise<URL> {
  const { session, scope, blob, signal, what } = upload;
  let location = first;
  for (let start = 0; start < blob.size; start += upload.chunkSize) {
    const end = Math.min(start + upload.chunkSize, blob.size) - 1;
    const answer = await session.sendOnce({
      method: 'PATCH',
      target: location,
      scope,
      accept: [202, 204],
      headers: bodyHeaders(end - start + 1, { 'content-range': `${start}-${end}` }),
      body: counted(await read({ start, end }), start, upload),
      signal,
      what,
    });
    answer.discard();
    location = await nextLocation(upload, answer);
  }
  return location;
}

async function finish(upload: Upload, location: URL, read: BlobReader | undefined): Promise<void> {
  const { session, scope, blob, signal, what } = upload;
  const target = new URL(location);
  // The location has a query of its own, which must stay.
  target.searchParams.set('digest', blob.digest);
  const isEmpty = read === undefined || blob.size === 0;
  const answer = await session.sendOnce({
    method: 'PUT',
    target,
    scope,
    accept: [201, 204],
    headers: bodyHeaders(isEmpty ? 0 : blob.size),
    body: isEmpty ? '' : counted(await read({ start: 0, end: blob.size - 1 }), 0, upload),
    signal,
    what,
  });
  answer.discard();
}

function bodyHeaders(size: number, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { 'content-type': 'application/octet-stream', 'content-length': String(size), ...more };
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  start: number,
  { onBytes }: UploadOptions,
): AsyncGenerator<Uint8Array> {
  let sent = start;
  for await (const chunk of bytes) {
    yield chunk;
    sent += chunk.length;
    onBytes?.(sent);
  }
}

async function nextLocation({ session, what }: Upload, answer: Answer): Promise<URL> {
  const location = answer.header('location') ?? '';
  const base = answer.url;
  if (location === '' || !URL.canParse(location, base.href))
    throw new RegistryFailure('ERR_IO', `${what}: ${base.host} has not said where to upload to`);
  const url = new URL(location, base);
  const own = await session.resolve('/');
  // Behind a proxy that ends TLS, many a registry believes to be plain HTTP.
  if (url.host === own.host) url.protocol = own.protocol;
  if (url.protocol === own.protocol || url.protocol === 'https:') return url;
  throw new RegistryFailure('ERR_IO', `${what}: ${base.host} wants the upload at ${url.origin}`, {
    hint: 'from HTTPS only HTTPS is followed',
  });
}
