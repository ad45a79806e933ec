import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe } from 'vitest';
import { containerdSuite } from './suites/containerd.js';
import { ok } from './support/command.js';
import { Daemon } from './support/daemon.js';
import { makeRootArchive } from './support/image.js';
import { watchForLeaks } from './support/leaks.js';

const CONFIGURATION = `
version = 2
[plugins."io.containerd.internal.v1.opt"]
path = "/run/containerd-opt"
`;
const STATE_ROOTS = ['/run/containerd/runc/default', '/run/containerd/io.containerd.runtime.v2.task/default'];

let daemon: Daemon;
let check: () => Promise<void>;

beforeAll(async () => {
  writeFileSync('/run/containerd.toml', CONFIGURATION);
  check = watchForLeaks(STATE_ROOTS);
  daemon = await Daemon.start(['containerd', '--config', '/run/containerd.toml'], ['ctr', 'version']);
  await importImage();
});

afterAll(async () => {
  await daemon.stop();
  await check();
});

describe('containerd', () => containerdSuite());

/** An image as umoci makes it, under the name `interop:latest`. */
async function importImage(): Promise<void> {
  const layout = '/run/layout';
  makeRootArchive('/run/interop.tar');
  await ok(['umoci', 'init', '--layout', layout]);
  await ok(['umoci', 'new', '--image', `${layout}:latest`]);
  await ok(['umoci', 'raw', 'add-layer', '--image', `${layout}:latest`, '/run/interop.tar']);
  await ok(['tar', '-C', layout, '-cf', '/run/image.tar', '.']);
  await ok(['ctr', 'image', 'import', '--base-name', 'interop', '/run/image.tar']);
}
