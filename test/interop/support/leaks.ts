import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { names, processTable, read } from '../../support/leaks.js';
import { eventually } from './waiting.js';

// The machine of the tests is their own, so whatever is there at the end and was not at the beginning has been left.

/** What engines keep for the next container: the storage's own mount, bridges, and empty groups above the containers'. */
const KEPT_MOUNT = /\/storage\/overlay$|^\/run\/netns$|^\/run\/docker\/netns\/default$/;
const KEPT_INTERFACE = /^(lo|docker0|cni-podman\d+)$/;
const KEPT_GROUP = /^\/(docker|libpod_parent|default|interop-parent|buildah|system\.slice)(\/conmon)?$/;
/** podman removes a pod's own group only where it knows the controller. */
const POD = /^\/sys\/fs\/cgroup\/(systemd|unified)\/libpod_parent\/[0-9a-f]{64}$/;

/** Fails unless all is as it was, but for what engines keep; the roots are where a runtime has its containers. */
export function watchForLeaks(stateRoots: readonly string[]): () => Promise<void> {
  const before = new Set(everything(stateRoots));
  return async () => {
    let left: string[] = [];
    await eventually(() => {
      left = everything(stateRoots).filter((one) => !before.has(one));
      return left.length === 0;
    }).catch(() => {
      throw new Error(`left behind:\n${left.join('\n')}`);
    });
  };
}

function everything(stateRoots: readonly string[]): string[] {
  return [...processes(), ...mounts(), ...interfaces(), ...groups(), ...stateRoots.flatMap(entries)];
}

// Node's own come and go.
function processes(): string[] {
  const table = processTable();
  const parents = new Map(table.map(({ pid, parent }) => [pid, parent]));
  const isOurs = (pid: number): boolean => {
    for (let one = pid; one > 1; one = parents.get(one) ?? 0) if (one === process.pid) return true;
    return false;
  };
  return table
    .filter(
      ({ pid, name }) => !/^(node|esbuild|MainThread)/.test(name) && (isOurs(pid) || parents.get(pid) === 1),
    )
    .map(({ pid, name }) => `process ${pid} (${name})`);
}

function mounts(): string[] {
  return read('/proc/self/mountinfo')
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((place) => !KEPT_MOUNT.test(place))
    .map((place) => `mount ${place}`);
}

function interfaces(): string[] {
  return [...read('/proc/net/dev').matchAll(/^ *(\S+):/gm)]
    .map(([, name = '']) => name)
    .filter((name) => !KEPT_INTERFACE.test(name))
    .map((name) => `interface ${name}`);
}

function groups(): string[] {
  return names('/sys/fs/cgroup').flatMap((hierarchy) => {
    const top = join('/sys/fs/cgroup', hierarchy);
    return foldersBelow(top)
      .filter((path) => !isKeptGroup(path, top) || read(`${path}/cgroup.procs`) !== '')
      .map((path) => `group ${path}`);
  });
}

const isKeptGroup = (path: string, top: string): boolean =>
  KEPT_GROUP.test(path.slice(top.length)) || POD.test(path);

function foldersBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name))
      .flatMap((path) => [path, ...foldersBelow(path)]);
  } catch {
    return [];
  }
}

function entries(root: string): string[] {
  return names(root).map((name) => `state ${join(root, name)}`);
}

/** For messages: the last lines of a daemon's log. */
export function tail(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-15).join('\n');
}
