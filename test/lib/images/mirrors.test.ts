import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSettings } from '../../../lib/images/registry/settings.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { ImageUser } from './support/fixture.js';
import { sendError, startImageServer, type Trick } from './support/image-server.js';
import { makeImage } from './support/images.js';

const IMAGE = makeImage({ files: { a: 'a'.repeat(100_000) } });
const absent: Trick = (_, response) => {
  sendError(response, 404, 'NAME_UNKNOWN');
  return true;
};

describe('a mirror', () => {
  test('is asked first, by its own name for the repository', async () => {
    await using registry = await startImageServer(IMAGE);
    await using mirror = await startImageServer(IMAGE);
    const env = { NSBOX_REGISTRY_MIRRORS: `${registry.name}=${mirror.name}/hub/copy` };
    await using user = await ImageUser.make({ env });
    expect(await user.pull(`${registry.name}/some/app:1`)).toMatchObject({
      names: [`${registry.name}/some/app:1`],
    });
    expect(registry.asked).toEqual([]);
    expect(mirror.asked).toContain('GET /v2/hub/copy/some/app/manifests/1');
  });

  test('that has not all of it is helped out', async () => {
    await using registry = await startImageServer(IMAGE);
    const cut: Trick = (_, response, blob) => {
      if (blob !== IMAGE.blobs[1] || blob === undefined) return false;
      response.writeHead(200, { 'content-length': blob.bytes.length });
      response.write(blob.bytes.subarray(0, 100), () => response.destroy());
      return true;
    };
    await using nothing = await startImageServer(IMAGE, absent);
    await using part = await startImageServer(IMAGE, cut);
    const mirrors = [nothing, part].map((mirror) => `${registry.name}=${mirror.name}`).join(',');
    await using user = await ImageUser.make({ env: { NSBOX_REGISTRY_MIRRORS: mirrors } });
    await user.pull(`${registry.name}/some/app:1`);
    expect(registry.asked.filter((line) => line.includes('/blobs/')).length).toBeGreaterThan(0);
    expect(await user.store.verify()).toMatchObject({ damaged: [], incomplete: [] });
  });

  test('is not told what proves us to the registry', async () => {
    await using registry = await startImageServer(IMAGE);
    const login: Trick = (request, response) => {
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="tests"' });
      return request.url !== undefined;
    };
    await using mirror = await startImageServer(IMAGE, login);
    const env = { NSBOX_REGISTRY_MIRRORS: `${registry.name}=${mirror.name}` };
    const credentials = { kind: 'password', username: 'ali', password: 'open sesame' } as const;
    await using user = await ImageUser.make({ env, credentials });
    await user.pull(`${registry.name}/some/app:1`);
    expect(mirror.asked.filter((line) => line.includes('authorized'))).toEqual([]);
  });

  test('that fails does not hide why the registry did', async () => {
    await using registry = await startImageServer(IMAGE);
    const env = { NSBOX_REGISTRY_MIRRORS: `${registry.name}=127.0.0.1:1` };
    await using user = await ImageUser.make({ env, retry: { attempts: 1, firstPauseMs: 1 } });
    await expect(user.pull(`${registry.name}/some/app:2`)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });
});

describe('the settings of registries', () => {
  test('are read from a file and the environment', async () => {
    await using folder = new TemporaryDirectory();
    const NSBOX_REGISTRIES = folder.join('registries.json');
    const registries = {
      'docker.io': { mirrors: ['a.example', 'b.example:5000/x/'] },
      'c.example': { insecure: true },
    };
    writeFileSync(NSBOX_REGISTRIES, JSON.stringify({ registries }));
    const { insecure, mirrors } = readSettings({
      NSBOX_REGISTRIES,
      NSBOX_INSECURE_REGISTRIES: 'd.example:80, e.example',
      NSBOX_REGISTRY_MIRRORS: 'docker.io=localhost:5000',
    });
    expect([...insecure].sort()).toEqual(['c.example', 'd.example:80', 'e.example']);
    expect(mirrors.get('docker.io')).toEqual([
      { domain: 'a.example', prefix: '' },
      { domain: 'b.example:5000', prefix: 'x/' },
      { domain: 'localhost:5000', prefix: '' },
    ]);
  });

  test.each([
    ['{', 'ERR_INVALID_CONFIG'],
    ['{"registries":{"a.example":{"mirrors":"b.example"}}}', 'ERR_INVALID_CONFIG'],
    ['{"registries":{"a.example":{"mirrors":["http://b.example"]}}}', 'ERR_INVALID_CONFIG'],
    ['{"registries":{"a.example":{"mirrors":["mirror"]}}}', 'ERR_INVALID_CONFIG'],
    ['{"registries":{"a.example":{"insecure":"yes"}}}', 'ERR_INVALID_CONFIG'],
    [undefined, 'ERR_NOT_FOUND'],
  ])('%j are refused', async (content, code) => {
    await using folder = new TemporaryDirectory();
    const NSBOX_REGISTRIES = folder.join('registries.json');
    if (content !== undefined) writeFileSync(NSBOX_REGISTRIES, content);
    expect(() => readSettings({ NSBOX_REGISTRIES })).toThrow(expect.objectContaining({ code }));
  });
});
