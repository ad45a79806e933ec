import { afterAll, beforeAll } from 'vitest';
import { Daemon } from './daemon.js';
import { Engine } from './engine.js';
import { makeRootArchive } from './image.js';
import { watchForLeaks } from './leaks.js';
import { runtime } from './runtime.js';

/** The runtime's name for dockerd. */
export const RUNTIME_NAME = 'undertest';
const ARCHIVE = '/run/interop.tar';

export interface Docker {
  readonly engine: Engine;
  /** Ends the daemon and starts it anew; containers live on. */
  restart(): Promise<void>;
}

/** dockerd for the tests of a file, and its client, with the image imported. */
export function docker(): Docker {
  const engine = new Engine({
    name: 'docker',
    isRootless: false,
    command: ['docker'],
    stateRoots: [`/run/docker/runtime-${RUNTIME_NAME}/moby`, '/run/docker/runtime-runc/moby'],
  });
  let daemon: Daemon;
  let check: () => Promise<void>;
  beforeAll(async () => {
    makeRootArchive(ARCHIVE);
    check = watchForLeaks(engine.options.stateRoots);
    daemon = await start();
    await engine.ok(['import', ARCHIVE, engine.image]);
  });
  afterAll(async () => {
    await daemon.stop();
    await check();
  });
  const restart = async () => {
    await daemon.stop();
    daemon = await start();
  };
  return { engine, restart };
}

function start(): Promise<Daemon> {
  const options = [`--add-runtime=${RUNTIME_NAME}=${runtime}`, `--default-runtime=${RUNTIME_NAME}`];
  return Daemon.start(['dockerd', '--live-restore', ...options], ['docker', 'version']);
}
