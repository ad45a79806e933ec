import { chmodSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TemporaryDirectory } from '../../support/temporary.js';
import type { Engine } from '../support/engine.js';

const DOCKERFILE = `
FROM interop
ARG WORD=unset
ENV KEPT=\${WORD}
WORKDIR /work
COPY file file
RUN echo "$KEPT" > word && id -u > user && cat file >> word
USER app
RUN id -un > /tmp/user; echo $$ > /tmp/pid
ENTRYPOINT ["cat"]
CMD ["/work/word"]
`;

/** Images made by running containers. */
export function imagesSuite(engine: Engine): void {
  const build = ['build'];
  if (!engine.isDocker) build.push('--isolation=oci');
  // Building, podman of that age makes no network for an ordinary user.
  if (engine.options.isRootless) build.push('--network=host');

  test('an image is built, and runs', async () => {
    await using folder = context(DOCKERFILE);
    const tag = engine.freshName();
    try {
      await engine.ok([...build, '--build-arg=WORD=told', '--tag', tag, folder.path], legacy);
      expect(await engine.ok(['run', '--rm', tag])).toBe('told\ncopied');
      expect(await engine.ok(['run', '--rm', tag, '/work/user', '/tmp/user', '/tmp/pid'])).toMatch(
        /^0\napp\n\d+$/,
      );
    } finally {
      await engine.run(['rmi', '--force', tag]);
    }
  });

  test('a step that fails fails the build, with its status', async () => {
    await using folder = context('FROM interop\nRUN echo before && exit 33\n');
    const { code, stdout, stderr } = await engine.run([...build, folder.path], legacy);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('before');
    expect(stdout + stderr).toMatch(/non-zero code: 33|exit status 33/);
  });

  test('a step that cannot run says why', async () => {
    await using folder = context('FROM interop\nRUN ["no-such-program"]\n');
    const { code, stdout, stderr } = await engine.run([...build, folder.path], legacy);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('executable file not found in $PATH');
  });

  test('what a container has changed is listed and made an image', async () => {
    await using container = await engine.start(
      [],
      ['sh', '-c', 'echo new > /file; rm /etc/group; sleep 1000'],
    );
    await container.exec('touch', '/another');
    const changes = (await container.do('diff')).split('\n');
    expect(changes).toEqual(expect.arrayContaining(['A /file', 'A /another', 'D /etc/group']));
    const tag = engine.freshName();
    await engine.ok(['commit', '--change=ENV MADE=yes', container.name, tag]);
    try {
      const script = 'cat /file; echo $MADE; ls /etc/group 2>/dev/null; true';
      expect(await engine.ok(['run', '--rm', tag, 'sh', '-c', script])).toBe('new\nyes');
    } finally {
      await engine.run(['rmi', '--force', tag]);
    }
  });
}

// Debian 12 has no buildx, which a newer client asks for.
const legacy = { env: { DOCKER_BUILDKIT: '0' } };

function context(dockerfile: string): TemporaryDirectory {
  const folder = new TemporaryDirectory();
  chmodSync(folder.path, 0o755);
  writeFileSync(folder.join('Dockerfile'), dockerfile);
  writeFileSync(folder.join('file'), 'copied\n');
  return folder;
}
