import { afterAll, beforeAll, describe } from 'vitest';
import { buildahSuite } from './suites/buildah.js';
import { ok } from './support/command.js';
import { watchForLeaks } from './support/leaks.js';
import { configureContainers } from './support/podman.js';

let check: () => Promise<void>;

beforeAll(async () => {
  configureContainers();
  check = watchForLeaks(['/run/runc', '/run/nsbox']);
  await makeImage();
});

afterAll(async () => {
  await ok(['buildah', 'rm', '--all']);
  await check();
});

describe('buildah', () => buildahSuite());

/** From the same root as elsewhere, by buildah itself. */
async function makeImage(): Promise<void> {
  const container = await ok(['buildah', 'from', 'scratch']);
  await ok(['buildah', 'add', container, '/run/interop.tar', '/']);
  await ok(['buildah', 'commit', '--rm', container, 'interop']);
}
