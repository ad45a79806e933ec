import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { DEFAULT_CAPABILITIES } from '../../../lib/runtime/capabilities.js';
import type { Capability } from '../../../lib/spec/runtime/linux-names.js';
import type { Config, Runtime } from './runtime.js';

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

/** Without a mount for this destination. */
export function unmount(config: Config, ...destinations: string[]): void {
  config.mounts = config.mounts.filter(
    ({ destination }) =>
      !destinations.some((one) => destination === one || destination.startsWith(`${one}/`)),
  );
}

/** Every capability that containers may have and that does not open the host by right. */
const POWERFUL = DEFAULT_CAPABILITIES.filter((name) => name !== 'CAP_AUDIT_WRITE');

export function empower(config: Config, ...more: Capability[]): void {
  const names = [...POWERFUL, ...more];
  config.process.capabilities = { bounding: [...names], permitted: [...names], effective: [...names] };
  config.process.noNewPrivileges = false;
}
