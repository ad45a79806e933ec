import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BlobProgress } from '../../../lib/images/progress.js';
import { skipUnless } from '../../support/skip.js';
import { ImageUser } from './support/fixture.js';
import { makeImage, makeIndex, putImage } from './support/images.js';
import { hasRegistry, NO_REGISTRY, Registry } from './support/registry.js';

let registry: Registry;

beforeAll(async () => {
  if (hasRegistry) registry = await Registry.start();
});
afterAll(() => registry?.[Symbol.asyncDispose]());
beforeEach((context) => skipUnless(context, hasRegistry, NO_REGISTRY));

const skopeo = (...args: readonly string[]): string =>
  execFileSync('skopeo', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

describe('a plain registry on loopback', () => {
  test('takes an image from us, and gives it to skopeo and back to us', async () => {
    await using author = await ImageUser.make();
    const image = makeImage({ files: { a: 'one', b: randomBytes(300_000), c: '' } });
    await putImage(author.store, `${registry.name}/team/app:1`, image);
    await author.push(`${registry.name}/team/app:1`);
    const seen = JSON.parse(skopeo('inspect', '--tls-verify=false', `docker://${registry.name}/team/app:1`));
    expect(seen).toMatchObject({ Digest: image.manifest.descriptor.digest, Layers: { length: 3 } });

    await using user = await ImageUser.make();
    const pulled = await user.pull(`${registry.name}/team/app:1`);
    expect(pulled).toMatchObject({ source: image.manifest.descriptor.digest, config: { os: 'linux' } });
    expect(await user.store.verify()).toEqual({ checked: 5, damaged: [], incomplete: [] });
    expect((await user.store.collect()).blobs).toEqual([]);
  });

  test('the store is read by skopeo and umoci as it is', async () => {
    await using user = await ImageUser.make();
    const name = `${registry.name}/team/read:1`;
    const image = makeImage({ files: { greeting: 'hello from a layer' } });
    await putImage(user.store, name, image);
    await user.push(name);
    await using other = await ImageUser.make();
    await other.pull(name);
    const seen = JSON.parse(skopeo('inspect', `oci:${other.store.path}:${name}`));
    expect(seen).toMatchObject({ Digest: image.manifest.descriptor.digest });
    const bundle = other.home.join('bundle');
    const rootless = process.geteuid?.() === 0 ? [] : ['--rootless'];
    execFileSync('umoci', ['unpack', ...rootless, '--image', `${other.store.path}:${name}`, bundle], {
      stdio: 'pipe',
    });
    expect(readFileSync(`${bundle}/rootfs/greeting`, 'utf8')).toBe('hello from a layer');
  });

  test('what skopeo has pushed is pulled, in Docker’s form too', async () => {
    await using user = await ImageUser.make();
    await putImage(user.store, 'docker.io/library/made:1', makeImage());
    const target = `docker://${registry.name}/by/skopeo:docker`;
    skopeo(
      'copy',
      '--format=v2s2',
      '--dest-tls-verify=false',
      `oci:${user.store.path}:docker.io/library/made:1`,
      target,
    );
    const { descriptor } = await user.pull(`${registry.name}/by/skopeo:docker`);
    expect(descriptor.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
    expect(await user.store.verify()).toMatchObject({ damaged: [], incomplete: [] });
  });

  test('of an index the image of the platform is chosen', async () => {
    await using user = await ImageUser.make();
    const images = {
      'linux/amd64': makeImage({ architecture: 'amd64' }),
      'linux/arm64': makeImage({ architecture: 'arm64' }),
      'windows/amd64': makeImage({ os: 'windows', architecture: 'amd64' }),
    };
    const index = makeIndex(images);
    for (const image of Object.values(images)) await putImage(user.store, 'docker.io/library/part:1', image);
    await putImage(user.store, `${registry.name}/many:1`, { blobs: [index], manifest: index });
    await user.push(`${registry.name}/many:1`);

    await using other = await ImageUser.make();
    const name = `${registry.name}/many:1`;
    const arm = await other.pull(name, { platform: { os: 'linux', architecture: 'arm64' } });
    expect(arm).toMatchObject({ source: index.descriptor.digest, config: { architecture: 'arm64' } });
    const windows = await other.pull(name, { platform: { os: 'windows', architecture: 'amd64' } });
    expect(windows.config.os).toBe('windows');
    await expect(
      other.pull(name, { platform: { os: 'linux', architecture: 's390x' } }),
    ).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      hint: expect.stringContaining('linux/arm64'),
    });
  });

  test.each(['windows/amd64', 'linux/s390x'])(
    'an image for %s is refused, unless asked for',
    async (platform) => {
      const [os = '', architecture = ''] = platform.split('/');
      await using user = await ImageUser.make();
      const name = `${registry.name}/foreign-${os}:1`;
      await putImage(user.store, name, makeImage({ os, architecture }));
      await user.push(name);
      await using other = await ImageUser.make();
      await expect(other.pull(name)).rejects.toMatchObject({
        code: 'ERR_INVALID_CONFIG',
        message: expect.stringContaining(platform),
      });
      expect(await other.store.tags()).toEqual([]);
      expect((await other.pull(name, { platform: { os, architecture } })).config.os).toBe(os);
    },
  );

  test('a blob that another repository has is taken over from there', async () => {
    await using user = await ImageUser.make();
    await putImage(user.store, `${registry.name}/first:1`, makeImage({ files: { m: randomBytes(1000) } }));
    await user.push(`${registry.name}/first:1`);
    const steps: BlobProgress[] = [];
    const onProgress = (step: BlobProgress): unknown => steps.push(step);
    await user.push(`${registry.name}/second:1`, { source: `${registry.name}/first:1`, onProgress });
    expect(steps.map(({ status }) => status)).toEqual(['mounted', 'mounted']);
    steps.length = 0;
    await user.push(`${registry.name}/second:2`, { source: `${registry.name}/first:1`, onProgress });
    expect(steps.map(({ status }) => status)).toEqual(['exists', 'exists']);
  });

  test('a large blob goes up in pieces, and comes down whole', async () => {
    await using user = await ImageUser.make();
    const name = `${registry.name}/large:1`;
    await putImage(user.store, name, makeImage({ files: { large: randomBytes(1_000_000) } }));
    await user.push(name, { chunkSize: 300_000 });
    await using other = await ImageUser.make();
    const steps: BlobProgress[] = [];
    await other.pull(name, { onProgress: (step) => steps.push(step) });
    expect(steps.at(-1)).toMatchObject({ status: 'done' });
    expect(await other.store.verify()).toMatchObject({ checked: 3, damaged: [] });
  });

  test('what is not there is said to be so', async () => {
    await using user = await ImageUser.make();
    await expect(user.pull(`${registry.name}/nobody:1`)).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      message: expect.stringMatching(/nobody:1: 404: MANIFEST_UNKNOWN/),
    });
    await expect(user.push(`${registry.name}/nobody:1`)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test('lists tags', async () => {
    await using user = await ImageUser.make();
    for (const tag of ['1', '2']) {
      await putImage(user.store, `${registry.name}/tagged:${tag}`, makeImage());
      await user.push(`${registry.name}/tagged:${tag}`);
    }
    const tags: string[] = [];
    for await (const tag of user.client.tags({ domain: registry.name, path: 'tagged' })) tags.push(tag);
    expect(tags.sort()).toEqual(['1', '2']);
  });

  test('lists repositories, and what refers to an image', async () => {
    await using user = await ImageUser.make();
    const image = makeImage();
    await putImage(user.store, `${registry.name}/listed/one:1`, image);
    await user.push(`${registry.name}/listed/one:1`);
    const repositories: string[] = [];
    for await (const one of user.client.repositories(registry.name)) repositories.push(one);
    expect(repositories).toContain('listed/one');

    // This registry does not know of referrers: they are listed under a tag.
    const repository = { domain: registry.name, path: 'listed/one' };
    const { digest } = image.manifest.descriptor;
    expect(await user.client.referrers(repository, digest)).toEqual([]);
    const index = makeIndex({ 'linux/amd64': image });
    await user.client.putManifest({ ...repository, tag: digest.replace(':', '-') }, index);
    expect(await user.client.referrers(repository, digest)).toMatchObject([{ digest }]);
  });

  test('four pulls at once end with one whole image', async () => {
    await using user = await ImageUser.make();
    const name = `${registry.name}/race:1`;
    await putImage(user.store, name, makeImage({ files: { a: randomBytes(200_000) } }));
    await user.push(name);
    await using other = await ImageUser.make();
    await Promise.all(Array.from({ length: 4 }, () => other.pull(name)));
    expect(await other.store.verify()).toEqual({ checked: 3, damaged: [], incomplete: [] });
  });

  test('an abort is told as one', async () => {
    await using user = await ImageUser.make();
    const call = user.pull(`${registry.name}/team/app:1`, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
