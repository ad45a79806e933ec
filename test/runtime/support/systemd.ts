import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { TestContext } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { skipUnlessInMachine } from '../../support/skip.js';
import type { Config, Container, CreateOptions, Patch, Result } from './runtime.js';
import { Runtime } from './runtime.js';

type Resources = NonNullable<Config['linux']['resources']>;

export const DEFAULT_SLICE = isRoot ? 'system.slice' : 'user.slice';
const PREFIX = 'nsboxtest';
let names = 0;

/** Skips the test where there is no systemd, or none of this user's, or no cgroup v2 for it to work with. */
export function needSystemd(context: TestContext): void {
  // What sd_booted(3) looks for.
  skipUnlessInMachine(context, existsSync('/run/systemd/system'), 'systemd does not run here');
  const runs = isRoot || existsSync(`${process.env.XDG_RUNTIME_DIR}/systemd/private`);
  skipUnlessInMachine(context, runs, 'this user has no systemd');
  skipUnlessInMachine(
    context,
    existsSync('/sys/fs/cgroup/cgroup.controllers'),
    'there is no cgroup v2 alone',
  );
}

export function systemctl(...args: readonly string[]): string {
  const command = isRoot ? args : ['--user', ...args];
  return execFileSync('systemctl', command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The unit's properties. One that is not there has properties too: `LoadState` says so. */
export function show(unit: string, ...properties: readonly string[]): Record<string, string> {
  const lines = systemctl('show', unit, ...properties.map((name) => `--property=${name}`)).split('\n');
  const pairs = lines.filter((line) => line.includes('=')).map((line) => cut(line, '='));
  return Object.fromEntries(pairs);
}

export const isLoaded = (unit: string): boolean => show(unit, 'LoadState').LoadState === 'loaded';

/** The folder of the group that a process is in. */
export function groupOf(pid: number): string {
  const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  return `/sys/fs/cgroup${path}`;
}

export function fileOf(container: Container, name: string): string {
  return readFileSync(`${groupOf(container.pid)}/${name}`, 'utf8').trim();
}

export const withLimits =
  (resources: Resources): Patch =>
  (config) => {
    config.linux.resources = { ...config.linux.resources, ...resources };
  };

/** The runtime with its systemd driver. At the end no unit of its containers may be there. */
export class SystemdRuntime extends Runtime {
  constructor() {
    super(['--systemd-cgroup']);
  }

  /** A name for `cgroupsPath`, and the unit it stands for. */
  name(slice = DEFAULT_SLICE): { path: string; unit: string } {
    const name = `${process.pid}-${++names}`;
    return { path: `${slice}:${PREFIX}:${name}`, unit: `${PREFIX}-${name}.scope` };
  }

  /** A container that sleeps in a scope of its own. */
  async scope(patch?: Patch, options?: CreateOptions): Promise<Container & { readonly unit: string }> {
    const { path, unit } = this.name();
    const container = await this.pause((config) => {
      config.linux.cgroupsPath = path;
      patch?.(config);
    }, options);
    return Object.assign(container, { unit });
  }

  /** `run` in a scope of its own. */
  async runScope(patch?: Patch): Promise<Result> {
    return await this.run((config) => {
      config.linux.cgroupsPath = this.name().path;
      patch?.(config);
    });
  }

  /** The units of these tests that systemd knows. */
  units(): string[] {
    const listed = systemctl('list-units', '--all', '--plain', '--no-legend', `${PREFIX}-${process.pid}-*`);
    return listed
      .split('\n')
      .map((line) => line.trim().split(/\s+/)[0] ?? '')
      .filter((unit) => unit !== '');
  }

  override async clear(): Promise<string[]> {
    const left = await super.clear();
    const units = await eventually(
      () => this.units(),
      (all) => all.length === 0,
      20_000,
    ).catch(() => this.units());
    return [...left, ...units.map((unit) => `unit ${unit}`)];
  }
}

function cut(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator);
  return [line.slice(0, at), line.slice(at + 1)];
}
