import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Bundle, Config, Result, Runtime } from './runtime.js';

/** A directory of the host's that no container was given: an attack has worked where anything in it has changed. */
export class Treasure {
  readonly path: string;
  readonly #before: string;

  constructor(runtime: Runtime) {
    this.path = join(runtime.folder, 'treasure');
    mkdirSync(join(this.path, 'deep'), { recursive: true });
    writeFileSync(join(this.path, 'secret'), 'secret of the host');
    writeFileSync(join(this.path, 'ptmx'), 'a file of that name');
    this.#before = this.#picture();
  }

  expectUntouched(): void {
    expect(this.#picture()).toBe(this.#before);
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    expect(mounts.split('\n').filter((line) => line.includes(this.path))).toEqual([]);
  }

  #picture(folder = this.path): string {
    return readdirSync(folder)
      .sort()
      .map((name) => {
        const path = join(folder, name);
        const { mode, uid, gid, size, ino } = statSync(path);
        const rest = statSync(path).isDirectory() ? this.#picture(path) : readFileSync(path, 'utf8');
        return [path, mode, uid, gid, statSync(path).isDirectory() ? 0 : size, ino, rest].join(' ');
      })
      .join('\n');
  }
}

/** Runs a command line in a bundle whose root has been prepared. */
export async function attack(
  runtime: Runtime,
  script: string,
  prepare: (bundle: Bundle, config: Config) => void,
): Promise<Result> {
  const bundle = runtime.bundle((config) => {
    config.process.args = ['sh', '-c', script];
  });
  prepare(bundle, bundle.config);
  bundle.write();
  return await runtime.call(['run', '--bundle', bundle.path, runtime.id()]);
}

/** Without a mount for this destination. */
export function unmount(config: Config, ...destinations: string[]): void {
  config.mounts = config.mounts.filter(
    ({ destination }) =>
      !destinations.some((one) => destination === one || destination.startsWith(`${one}/`)),
  );
}

/** Every capability that containers may have and that does not open the host by right. */
export const POWERFUL = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
] as const;

export function empower(config: Config, ...more: (typeof POWERFUL)[number][]): void {
  const names = [...POWERFUL, ...more];
  config.process.capabilities = { bounding: [...names], permitted: [...names], effective: [...names] };
  config.process.noNewPrivileges = false;
}
