import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { deferred } from '../../../lib/util/deferred.js';
import { ImageUser } from './support/fixture.js';
import { Server } from './support/server.js';

/** A registry that wants a token of what answers at `/token`. */
function startRegistry(token: (response: ServerResponse) => void): Promise<Server> {
  return Server.start((request, response) => {
    if (request.url?.startsWith('/token')) return token(response);
    const realm = `Bearer realm="http://${request.headers.host}/token",service="tests"`;
    response.writeHead(401, { 'www-authenticate': realm });
    response.end();
  });
}

describe('a token server', () => {
  test('that does not answer is not waited for after an abort', async () => {
    const asked = deferred<void>();
    const gone = deferred<void>();
    await using server = await startRegistry((response) => {
      asked.resolve();
      response.on('close', () => gone.resolve());
    });
    await using user = await ImageUser.make({ stallMs: 60_000 });
    const stop = new AbortController();
    const pulled = user.pull(`${server.name}/slow:1`, { signal: stop.signal });
    void asked.promise.then(() => stop.abort());
    await expect(pulled).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    // Nor is it left to itself.
    await gone.promise;
  });

  test('is not asked in plain HTTP elsewhere', async () => {
    await using server = await Server.start((_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://example.com/token"' });
      response.end();
    });
    await using user = await ImageUser.make();
    await expect(user.pull(`${server.name}/astray:1`)).rejects.toMatchObject({
      code: 'ERR_PERMISSION',
      message: expect.stringContaining('http://example.com/token'),
    });
  });
});
