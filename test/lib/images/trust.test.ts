import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Images } from '../../../lib/images/images.js';
import { isIdentity, type SignedIdentity } from '../../../lib/images/trust/identity.js';
import { parseReference } from '../../../lib/spec/reference.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { QUICK } from './support/fixture.js';
import { sendError, startImageServer, type Trick } from './support/image-server.js';
import { makeImage, makeMany } from './support/images.js';
import { makePair, referringBundle, taggedSignature } from './support/signing.js';
import { tarOf } from './support/tar.js';

const IMAGE = makeImage();
const OURS = makePair();
const THEIRS = makePair();

interface World {
  readonly images: Images;
  readonly folder: TemporaryDirectory;
  readonly name: string;
}

/** A user who pulls from a registry with these signatures, under a policy or none. */
async function withUser(
  tricks: readonly Trick[],
  policy: ((name: string) => object) | undefined,
  body: (world: World) => Promise<void>,
  image = IMAGE,
): Promise<void> {
  await using folder = new TemporaryDirectory();
  await using server = await startImageServer(image, ...tricks);
  const name = `${server.name}/some/app:1`;
  const NSBOX_POLICY = folder.join('policy.json');
  writeFileSync(
    NSBOX_POLICY,
    JSON.stringify(policy?.(name) ?? { default: [{ type: 'insecureAcceptAnything' }] }),
  );
  const env = { HOME: folder.path, NSBOX_POLICY };
  await using images = await Images.open({ path: folder.join('store'), registries: { ...QUICK, env } });
  await body({ images, folder, name });
}

const untrusted = { name: 'NsboxError', code: 'ERR_UNTRUSTED' };

describe('a pull that demands a key', () => {
  test.each([
    ['by cosign’s tag', taggedSignature(IMAGE, OURS)],
    ['by a bundle', referringBundle(IMAGE, OURS)],
  ])('takes what it has signed, %s', (_, trick) =>
    withUser([trick], undefined, async ({ images, name }) => {
      expect((await images.pull(name, { keys: [THEIRS.publicKey, OURS.publicKey] })).names).toEqual([name]);
    }),
  );

  test.each<[string, Trick[]]>([
    ['nobody has signed', []],
    ['another has signed', [taggedSignature(IMAGE, THEIRS), referringBundle(IMAGE, THEIRS)]],
    ['was signed as another content', [taggedSignature(IMAGE, OURS, { digest: `sha256:${'0'.repeat(64)}` })]],
    ['was signed as something else', [taggedSignature(IMAGE, OURS, { type: 'atomic container signature' })]],
    [
      'was signed as another content, in a bundle',
      [referringBundle(IMAGE, OURS, { digest: `sha256:${'0'.repeat(64)}` })],
    ],
    [
      'only has a bill of materials that is signed',
      [referringBundle(IMAGE, OURS, { predicateType: 'https://spdx.dev/Document' })],
    ],
  ])('refuses what %s', (_, tricks) =>
    withUser(tricks, undefined, async ({ images, name }) => {
      await expect(images.pull(name, { keys: [OURS.publicKey] })).rejects.toMatchObject(untrusted);
      expect(await images.list()).toEqual([]);
    }),
  );

  test('is not content with what the store has without', () =>
    withUser([], undefined, async ({ images, name }) => {
      await images.pull(name);
      for (const policy of ['missing', 'never'] as const)
        await expect(images.pull(name, { policy, keys: [OURS.publicKey] })).rejects.toMatchObject({
          name: 'NsboxError',
        });
    }));

  test('is content with a signature of the index, or of the image in it', async () => {
    const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const many = makeMany({ [`linux/${arch}`]: IMAGE });
    for (const trick of [taggedSignature(many, OURS), taggedSignature(IMAGE, OURS)])
      await withUser(
        [trick],
        undefined,
        async ({ images, name }) => {
          await images.pull(name, { keys: [OURS.publicKey] });
        },
        many,
      );
  });

  test('does not take a registry that fails for one without signatures', () => {
    const fail: Trick = (request, response) => {
      if (!request.url?.endsWith('.sig')) return false;
      sendError(response, 500, 'UNKNOWN');
      return true;
    };
    return withUser([fail], undefined, async ({ images, name }) => {
      await expect(images.pull(name, { keys: [OURS.publicKey] })).rejects.toMatchObject({ code: 'ERR_IO' });
    });
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
    type: 'spki',
    format: 'pem',
  });
  const secret = OURS.privateKey.export({ type: 'pkcs8', format: 'pem' });
  test.each([
    ['no key', 'key'],
    ['of another kind', rsa.toString()],
    ['a private one', secret.toString()],
  ])('refuses a key that is %s', (_, key) =>
    withUser([], undefined, async ({ images, name }) => {
      await expect(images.pull(name, { keys: [key] })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      });
    }),
  );
});

const accept = [{ type: 'insecureAcceptAnything' }];
const reject = [{ type: 'reject' }];
const signed = (more: object = {}): object[] => [
  { type: 'sigstoreSigned', keyData: Buffer.from(OURS.publicKey).toString('base64'), ...more },
];
const byRepository = { signedIdentity: { type: 'matchRepository' } };
const repositoryOf = (name: string): string => name.replace(/:1$/, '');

describe('a policy', () => {
  test.each<[string, (name: string) => object]>([
    ['everything', () => ({ default: accept })],
    [
      'this registry',
      (name) => ({ default: reject, transports: { docker: { [name.replace(/\/.*/, '')]: accept } } }),
    ],
    ['all registries', () => ({ default: reject, transports: { docker: { '': accept } } })],
    [
      'this image alone',
      (name) => ({
        default: reject,
        transports: { docker: { [repositoryOf(name)]: reject, [name]: accept } },
      }),
    ],
    [
      'a repository above',
      (name) => ({ default: reject, transports: { docker: { [name.replace(/\/app:1$/, '')]: accept } } }),
    ],
  ])('that allows %s does', (_, policy) =>
    withUser([], policy, async ({ images, name }) => {
      await images.pull(name);
    }),
  );

  test.each<[string, (name: string) => object]>([
    ['everything', () => ({ default: reject })],
    [
      'this repository',
      (name) => ({ default: accept, transports: { docker: { [repositoryOf(name)]: reject } } }),
    ],
    [
      'what GPG has not signed',
      () => ({ default: [{ type: 'signedBy', keyType: 'GPGKeys', keyPath: '/x' }] }),
    ],
    ['what no key has signed', () => ({ default: [{ type: 'sigstoreSigned' }] })],
    ['what is not in a log', () => ({ default: signed({ rekorPublicKeyPath: '/x' }) })],
    ['what nobody has signed', () => ({ default: signed() })],
    ['one of two demands', () => ({ default: [...accept, ...reject] })],
  ])('that rejects %s does', (_, policy) =>
    withUser([], policy, async ({ images, name }) => {
      await expect(images.pull(name)).rejects.toMatchObject(untrusted);
      expect(await images.list()).toEqual([]);
    }),
  );

  test('of signatures looks at the name that was signed', async () => {
    const policy = (name: string): object => ({
      default: reject,
      transports: { docker: { [repositoryOf(name)]: signed(byRepository) } },
    });
    await withUser([taggedSignature(IMAGE, OURS)], policy, async ({ images, name }) => {
      await expect(images.pull(name)).rejects.toMatchObject(untrusted);
    });
    const exact = (): object => ({
      default: signed({
        signedIdentity: { type: 'exactRepository', dockerRepository: 'registry.example/some/app' },
      }),
    });
    await withUser([taggedSignature(IMAGE, OURS)], exact, async ({ images, name }) => {
      await images.pull(name);
    });
    await withUser([taggedSignature(IMAGE, THEIRS)], exact, async ({ images, name }) => {
      await expect(images.pull(name)).rejects.toMatchObject(untrusted);
    });
  });

  test('reads keys from files', async () => {
    await using folder = new TemporaryDirectory();
    const keyPath = folder.join('cosign.pub');
    writeFileSync(keyPath, OURS.publicKey);
    const signedIdentity = { type: 'exactRepository', dockerRepository: 'registry.example/some/app' };
    const policy = { default: [{ type: 'sigstoreSigned', keyPath, signedIdentity }] };
    await withUser(
      [taggedSignature(IMAGE, OURS)],
      () => policy,
      async ({ images, name }) => {
        await images.pull(name);
      },
    );
  });

  test('that rejects archives does', () =>
    withUser(
      [],
      () => ({ default: accept, transports: { 'docker-archive': { '': reject } } }),
      async ({ images }) => {
        const source = async function* (): AsyncGenerator<Buffer> {
          yield tarOf();
        };
        await expect(images.load(source())).rejects.toMatchObject(untrusted);
      },
    ));

  test.each<[string, object]>([
    ['that says nothing', {}],
    ['whose list is empty', { default: [] }],
    ['with a misspelt word', { default: accept, transport: {} }],
    ['with an unknown demand', { default: [{ type: 'acceptAnything' }] }],
    [
      'with an identity that lacks a part',
      { default: signed({ signedIdentity: { type: 'exactReference' } }) },
    ],
    [
      'with an identity that has one too many',
      { default: signed({ signedIdentity: { type: 'matchExact', prefix: 'x' } }) },
    ],
  ])('%s is refused, and nothing is pulled', (_, policy) =>
    withUser(
      [],
      () => policy,
      async ({ images, name }) => {
        await expect(images.pull(name)).rejects.toMatchObject({ code: 'ERR_INVALID_CONFIG' });
      },
    ),
  );
});

describe('the name in a signature', () => {
  const DIGEST = `sha256:${'0'.repeat(64)}`;
  const remap = {
    type: 'remapIdentity',
    prefix: 'mirror.example/hub',
    signedPrefix: 'docker.io/library',
  } as const;

  test.each<[string, string, SignedIdentity, boolean]>([
    ['docker.io/library/a:1', 'a:1', { type: 'matchExact' }, true],
    ['docker.io/library/a', 'a:latest', { type: 'matchExact' }, false],
    ['docker.io/library/a:1', 'a:2', { type: 'matchRepoDigestOrExact' }, false],
    ['docker.io/library/a:1', `a@${DIGEST}`, { type: 'matchRepoDigestOrExact' }, true],
    ['docker.io/library/a:1', `a@${DIGEST}`, { type: 'matchExact' }, false],
    ['docker.io/library/a', 'a:2', { type: 'matchRepository' }, true],
    ['docker.io/library/b', 'a:2', { type: 'matchRepository' }, false],
    ['b.example/a:1', 'a:2', { type: 'exactReference', dockerReference: 'b.example/a:1' }, true],
    ['b.example/a:2', 'a:2', { type: 'exactReference', dockerReference: 'b.example/a:1' }, false],
    ['docker.io/library/a:1', 'mirror.example/hub/a:1', remap, true],
    ['docker.io/library/a:1', 'mirror.example/hubs/a:1', remap, false],
    ['Not A Name', 'a:1', { type: 'matchRepository' }, false],
  ])('%s, for %s by %j', (claimed, pulled, identity, expected) => {
    expect(isIdentity(claimed, parseReference(pulled), identity)).toBe(expected);
  });
});
