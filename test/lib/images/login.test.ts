import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { login, logout } from '../../../lib/images/registry/login.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { authFile, ImageUser } from './support/fixture.js';
import { sendError, serve, type Trick } from './support/image-server.js';
import { makeImage } from './support/images.js';
import { Server } from './support/server.js';

const IMAGE = makeImage();
const ALI = { username: 'ali', password: 'open: sesame' };
const BASIC = `Basic ${Buffer.from('ali:open: sesame').toString('base64')}`;

/** A registry for one user. */
function startLocked(): Promise<Server> {
  const lock: Trick = (request, response) => {
    if (request.headers.authorization === BASIC) return false;
    sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="tests"' });
    return true;
  };
  return Server.start(serve(IMAGE, lock));
}

const HELPER = `#!/bin/sh
read -r input
echo "$1 $input" >>"$HOME/helper.log"
`;

describe('a login', () => {
  test('is tried, kept where only its user can read it, and used', async () => {
    await using registry = await startLocked();
    await using user = await ImageUser.make();
    const env = { HOME: user.home.path };
    await expect(user.pull(`${registry.name}/some/app:1`)).rejects.toMatchObject({ code: 'ERR_PERMISSION' });
    const path = await login(registry.name, { ...ALI, registries: { env } });
    expect(path).toBe(user.home.join('.config/containers/auth.json'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(user.home.join('.config/containers')).mode & 0o777).toBe(0o700);
    await using later = await ImageUser.make({ env });
    await later.pull(`${registry.name}/some/app:1`);
    expect(await logout(registry.name, env)).toEqual([]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ auths: {} });
    await expect(logout(registry.name, env)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test('that the registry does not take is not kept, nor told in the error', async () => {
    await using registry = await startLocked();
    await using home = new TemporaryDirectory();
    const env = { HOME: home.path };
    const call = login(registry.name, { ...ALI, password: 'hush-hush', registries: { env } });
    const error: unknown = await call.catch((one: unknown) => one);
    expect(error).toMatchObject({ code: 'ERR_PERMISSION' });
    expect(JSON.stringify(error) + String(error)).not.toContain('hush-hush');
    await expect(logout(registry.name, env)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test('leaves what else the file says, and replaces what it said of the registry', async () => {
    await using registry = await startLocked();
    await using home = new TemporaryDirectory();
    const path = home.join('auth.json');
    const before = {
      auths: { 'other.example': { auth: 'eA==', email: 'x' }, [`https://${registry.name}/v2/`]: {} },
    };
    writeFileSync(path, JSON.stringify({ ...before, detachKeys: 'ctrl-x' }), { mode: 0o644 });
    const env = { HOME: home.path, REGISTRY_AUTH_FILE: path };
    expect(await login(registry.name, { ...ALI, registries: { env } })).toBe(path);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      auths: { 'other.example': { auth: 'eA==', email: 'x' }, [registry.name]: { auth: BASIC.slice(6) } },
      detachKeys: 'ctrl-x',
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('goes to the helper that the file names', async () => {
    await using registry = await startLocked();
    await using home = new TemporaryDirectory();
    const path = home.join('auth.json');
    writeFileSync(path, JSON.stringify({ credsStore: 'tests' }));
    mkdirSync(home.join('bin'));
    writeFileSync(home.join('bin/docker-credential-tests'), HELPER, { mode: 0o755 });
    const env = {
      HOME: home.path,
      REGISTRY_AUTH_FILE: path,
      PATH: `${home.join('bin')}:${process.env.PATH}`,
    };
    expect(await login(registry.name, { ...ALI, registries: { env } })).toBe('docker-credential-tests');
    await logout(registry.name, env);
    const stored = { ServerURL: registry.name, Username: ALI.username, Secret: ALI.password };
    expect(readFileSync(home.join('helper.log'), 'utf8').split('\n')).toEqual([
      `store ${JSON.stringify(stored)}`,
      `erase ${registry.name}`,
      '',
    ]);
    expect(readFileSync(path, 'utf8')).toBe('{"credsStore":"tests"}');
  });

  test('of another program is left to it, and told of', async () => {
    await using home = new TemporaryDirectory();
    mkdirSync(home.join('.docker'));
    writeFileSync(home.join('.docker/config.json'), authFile('a.example', 'x:y'));
    const env = { HOME: home.path };
    expect(await logout('a.example', env)).toEqual([home.join('.docker/config.json')]);
  });

  test.each([
    ['', ALI, 'ERR_INVALID_ARGUMENT'],
    ['a.example/path', ALI, 'ERR_INVALID_ARGUMENT'],
    ['../x', ALI, 'ERR_INVALID_ARGUMENT'],
    ['a.example', { ...ALI, username: '' }, 'ERR_INVALID_ARGUMENT'],
    ['a.example', { ...ALI, username: 'a:b' }, 'ERR_INVALID_ARGUMENT'],
    ['a.example', { ...ALI, password: '' }, 'ERR_INVALID_ARGUMENT'],
  ])('to %j as %j is refused', async (registry, who, code) => {
    await using home = new TemporaryDirectory();
    await expect(login(registry, { ...who, registries: { env: { HOME: home.path } } })).rejects.toMatchObject(
      { code },
    );
  });
});
