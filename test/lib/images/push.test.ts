import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { BlobProgress } from '../../../lib/images/progress.js';
import { ImageUser } from './support/fixture.js';
import { sendError, type Trick } from './support/image-server.js';
import { makeImage, putImage } from './support/images.js';
import { Server } from './support/server.js';

/** A registry that takes everything, but for the tricks; of each blob it keeps the digest of what came. */
async function startSink(...tricks: readonly Trick[]): Promise<{ server: Server; taken: string[] }> {
  const taken: string[] = [];
  const server = await Server.start((request, response) => {
    if (tricks.some((trick) => trick(request, response, undefined))) return;
    const { method, url = '' } = request;
    if (url === '/v2/') return response.end();
    if (method === 'HEAD') return sendError(response, 404, 'BLOB_UNKNOWN');
    const hash = createHash('sha256');
    request.on('data', (chunk) => hash.update(chunk));
    request.on('end', () => {
      if (method === 'PUT') taken.push(`sha256:${hash.digest('hex')}`);
      const location = '/v2/some/app/blobs/uploads/1?state=of-ours';
      response.writeHead(method === 'PUT' ? 201 : 202, { location });
      response.end();
    });
  });
  return { server, taken };
}

const IMAGE = makeImage({ files: { a: 'a'.repeat(5000) } });

async function push(server: Server, options: object = {}): Promise<void> {
  await using user = await ImageUser.make();
  await putImage(user.store, `${server.name}/some/app:1`, IMAGE);
  await putImage(user.store, `${server.name}/other/app:1`, IMAGE);
  await user.push(`${server.name}/some/app:1`, options);
}

const begins: Trick = ({ method }) => method === 'POST';

function redirected(location: string): Trick {
  return (request, response, blob) => {
    if (!begins(request, response, blob)) return false;
    response.writeHead(202, { location });
    response.end();
    return true;
  };
}

describe('a push', () => {
  test('sends what its digests say, the manifest last', async () => {
    const { server, taken } = await startSink();
    await using _ = server;
    await push(server);
    expect([...taken].sort()).toEqual(IMAGE.blobs.map(({ descriptor }) => descriptor.digest).sort());
    expect(taken.at(-1)).toBe(IMAGE.manifest.descriptor.digest);
    expect(server.asked.at(-1)).toBe('PUT /v2/some/app/manifests/1');
  });

  test('keeps the query of where the registry wants the upload', async () => {
    const { server } = await startSink();
    await using _ = server;
    await push(server);
    const puts = server.asked.filter((line) => line.startsWith('PUT') && line.includes('uploads'));
    expect(puts).toHaveLength(2);
    for (const line of puts) expect(line).toMatch(/\?state=of-ours&digest=sha256%3A/);
  });

  test.each([
    ['nowhere', '', /not said where/],
    ['to a file', 'file:///etc/passwd', /wants the upload at/],
    ['to no URL', 'http://', /not said where/],
  ])('that is sent %s is refused', async (_, location, message) => {
    const { server, taken } = await startSink(redirected(location));
    await using _server = server;
    await expect(push(server)).rejects.toMatchObject({
      code: 'ERR_IO',
      message: expect.stringMatching(message),
    });
    expect(taken).toEqual([]);
  });

  test('that is sent to another host proves us there to nobody', async () => {
    const { server: other } = await startSink();
    await using _other = other;
    const login: Trick = (request, response) => {
      if (request.headers.authorization !== undefined) return false;
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="tests"' });
      return true;
    };
    const { server } = await startSink(login, redirected(`http://${other.name}/upload`));
    await using _server = server;
    const credentials = { kind: 'password', username: 'ali', password: 'open sesame' } as const;
    await using user = await ImageUser.make({ credentials });
    await putImage(user.store, `${server.name}/some/app:1`, IMAGE);
    await user.push(`${server.name}/some/app:1`);
    expect(other.asked.length).toBeGreaterThan(0);
    expect(other.asked.filter((line) => line.includes('authorized'))).toEqual([]);
  });

  test.each([202, 403])('whose blobs may not be taken over (%i) sends them', async (status) => {
    const refuse: Trick = (request, response) => {
      if (!request.url?.includes('mount=')) return false;
      response.writeHead(status, { location: '/v2/some/app/blobs/uploads/1' });
      response.end();
      return true;
    };
    const { server } = await startSink(refuse);
    await using _ = server;
    const steps: BlobProgress[] = [];
    await push(server, { onProgress: (step: BlobProgress) => steps.push(step) });
    expect(server.asked.filter((line) => line.includes('mount=')).length).toBeGreaterThan(0);
    expect(steps.filter(({ status: one }) => one === 'done')).toHaveLength(2);
  });

  test('that fails in the middle of a blob is begun anew', async () => {
    let failures = 2;
    const fail: Trick = ({ method, url }, response) => {
      if (method !== 'PUT' || !url?.includes('uploads') || failures === 0) return false;
      failures -= 1;
      sendError(response, 503, 'UNAVAILABLE');
      return true;
    };
    const { server, taken } = await startSink(fail);
    await using _ = server;
    await push(server);
    expect(taken).toHaveLength(3);
  });

  test('of what is damaged in the store is refused', async () => {
    const { server } = await startSink();
    await using _ = server;
    await using user = await ImageUser.make();
    const name = `${server.name}/some/app:1`;
    await putImage(user.store, name, IMAGE);
    await user.store.delete(IMAGE.blobs[1]?.descriptor.digest ?? 'sha256:none');
    await expect(user.push(name)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    expect(server.asked.filter((line) => line.includes('/manifests/'))).toEqual([]);
  });
});
