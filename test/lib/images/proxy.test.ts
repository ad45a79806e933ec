import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { proxyFor } from '../../../lib/images/registry/proxy.js';
import { skipUnless } from '../../support/skip.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { ImageUser } from './support/fixture.js';
import { serve } from './support/image-server.js';
import { makeImage } from './support/images.js';
import { hasPrograms, makeCertificates } from './support/registry.js';
import { Server } from './support/server.js';

beforeEach((context) => skipUnless(context, hasPrograms('openssl'), 'openssl is not installed'));

const IMAGE = makeImage();

/** A proxy that makes tunnels to `port` of this machine, whatever host is asked for, for who knows the password. */
async function startProxy(port: string): Promise<{ name: string; asked: string[] } & AsyncDisposable> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(502).end();
  });
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    const isKnown =
      request.headers['proxy-authorization'] === `Basic ${Buffer.from('ali:sesame').toString('base64')}`;
    if (!isKnown) return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const target = connect(Number(port), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    for (const socket of [client, target]) sockets.add(socket.on('error', () => {}));
    target.pipe(client).pipe(target);
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const end = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await closed;
  };
  const own = typeof address === 'object' && address !== null ? address.port : 0;
  return { name: `127.0.0.1:${own}`, asked, [Symbol.asyncDispose]: end };
}

/** A registry with TLS that is called `registry.test`, and a user who believes in its authority. */
async function withRegistry(
  body: (
    name: string,
    proxy: { name: string; asked: string[] },
    user: (proxy: string) => Promise<ImageUser>,
  ) => Promise<void>,
): Promise<void> {
  await using folder = new TemporaryDirectory();
  makeCertificates(folder);
  const tls = { key: readFileSync(folder.join('server.key')), cert: readFileSync(folder.join('server.crt')) };
  await using server = await Server.start(serve(IMAGE), tls);
  const port = server.name.replace(/.*:/, '');
  await using proxy = await startProxy(port);
  const name = `registry.test:${port}`;
  const place = folder.join('containers/certs.d', name);
  mkdirSync(place, { recursive: true });
  writeFileSync(`${place}/ca.crt`, readFileSync(folder.join('ca.crt')));
  await body(name, proxy, (HTTPS_PROXY) =>
    ImageUser.make({ env: { HTTPS_PROXY, XDG_CONFIG_HOME: folder.path } }),
  );
}

describe('a proxy', () => {
  test('makes the tunnel through which a registry is asked', () =>
    withRegistry(async (name, proxy, makeUser) => {
      await using user = await makeUser(`http://ali:sesame@${proxy.name}`);
      await user.pull(`${name}/some/app:1`);
      expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${name}`]));
    }));

  test('that refuses is told of', () =>
    withRegistry(async (name, proxy, makeUser) => {
      await using user = await makeUser(`http://ali:wrong@${proxy.name}`);
      const error: unknown = await user.pull(`${name}/some/app:1`).catch((one: unknown) => one);
      expect(error).toMatchObject({ code: 'ERR_IO', hint: expect.stringContaining('proxy') });
      expect(String(error)).not.toContain('wrong');
    }));
});

describe('the environment', () => {
  const HTTPS_PROXY = 'http://proxy.example:3128';

  test.each([
    ['https://registry.example/', { HTTPS_PROXY }, HTTPS_PROXY],
    ['https://registry.example/', { https_proxy: 'proxy.example:3128' }, HTTPS_PROXY],
    ['http://registry.example/', { HTTPS_PROXY }, undefined],
    ['http://registry.example/', { http_proxy: HTTPS_PROXY }, HTTPS_PROXY],
    ['http://registry.example/', { HTTP_PROXY: HTTPS_PROXY, REQUEST_METHOD: 'GET' }, undefined],
    ['https://localhost:5000/', { HTTPS_PROXY }, undefined],
    ['https://[::1]:5000/', { HTTPS_PROXY }, undefined],
    ['https://registry.example/', { HTTPS_PROXY, NO_PROXY: '*' }, undefined],
    ['https://registry.example/', { HTTPS_PROXY, NO_PROXY: 'other.example, registry.example' }, undefined],
    ['https://a.registry.example/', { HTTPS_PROXY, no_proxy: 'registry.example' }, undefined],
    ['https://a.registry.example/', { HTTPS_PROXY, NO_PROXY: '.registry.example' }, undefined],
    ['https://registry.example/', { HTTPS_PROXY, NO_PROXY: '.registry.example' }, HTTPS_PROXY],
    ['https://badregistry.example/', { HTTPS_PROXY, NO_PROXY: 'registry.example' }, HTTPS_PROXY],
    ['https://registry.example:5000/', { HTTPS_PROXY, NO_PROXY: 'registry.example:443' }, HTTPS_PROXY],
    ['https://registry.example/', { HTTPS_PROXY, NO_PROXY: 'registry.example:443' }, undefined],
  ])('for %s with %j names the proxy %s', (url, env, proxy) => {
    expect(proxyFor(new URL(url), env)).toBe(proxy);
  });
});
