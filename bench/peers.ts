import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { addon } from '../lib/native/load.js';
import { capabilityMask, DEFAULT_CAPABILITIES } from '../lib/runtime/capabilities.js';
import { generateConfig, generateProcess, MASKED_PATHS } from '../lib/runtime/generate.js';
import { absent, type Contestant, calling, spawned } from './contestants.js';
import { built, type Fixtures, findProgram, hasVersion1, isRoot } from './fixtures.js';

const run = promisify(execFile);
const FEWER = 0.3;
export const PEER_GROUP = '/nsbox-bench-peer';
const GROUPS = '/sys/fs/cgroup';

/** bwrap: no overlay, no cgroups, no seccomp, no masks. */
export function bubblewrap({ rootfs }: Fixtures, command: readonly string[]): Contestant {
  const program = findProgram('bwrap');
  if (program === undefined) return absent('bwrap', 'not installed: apt-get install bubblewrap');
  const options = [
    '--unshare-all',
    '--ro-bind',
    rootfs,
    '/',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
  ];
  return calling('bwrap', () => spawned([program, ...options, ...command]));
}

/** A bundle of the same command, with the same limits, filter and capabilities; its root is read-only. */
function makeBundle({ folder, rootfs }: Fixtures, command: readonly string[]): string {
  const bundle = join(folder, 'bundle');
  mkdirSync(bundle, { recursive: true });
  const process = generateProcess({
    args: command,
    env: ['PATH=/bin'],
    cwd: '/',
    capabilities: DEFAULT_CAPABILITIES,
    noNewPrivileges: true,
    apparmor: undefined,
  });
  const config = generateConfig({
    rootPath: rootfs,
    readOnly: true,
    hostname: 'bench',
    network: 'none',
    mounts: [],
    process,
    resources: { memory: { limit: 64 * 2 ** 20 }, pids: { limit: 64 } },
    userMappings: [],
    groupMappings: [],
    maskedPaths: MASKED_PATHS,
  });
  const seccomp: unknown = JSON.parse(addon().defaultSeccompProfile(capabilityMask(DEFAULT_CAPABILITIES)));
  // Peers of some years refuse a version that they do not know.
  const ociVersion = '1.0.2';
  const linux = { ...config.linux, seccomp, cgroupsPath: PEER_GROUP };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify({ ...config, ociVersion, linux }));
  return bundle;
}

function runtimeCommand(
  program: string,
  name: string,
  fixtures: Fixtures,
  command: readonly string[],
): string[] {
  const bundle = makeBundle(fixtures, command);
  return [program, '--root', join(fixtures.folder, name), 'run', '--bundle', bundle, 'nsbox-bench-peer'];
}

export function runc(fixtures: Fixtures, command: readonly string[]): Contestant {
  const program = findProgram('runc');
  if (program === undefined) return absent('runc', 'not installed: apt-get install runc');
  if (!isRoot) return absent('runc', 'only compared as root');
  const line = runtimeCommand(program, 'runc', fixtures, command);
  return { ...calling('runc', () => spawned(line)), share: FEWER };
}

/** crun refuses hybrid cgroups: there it runs where it sees version 1 alone, started by a Node process of its own. */
export function crun(fixtures: Fixtures, command: readonly string[]): Contestant {
  const program = findProgram('crun');
  if (program === undefined) return absent('crun', 'not installed: apt-get install crun');
  if (!isRoot) return absent('crun', 'only compared as root');
  const line = runtimeCommand(program, 'crun', fixtures, command);
  if (!hasVersion1()) return { ...calling('crun', () => spawned(line)), share: FEWER };
  return { name: 'crun', share: FEWER, lives: (count) => livesWithoutUnified(line, count) };
}

async function livesWithoutUnified(line: readonly string[], count: number): Promise<number[]> {
  const script = 'umount -l /sys/fs/cgroup/unified 2>/dev/null; exec "$@"';
  const spawner = [process.execPath, built('spawner.mjs'), String(count), ...line];
  const { stdout } = await run('unshare', ['-m', 'sh', '-c', script, 'sh', ...spawner]);
  return JSON.parse(stdout) as number[];
}

/** The peers remove their own group, unless they fail. */
export function removePeersGroup(): void {
  for (const hierarchy of ['.', ...readdirSync(GROUPS)]) removeGroup(join(GROUPS, hierarchy, PEER_GROUP));
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // There is none in this hierarchy, or another run still uses it.
  }
}
