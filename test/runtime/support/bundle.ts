import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { testinit } from '../../support/testinit.js';
import { baseConfig, type Config, type Patch } from './config.js';

const APPLETS =
  'sh cat ls echo true false sleep id env pwd mkdir rm rmdir touch mount umount stat readlink ln cp mv chmod chown head tail grep sed awk cut ' +
  'test kill ps hostname dd seq wc tr sort ip tty stty nproc date mknod mkfifo expr printf uname getopt df find setsid xxd od ulimit usleep nice';

/** A bundle of a test's own: a root with a static busybox and testinit, and a config.json like `runc spec`'s. */
export class Bundle {
  readonly config: Config;

  constructor(
    readonly path: string,
    patch: Patch = () => {},
  ) {
    this.config = baseConfig();
    patch(this.config);
    makeRoot(this.rootfs, join(path, '..'));
    this.write();
  }

  get rootfs(): string {
    return join(this.path, 'rootfs');
  }

  /** A path in the container, as seen from outside. */
  inside(...names: readonly string[]): string {
    return join(this.rootfs, ...names);
  }

  /** Writes config.json again, or what a test wants to stand there. */
  write(text: string | Uint8Array = JSON.stringify(this.config)): void {
    writeFileSync(join(this.path, 'config.json'), text);
  }
}

export function makeBundle(folder: string, patch?: Patch): Bundle {
  const path = mkdtempSync(join(folder, 'bundle-'));
  chmodSync(path, 0o755);
  return new Bundle(path, patch);
}

function makeRoot(root: string, folder: string): void {
  for (const name of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'work'])
    mkdirSync(join(root, name), { recursive: true, mode: 0o755 });
  chmodSync(join(root, 'tmp'), 0o1777);
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nworker:x:1000:1000::/home/worker:/bin/sh\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nworker:x:1000:\nstaff:x:50:worker\n');
  link(folder, '/usr/bin/busybox', join(root, 'bin/busybox'));
  link(folder, testinit(), join(root, 'testinit'));
  for (const applet of APPLETS.split(' ')) symlinkSync('busybox', join(root, 'bin', applet));
}

// A copy for each folder of tests, and links to it: a copy for each bundle would cost more than the container.
function link(folder: string, source: string, target: string): void {
  const copy = join(folder, source.replaceAll('/', '_'));
  try {
    linkSync(copy, target);
  } catch {
    copyFileSync(source, copy);
    chmodSync(copy, 0o755);
    linkSync(copy, target);
  }
}
