// The programs that this needs, and the Debian packages that have them.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const PACKAGE_OF = {
  'qemu-system-x86_64': 'qemu-system-x86',
  mmdebstrap: 'mmdebstrap',
  mke2fs: 'e2fsprogs',
  setpriv: 'util-linux',
  tar: 'tar',
  ldd: 'libc-bin',
};
const WITHOUT_ROOT = { fakeroot: 'fakeroot', newuidmap: 'uidmap' };
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

/** Throws, naming the packages, unless all tools are here; with `install`, root gets them. */
export function requireTools({ install }) {
  const packages = missingPackages();
  if (packages.length === 0) return;
  const command = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  if (!install || process.getuid() !== 0) {
    throw new Error(`missing tools; as root: ${command}\n(--install does this by itself, when root)`);
  }
  run('apt-get', ['-q', 'update']);
  run('apt-get', ['-q', 'install', '-y', '--no-install-recommends', ...packages]);
  if (missingPackages().length > 0)
    throw new Error(`still missing after the installation: ${missingPackages()}`);
}

function missingPackages() {
  const wanted = process.getuid() === 0 ? PACKAGE_OF : { ...PACKAGE_OF, ...WITHOUT_ROOT };
  return Object.entries(wanted).flatMap(([tool, name]) => (isHere(tool) ? [] : [name]));
}

function isHere(tool) {
  return FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function run(program, args) {
  const { status } = spawnSync(program, args, {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: exit status ${status}`);
}
