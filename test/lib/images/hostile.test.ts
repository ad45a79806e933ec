import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { RegistryOptions } from '../../../lib/images/registry/client.js';
import type { Digest } from '../../../lib/spec/digest.js';
import { MEDIA_TYPES } from '../../../lib/spec/image/media-types.js';
import { ImageUser } from './support/fixture.js';
import { sendBlob, sendError, startImageServer, type Trick } from './support/image-server.js';
import { type Blob, blobOf, type MadeImage, makeImage, makeMany } from './support/images.js';
import { Server } from './support/server.js';

// What a registry can do wrong, each against a small server of the test's own: one clear error, and nothing of it is kept.

const IMAGE = makeImage({ files: { large: randomBytes(200_000) } });

interface Refusal {
  readonly code: string;
  readonly message?: RegExp;
  readonly hint?: RegExp;
}

async function refuses(
  image: MadeImage,
  tricks: readonly Trick[],
  { code, message = /./, hint }: Refusal,
  options: RegistryOptions = {},
): Promise<Server> {
  await using server = await startImageServer(image, ...tricks);
  await using user = await ImageUser.make(options);
  await expect(user.pull(`${server.name}/some/app:1`)).rejects.toMatchObject({
    name: 'NsboxError',
    code,
    message: expect.stringMatching(message),
    ...(hint && { hint: expect.stringMatching(hint) }),
  });
  expect(await user.store.tags()).toEqual([]);
  // Whole blobs may stay for the next pull; what stays is right.
  expect(await user.store.verify()).toMatchObject({ damaged: [] });
  return server;
}

async function accepts(image: MadeImage, ...tricks: readonly Trick[]): Promise<readonly string[]> {
  await using server = await startImageServer(image, ...tricks);
  await using user = await ImageUser.make();
  await user.pull(`${server.name}/some/app:1`);
  expect(await user.store.verify()).toMatchObject({ damaged: [], incomplete: [] });
  return server.asked;
}

/** A trick on one kind of request: the manifest by its tag, the configuration, the layer. */
function on(
  part: 'manifest' | 'config' | 'layer',
  act: (response: ServerResponse, blob: Blob) => void,
): Trick {
  return (request, response, blob) => {
    if (blob === undefined || partOf(request.url ?? '', blob) !== part) return false;
    act(response, blob);
    return true;
  };
}

function partOf(url: string, { descriptor }: Blob): string {
  if (url.includes('/manifests/')) return 'manifest';
  return descriptor.mediaType === MEDIA_TYPES.config ? 'config' : 'layer';
}

/** Only so often: afterwards the registry is as it should be. */
function times(count: number, trick: Trick): Trick {
  let left = count;
  return (request, response, blob) => {
    const isPlayed = left > 0 && trick(request, response, blob);
    if (isPlayed) left -= 1;
    return isPlayed;
  };
}

function send(body: string | Buffer, type: string = MEDIA_TYPES.manifest, headers = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': type, ...headers });
    response.end(body);
  };
}

const status =
  (code: number, headers = {}) =>
  (response: ServerResponse): void =>
    sendError(response, code, 'UNKNOWN', headers);
const LESS = { 'content-length': 4 };
const html = send('<!doctype html><title>Log in</title>', 'text/html; charset=utf-8');

/** A manifest that is the image's but for some fields. */
function manifestWith(fields: object, { manifest } = IMAGE): string {
  return JSON.stringify({ ...JSON.parse(manifest.bytes.toString()), ...fields });
}

/** An image whose documents say something else. */
function imageWith(fields: object): MadeImage {
  const manifest = blobOf(MEDIA_TYPES.manifest, manifestWith(fields));
  return { blobs: [...IMAGE.blobs.slice(0, -1), manifest], manifest };
}

describe('a manifest', () => {
  test.each([
    ['a web page', html, { code: 'ERR_IO', message: /a web page/ }],
    ['no JSON', send('{"schemaVersion":'), { code: 'ERR_IO', message: /no JSON object/ }],
    ['a JSON list', send('[]'), { code: 'ERR_IO', message: /no JSON object/ }],
    [
      'of Docker’s first schema',
      send('{"schemaVersion":1}', 'application/json'),
      { code: 'ERR_INVALID_CONFIG' },
    ],
    [
      'an index and a manifest at once',
      send(manifestWith({ manifests: [] })),
      { code: 'ERR_INVALID_CONFIG' },
    ],
    [
      'sent as another kind than it is',
      send(manifestWith({}), MEDIA_TYPES.index),
      { code: 'ERR_WRONG_CONTENT' },
    ],
    [
      'with a key twice',
      send(manifestWith({}).replace('"layers":', '"layers":[],"layers":')),
      { code: 'ERR_INVALID_CONFIG', message: /"layers" twice/ },
    ],
    [
      'whose configuration is a plain file',
      send(manifestWith({ config: IMAGE.blobs[1]?.descriptor })),
      { code: 'ERR_INVALID_CONFIG', message: /is no image/ },
    ],
    ['of too many bytes', send(' '.repeat(5 << 20)), { code: 'ERR_IO', message: /more than 4194304 bytes/ }],
    [
      'of other content than the header says',
      send(manifestWith({}), MEDIA_TYPES.manifest, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }),
      { code: 'ERR_WRONG_CONTENT', message: /hashes to/ },
    ],
    ['with huge headers', send('{}', 'a/b', { 'x-huge': 'x'.repeat(100_000) }), { code: 'ERR_IO' }],
    ['forbidden', status(403), { code: 'ERR_PERMISSION' }],
    ['refused without a challenge', status(401), { code: 'ERR_PERMISSION', hint: /login/ }],
    ['not there', status(404), { code: 'ERR_NOT_FOUND' }],
    ['not made for', status(418), { code: 'ERR_IO', message: /418/ }],
  ])('%s is refused', async (_, act, refusal) => {
    await refuses(IMAGE, [on('manifest', act)], refusal);
  });

  test('without end is refused', async () => {
    const endless = (response: ServerResponse): void => {
      response.writeHead(200, { 'content-type': MEDIA_TYPES.manifest });
      const more = (): unknown =>
        response.destroyed ||
        (response.write(' '.repeat(65_536)) ? setImmediate(more) : response.once('drain', more));
      more();
    };
    await refuses(IMAGE, [on('manifest', endless)], { code: 'ERR_IO', message: /more than/ });
  });

  test.each([
    ['no digest', { digest: 'sha256' }],
    ['a digest in capitals', { digest: `sha256:${'AB'.repeat(32)}` }],
    ['a digest too short', { digest: 'sha256:abcd' }],
    ['a path as a digest', { digest: 'sha256:../../../../etc/passwd' }],
    ['a digest of an unknown kind', { digest: 'crc32:00000000' }],
    ['a negative size', { size: -1 }],
    ['a broken size', { size: 1.5 }],
    ['a size beyond numbers', { size: 1e300 }],
  ])('whose layer has %s is refused', async (_, fields) => {
    const image = imageWith({ layers: [{ ...IMAGE.blobs[1]?.descriptor, ...fields }] });
    const server = await refuses(image, [], {
      code: expect.stringMatching(/^ERR_INVALID_(CONFIG|ARGUMENT)$/),
    });
    expect(server.asked.filter((line) => line.includes('passwd'))).toEqual([]);
  });

  test('whose configuration tells of more layers is refused', async () => {
    const image = makeImage({ diffIds: [`sha256:${'0'.repeat(64)}`, `sha256:${'1'.repeat(64)}`] });
    await refuses(image, [], { code: 'ERR_INVALID_CONFIG', message: /1 layers, its configuration 2/ });
  });

  test('that an index calls an index is refused', async () => {
    const { manifest, blobs } = IMAGE;
    const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
    const manifests = [{ ...manifest.descriptor, mediaType: MEDIA_TYPES.index, platform }];
    const index = blobOf(
      MEDIA_TYPES.index,
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests }),
    );
    await refuses({ manifest: index, blobs: [...blobs, index] }, [], { code: 'ERR_WRONG_CONTENT' });
  });

  test('of an index in an index is found, and too deep a one is refused', async () => {
    const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const nest = (image: MadeImage): MadeImage => makeMany({ [`linux/${arch}`]: image });
    await accepts(nest(nest(IMAGE)));
    await refuses(nest(nest(nest(nest(IMAGE)))), [], {
      code: 'ERR_INVALID_CONFIG',
      message: /index in an index/,
    });
  });

  test('named by sha512 is taken', async () => {
    await accepts(imageOf512());
  });
});

function imageOf512(): MadeImage {
  const [config, layer] = IMAGE.blobs.map(({ bytes, descriptor }) =>
    blobOf(descriptor.mediaType, bytes, 'sha512'),
  );
  const fields = { config: config?.descriptor, layers: [layer?.descriptor] };
  const manifest = blobOf(MEDIA_TYPES.manifest, manifestWith(fields), 'sha512');
  return { manifest, blobs: [config, layer, manifest].filter((blob) => blob !== undefined) };
}

describe('a layer', () => {
  const other = randomBytes(IMAGE.blobs[1]?.bytes.length ?? 0);

  test.each([
    ['of other content', send(other), { code: 'ERR_WRONG_CONTENT', message: /another content/ }],
    [
      'that says to be too small',
      send('less', 'a/b', LESS),
      { code: 'ERR_WRONG_CONTENT', message: /4 bytes instead/ },
    ],
    ['that ends too soon', send('less'), { code: 'ERR_IO', message: /ended after 4 of/ }],
    ['that is too large', send(Buffer.concat([other, other])), { code: 'ERR_WRONG_CONTENT' }],
    ['that is a web page', html, { code: 'ERR_IO', message: /a web page/ }],
    ['that is not there', status(404), { code: 'ERR_NOT_FOUND' }],
    ['that is always too much to ask', status(429), { code: 'ERR_IO', hint: /limits how often/ }],
    ['that fails for good', status(500), { code: 'ERR_IO', hint: /problem of its own/ }],
  ])('%s is refused', async (_, act, refusal) => {
    await refuses(IMAGE, [on('layer', act)], refusal);
  });

  test('without end is refused at its size', async () => {
    let sent = 0;
    const endless = (response: ServerResponse): void => {
      response.writeHead(200, {});
      const more = (): unknown => {
        sent += 65_536;
        if (response.destroyed) return undefined;
        return response.write(other.subarray(0, 65_536)) ? setImmediate(more) : response.once('drain', more);
      };
      more();
    };
    await refuses(IMAGE, [on('layer', endless)], { code: 'ERR_WRONG_CONTENT', message: /larger than/ });
    expect(sent).toBeLessThan(50 << 20);
  });

  test('that stops in the middle is not waited for without end', async () => {
    const stall = (response: ServerResponse, { bytes }: Blob): void => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 1000));
    };
    const patience = { stallMs: 400, retry: { attempts: 1, firstPauseMs: 1 } };
    await refuses(IMAGE, [on('layer', stall)], { code: 'ERR_TIMEOUT' }, patience);
  });

  test('is gone on with after cuts', async () => {
    const cut = (response: ServerResponse, { bytes }: Blob): void => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 1 + Math.floor(Math.random() * 100_000)), () => response.destroy());
    };
    const asked = await accepts(IMAGE, times(1, on('layer', cut)));
    expect(asked.filter((line) => /\/blobs\//.test(line))).toHaveLength(3);
  });

  test('is gone on with where the registry knows no ranges', async () => {
    const cut = (response: ServerResponse, { bytes }: Blob): void => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 70_000), () => response.destroy());
    };
    const whole = on('layer', (response, { bytes }) => send(bytes)(response));
    await accepts(IMAGE, times(2, on('layer', cut)), whole);
  });

  test('of which another part is sent than was asked for is refused', async () => {
    const cut = (response: ServerResponse, { bytes }: Blob): void => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 70_000), () => response.destroy());
    };
    const wrong = (response: ServerResponse, { bytes }: Blob): void => {
      response.writeHead(206, { 'content-range': `bytes 5-${bytes.length - 1}/${bytes.length}` });
      response.end(bytes.subarray(5));
    };
    await refuses(IMAGE, [times(1, on('layer', cut)), on('layer', wrong)], {
      code: 'ERR_IO',
      message: /another part/,
    });
  });

  test.each([
    ['seconds', { 'retry-after': '0' }],
    ['a date', { 'retry-after': new Date(Date.now() - 5000).toUTCString() }],
    ['nothing that can be read', { 'retry-after': 'soon' }],
  ])('that is to be asked for later, in %s, is', async (_, headers) => {
    await accepts(
      IMAGE,
      times(1, on('layer', status(503, headers))),
      times(1, on('manifest', status(429, headers))),
    );
  });

  test('that is to be asked for tomorrow is not waited for', async () => {
    const headers = { 'retry-after': '86400' };
    await refuses(IMAGE, [on('layer', status(503, headers))], { code: 'ERR_IO', message: /503/ });
  });

  test('is asked for again after failures that pass', async () => {
    const asked = await accepts(
      IMAGE,
      times(2, on('layer', status(500))),
      times(2, on('manifest', status(502))),
    );
    expect(asked.filter((line) => line.includes('/manifests/'))).toHaveLength(3);
  });
});

describe('a redirect', () => {
  const to =
    (location: string) =>
    (response: ServerResponse): void => {
      response.writeHead(307, { location });
      response.end();
    };

  test('to another host is followed without what proves us', async () => {
    await using store = await Server.start((request, response) => {
      const blob = IMAGE.blobs.find(({ descriptor }) => request.url === `/${descriptor.digest}`);
      if (blob === undefined) return sendError(response, 404, 'BLOB_UNKNOWN');
      sendBlob(request, response, blob);
    });
    const login: Trick = (request, response) => {
      if (request.headers.authorization !== undefined) return false;
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="tests"' });
      return true;
    };
    const away = on('layer', (response, { descriptor }) =>
      to(`http://${store.name}/${descriptor.digest}`)(response),
    );
    await using server = await startImageServer(IMAGE, login, away);
    const credentials = { kind: 'password', username: 'ali', password: 'open sesame' } as const;
    await using user = await ImageUser.make({ credentials });
    await user.pull(`${server.name}/some/app:1`);
    expect(server.asked.filter((line) => line.endsWith(' authorized')).length).toBeGreaterThan(0);
    expect(store.asked).toEqual([expect.stringMatching(/^GET \/sha256:\w+$/)]);
  });

  test('to a host that asks who we are is told nothing', async () => {
    await using store = await Server.start((_, response) =>
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="give me"' }),
    );
    await using server = await startImageServer(IMAGE, on('layer', to(`http://${store.name}/x`)));
    const credentials = { kind: 'password', username: 'ali', password: 'open sesame' } as const;
    await using user = await ImageUser.make({ credentials });
    await expect(user.pull(`${server.name}/some/app:1`)).rejects.toMatchObject({ code: 'ERR_PERMISSION' });
    expect(store.asked.filter((line) => line.includes('authorized'))).toEqual([]);
  });

  test.each([
    ['to itself without end', '#again', /more than 5 redirects/],
    ['to a file', 'file:///etc/passwd', /redirects to/],
    ['to another protocol', 'ftp://127.0.0.1/', /redirects to/],
    ['to nowhere', 'http://', /redirects to/],
  ])('%s is refused', async (_, location, message) => {
    await refuses(IMAGE, [on('layer', to(location))], { code: 'ERR_IO', message });
  });
});

test('an index is not enough to name what is absent', async () => {
  const many = makeMany({ 'linux/amd64': IMAGE, 'linux/arm64': IMAGE });
  const digest: Digest = IMAGE.manifest.descriptor.digest;
  const without = { ...many, blobs: many.blobs.filter(({ descriptor }) => descriptor.digest !== digest) };
  await refuses(without, [], { code: 'ERR_NOT_FOUND' });
});

test('a failed pull leaves nothing but what the next one goes on with', async () => {
  const wrong = on('layer', send('less', 'a/b', LESS));
  await using server = await startImageServer(IMAGE, wrong);
  await using user = await ImageUser.make();
  await expect(user.pull(`${server.name}/some/app:1`)).rejects.toMatchObject({ code: 'ERR_WRONG_CONTENT' });
  await user.store.collect({ partials: true });
  for (const folder of ['blobs/sha256', '.nsbox/ingest', '.nsbox/leases'])
    expect(readdirSync(`${user.store.path}/${folder}`)).toEqual([]);
});
