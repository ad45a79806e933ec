import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import { Engine } from './engine.js';
import { makeRootArchive } from './image.js';
import { watchForLeaks } from './leaks.js';
import { runtime } from './runtime.js';

export const ARCHIVE = '/run/interop.tar';

// Without systemd, and within the limits of whoever runs the tests: what podman asks for by default is more.
const CONFIGURATION = `
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
`;
const POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}\n';

/** What podman, buildah and skopeo read, in a folder that is this machine's alone. */
export function configureContainers(): void {
  writeFileSync('/etc/containers/containers.conf', CONFIGURATION);
  writeFileSync('/etc/containers/policy.json', POLICY);
  makeRootArchive(ARCHIVE);
}

/** podman for the tests of a file, with the image imported; as root, or as the ordinary user that the script names. */
export function podman(): Engine {
  const user = ordinaryUser();
  const engine = new Engine({
    name: 'podman',
    isRootless: user !== undefined,
    command: [...(user ? asUser(user) : []), 'podman', '--runtime', runtime],
    stateRoots: stateRoots(user),
  });
  let check: () => Promise<void>;
  beforeAll(async () => {
    configureContainers();
    if (user) makeHome(user);
    check = watchForLeaks(engine.options.stateRoots);
    await engine.ok(['import', ARCHIVE, engine.image]);
  });
  afterAll(async () => {
    await engine.ok(['rm', '--all', '--force', '--time', '0']);
    // Ends the process that holds an ordinary user's namespaces.
    if (user) await engine.ok(['system', 'migrate']);
    await check();
  });
  return engine;
}

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

function ordinaryUser(): User | undefined {
  const [name = '', uid, gid] = (process.env.NSBOX_INTEROP_USER ?? '').split(':');
  return name === '' ? undefined : { name, uid: Number(uid), gid: Number(gid) };
}

const home = ({ name }: User): string => `/var/tmp/home-${name}`;
const storage = (user: User): string => `
[storage]
driver = "overlay"
runroot = "${runtimeFolder(user)}/containers"
graphroot = "${home(user)}/storage"
`;
const runtimeFolder = ({ uid }: User): string => `/run/user/${uid}`;

function asUser(user: User): string[] {
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--inh-caps=-all'];
  const environment = [
    ...[`HOME=${home(user)}`, `USER=${user.name}`, `LOGNAME=${user.name}`],
    ...[`XDG_RUNTIME_DIR=${runtimeFolder(user)}`, `XDG_CONFIG_HOME=${home(user)}/.config`],
  ];
  return ['setpriv', ...identity, 'env', ...environment];
}

function makeHome(user: User): void {
  mkdirSync('/run/user', { recursive: true });
  for (const folder of [
    home(user),
    `${home(user)}/.config`,
    `${home(user)}/.config/containers`,
    runtimeFolder(user),
  ]) {
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, user.uid, user.gid);
  }
  writeFileSync(`${home(user)}/.config/containers/storage.conf`, storage(user), { mode: 0o644 });
}

function stateRoots(user?: User): string[] {
  const folder = user ? runtimeFolder(user) : '/run';
  return ['runc', 'nsbox'].map((name) => `${folder}/${name}`);
}
