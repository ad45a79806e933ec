import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { MEDIA_TYPES } from '../../../lib/spec/image/media-types.js';
import { skipUnless } from '../../support/skip.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { ImageUser } from './support/fixture.js';
import { sendBlob, startImageServer } from './support/image-server.js';
import { blobOf, type MadeImage, makeImage } from './support/images.js';
import { hasPrograms, makeCertificates } from './support/registry.js';
import { Server } from './support/server.js';

beforeEach((context) => skipUnless(context, hasPrograms('openssl'), 'openssl is not installed'));

const IMAGE = makeImage();
const LAYER = IMAGE.blobs[1];

/** An image whose layer its registry has not. */
function withForeignLayer(urls: readonly string[]): MadeImage {
  const mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
  const document = JSON.parse(IMAGE.manifest.bytes.toString());
  const manifest = blobOf(
    MEDIA_TYPES.manifest,
    JSON.stringify({ ...document, layers: [{ ...LAYER?.descriptor, mediaType, urls }] }),
  );
  return { manifest, blobs: [manifest, ...IMAGE.blobs.filter((blob) => blob !== LAYER)] };
}

describe('a foreign layer', () => {
  test('is had from where its maker offers it, and verified', async () => {
    await using folder = new TemporaryDirectory();
    makeCertificates(folder);
    const tls = {
      key: readFileSync(folder.join('server.key')),
      cert: readFileSync(folder.join('server.crt')),
    };
    await using maker = await Server.start((request, response) => {
      if (LAYER !== undefined) sendBlob(request, response, LAYER);
    }, tls);
    const place = folder.join('containers/certs.d', maker.name);
    mkdirSync(place, { recursive: true });
    writeFileSync(`${place}/ca.crt`, readFileSync(folder.join('ca.crt')));
    await using server = await startImageServer(withForeignLayer([`https://${maker.name}/layer`]));
    const credentials = { kind: 'password', username: 'ali', password: 'open sesame' } as const;
    await using user = await ImageUser.make({ credentials, env: { XDG_CONFIG_HOME: folder.path } });
    await user.pull(`${server.name}/some/app:1`);
    expect(maker.asked).toEqual(['GET /layer']);
    expect(await user.store.verify()).toMatchObject({ damaged: [], incomplete: [] });
  });

  test.each([['http://127.0.0.1:1/layer'], ['file:///etc/passwd'], ['no URL']])(
    'is not looked for at %s',
    async (url) => {
      await using server = await startImageServer(withForeignLayer([url]));
      await using user = await ImageUser.make();
      await expect(user.pull(`${server.name}/some/app:1`)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    },
  );
});
