// The programs that the tests drive, and Debian's packages that have them.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const PACKAGE_OF = {
  podman: 'podman',
  buildah: 'buildah',
  containerd: 'containerd',
  ctr: 'containerd',
  dockerd: 'docker.io',
  docker: 'docker.io',
  crun: 'crun',
  runc: 'runc',
  umoci: 'umoci',
  skopeo: 'skopeo',
  busybox: 'busybox-static',
  newuidmap: 'uidmap',
  slirp4netns: 'slirp4netns',
  'fuse-overlayfs': 'fuse-overlayfs',
  iptables: 'iptables',
  nft: 'nftables',
  ip: 'iproute2',
  ps: 'procps',
  script: 'bsdutils',
  setpriv: 'util-linux',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  '/usr/lib/cni/dnsname': 'golang-github-containernetworking-plugin-dnsname',
  dnsmasq: 'dnsmasq-base',
  catatonit: 'catatonit',
};
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/libexec/podman'];

/** Throws, naming the packages, unless all programs are here; with `install`, root gets them. */
export function requireTools({ install }) {
  const packages = missingPackages();
  if (packages.length === 0) return;
  const command = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  if (!install)
    throw new Error(`missing programs; as root: ${command}\n(--install does this by itself, when root)`);
  withoutServices(() => {
    run('apt-get', ['-qq', 'update']);
    run('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', ...packages]);
  });
  const still = missingPackages();
  if (still.length > 0) throw new Error(`still missing after the installation: ${still.join(' ')}`);
}

function missingPackages() {
  return [...new Set(Object.entries(PACKAGE_OF).flatMap(([tool, name]) => (isHere(tool) ? [] : [name])))];
}

/** Where a program is; undefined if nowhere. */
export function find(tool) {
  return (tool.startsWith('/') ? [tool] : FOLDERS.map((folder) => join(folder, tool))).find(isExecutable);
}

const isHere = (tool) => find(tool) !== undefined;

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const POLICY = '/usr/sbin/policy-rc.d';

// The packages of daemons start them, here outside of any namespace, unless this program says no.
function withoutServices(action) {
  if (existsSync(POLICY)) return action();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    action();
  } finally {
    rmSync(POLICY);
  }
}

function run(program, args) {
  const { status } = spawnSync(program, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: exit status ${status}`);
}
