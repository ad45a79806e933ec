import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Blob, MadeImage } from './images.js';
import { Server } from './server.js';

/** Answers a request in another way; gives whether it has. */
export type Trick = (request: IncomingMessage, response: ServerResponse, blob: Blob | undefined) => boolean;

/**
 * A registry of one image, in every repository as `:1`, which knows ranges and is as right as it can be but for the tricks
 * that a test plays.
 */
export function startImageServer(image: MadeImage, ...tricks: readonly Trick[]): Promise<Server> {
  return Server.start(serve(image, ...tricks));
}

/** What such a registry does with its requests. */
export function serve(image: MadeImage, ...tricks: readonly Trick[]): RequestListener {
  return (request, response) => {
    const blob = find(image, request.url ?? '');
    if (tricks.some((trick) => trick(request, response, blob))) return;
    if (request.url === '/v2/') response.end();
    else if (blob === undefined) sendError(response, 404, 'MANIFEST_UNKNOWN');
    else sendBlob(request, response, blob);
  };
}

function find({ manifest, blobs }: MadeImage, url: string): Blob | undefined {
  if (url.endsWith('/manifests/1')) return manifest;
  const digest = /\/(?:manifests|blobs)\/([^/]+)$/.exec(url)?.[1];
  return blobs.find(({ descriptor }) => descriptor.digest === digest);
}

/** What a registry says of a request that it refuses. */
export function sendError(response: ServerResponse, status: number, code: string, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: 'as the test wants' }] }));
}

/** The blob, or the part of it that was asked for. */
export function sendBlob(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, descriptor }: Blob,
): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const part = bytes.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, {
    'content-type': request.url?.includes('/manifests/') ? descriptor.mediaType : 'application/octet-stream',
    'content-length': part.length,
    ...(start > 0 && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
  });
  response.end(request.method === 'HEAD' ? undefined : part);
}
