import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { skipUnless } from '../../support/skip.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { authFile, ImageUser } from './support/fixture.js';
import { makeImage, putImage } from './support/images.js';
import { hasRegistry, makeCertificates, NO_REGISTRY, Registry } from './support/registry.js';
import { LOGIN, startTokenServer, tokenConfig } from './support/token-server.js';

beforeEach((context) => skipUnless(context, hasRegistry, NO_REGISTRY));

async function pushImage(user: ImageUser, name: string): Promise<void> {
  await putImage(user.store, name, makeImage());
  await user.push(name);
}

const HELPER = `#!/bin/sh
read -r registry
[ "$1" = get ] && echo "{\\"ServerURL\\":\\"$registry\\",\\"Username\\":\\"ali\\",\\"Secret\\":\\"open sesame\\"}"
`;

describe('a registry with a password', () => {
  test('is opened by what docker login, podman login or a helper keeps, and by nothing else', async () => {
    await using folder = new TemporaryDirectory();
    // bcrypt of the password in LOGIN.
    writeFileSync(
      folder.join('htpasswd'),
      'ali:$2b$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy\n',
    );
    const top = `auth: { htpasswd: { realm: tests, path: ${folder.join('htpasswd')} } }`;
    await using registry = await Registry.start({ top });
    const name = `${registry.name}/secret:1`;

    await using docker = await ImageUser.make({}, { '.docker/config.json': authFile(registry.name, LOGIN) });
    await pushImage(docker, name);
    const podman = { '.config/containers/auth.json': authFile(`${registry.name}/secret`, LOGIN) };
    await using user = await ImageUser.make({}, podman);
    await user.pull(name);

    const helped = { '.docker/config.json': '{"credsStore":"tests"}', 'bin/docker-credential-tests': HELPER };
    await using third = await ImageUser.make({}, helped);
    const env = { HOME: third.home.path, PATH: `${third.home.join('bin')}:${process.env.PATH}` };
    await using fourth = await ImageUser.make({ env });
    await fourth.pull(name);

    await using nobody = await ImageUser.make();
    await expect(nobody.pull(name)).rejects.toMatchObject({
      code: 'ERR_PERMISSION',
      message: expect.stringMatching(/secret:1: 401: UNAUTHORIZED/),
      hint: expect.stringContaining('login'),
    });
    const wrong = { kind: 'password', username: 'ali', password: 'wrong' } as const;
    await using liar = await ImageUser.make({ credentials: wrong });
    await expect(liar.pull(name)).rejects.toMatchObject({ code: 'ERR_PERMISSION' });
  });
});

describe('a registry with a token server', () => {
  test('gives everybody what is public, and takes from who has a login', async () => {
    await using folder = new TemporaryDirectory();
    makeCertificates(folder);
    await using tokens = await startTokenServer(folder);
    await using registry = await Registry.start({ top: tokenConfig(tokens, folder) });
    const name = `${registry.name}/token:1`;
    await using author = await ImageUser.make({}, { '.docker/config.json': authFile(registry.name, LOGIN) });
    await pushImage(author, name);
    await using user = await ImageUser.make();
    await user.pull(name);
    // One for all blobs.
    expect(tokens.asked.filter((line) => /%3Apull&/.test(line))).toHaveLength(1);
    await expect(user.push(name)).rejects.toMatchObject({ code: 'ERR_PERMISSION' });
    await using liar = await ImageUser.make({
      credentials: { kind: 'password', username: 'ali', password: 'wrong' },
    });
    await expect(liar.pull(name)).rejects.toMatchObject({
      code: 'ERR_PERMISSION',
      message: expect.stringContaining('who are you?'),
    });
  });
});

describe('a registry with TLS', () => {
  test('is believed by its authority’s certificate, and shown ours', async () => {
    await using folder = new TemporaryDirectory();
    makeCertificates(folder);
    const [key, certificate, ca] = ['server.key', 'server.crt', 'ca.crt'].map((name) => folder.join(name));
    const http = `  tls: { certificate: ${certificate}, key: ${key}, clientcas: [${ca}] }`;
    await using registry = await Registry.start({ http });
    const name = `${registry.name}/tls:1`;

    await using user = await ImageUser.make();
    const place = user.home.join('.config/containers/certs.d', registry.name);
    mkdirSync(place, { recursive: true });
    writeFileSync(`${place}/ca.crt`, readFileSync(folder.join('ca.crt')));
    writeFileSync(`${place}/client.cert`, readFileSync(folder.join('client.crt')));
    writeFileSync(`${place}/client.key`, readFileSync(folder.join('client.key')));
    await pushImage(user, name);
    await user.pull(name);
  });

  test('of another authority is refused', async () => {
    await using folder = new TemporaryDirectory();
    await using other = new TemporaryDirectory();
    makeCertificates(folder);
    makeCertificates(other);
    const http = `  tls: { certificate: ${folder.join('server.crt')}, key: ${folder.join('server.key')} }`;
    await using registry = await Registry.start({ http });
    await using user = await ImageUser.make();
    const place = user.home.join('.config/containers/certs.d', registry.name);
    mkdirSync(place, { recursive: true });
    writeFileSync(`${place}/ca.crt`, readFileSync(other.join('ca.crt')));
    await expect(user.pull(`${registry.name}/tls:1`)).rejects.toMatchObject({
      code: 'ERR_PERMISSION',
      hint: expect.stringContaining('certs.d'),
    });
    await using lax = await ImageUser.make({ insecure: [registry.name] });
    await pushImage(lax, `${registry.name}/tls:1`);
  });
});
