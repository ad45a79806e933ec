import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { deferred } from '../../../lib/util/deferred.js';
import { ImageUser } from './support/fixture.js';
import { Server } from './support/server.js';

const LOGIN = { kind: 'password', username: 'ali', password: 'open sesame' } as const;

/** A registry that wants a token of what answers at `/token`. */
function startRegistry(token: (response: ServerResponse) => void): Promise<Server> {
  return Server.start((request, response) => {
    if (request.url?.startsWith('/token')) return token(response);
    const realm = `Bearer realm="http://${request.headers.host}/token",service="tests"`;
    response.writeHead(401, { 'www-authenticate': realm });
    response.end();
  });
}

/** A registry that makes this demand of everybody. */
function startDemanding(challenge: string): Promise<Server> {
  return Server.start((_, response) => {
    response.writeHead(401, { 'www-authenticate': challenge });
    response.end();
  });
}

function answer(body: string, type = 'application/json', status = 200, headers = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(body);
  };
}

describe('a token server', () => {
  test.each([
    ['a web page', answer('<html>', 'text/html'), 'ERR_IO', /a web page/],
    ['no JSON', answer('token'), 'ERR_INVALID_CONFIG', /is not JSON/],
    ['nothing', answer('{}'), 'ERR_IO', /holds none/],
    ['a header of its own', answer('{"token":"x\\r\\nhost: y"}'), 'ERR_IO', /holds none/],
    ['a number', answer('{"token":1}'), 'ERR_INVALID_CONFIG', /token/],
    ['too much', answer(`{"token":"${'x'.repeat(2 << 20)}"}`), 'ERR_IO', /more than/],
    ['a way elsewhere', answer('', 'a/b', 302, { location: 'http://127.0.0.1:1/' }), 'ERR_IO', /302/],
    ['what the registry does not take', answer('{"token":"wrong","expires_in":0}'), 'ERR_PERMISSION', /401/],
    ['a refusal', answer('{"details":"no"}', 'application/json', 403), 'ERR_PERMISSION', /403/],
  ])('that gives %s is not believed', async (_, token, code, message) => {
    await using server = await startRegistry(token);
    await using user = await ImageUser.make({ credentials: LOGIN });
    const refusal = { code, message: expect.stringMatching(message) };
    await expect(user.pull(`${server.name}/some/app:1`)).rejects.toMatchObject(refusal);
    // Not without end: once, and once more after a refusal.
    expect(server.asked.filter((line) => line.includes('/token')).length).toBeLessThanOrEqual(3);
  });

  test.each([
    ['in plain HTTP elsewhere', 'Bearer realm="http://example.com/token"'],
    ['at a file', 'Bearer realm="file:///etc/passwd"'],
    ['nowhere', 'Bearer service="tests"'],
    ['at what is no URL', 'Bearer realm="//"'],
  ])('%s is not asked', async (_, challenge) => {
    await using server = await startDemanding(challenge);
    await using user = await ImageUser.make({ credentials: LOGIN });
    await expect(user.pull(`${server.name}/astray:1`)).rejects.toMatchObject({
      code: 'ERR_PERMISSION',
      message: expect.stringContaining('sends us for a token to'),
    });
  });

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
});

test.each(['Digest realm="x"', 'Negotiate', '', 'Bearer'.repeat(2000)])(
  'a registry that demands what we do not know, as %.20j, is told nothing',
  async (challenge) => {
    await using server = await startDemanding(challenge);
    await using user = await ImageUser.make({ credentials: LOGIN });
    await expect(user.pull(`${server.name}/some/app:1`)).rejects.toMatchObject({ code: 'ERR_PERMISSION' });
    expect(server.asked.filter((line) => line.includes('authorized'))).toEqual([]);
  },
);
