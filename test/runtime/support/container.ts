import { readFileSync } from 'node:fs';
import { eventually } from '../../support/polling.js';
import type { Bundle } from './bundle.js';
import type { Call, CallOptions, Result } from './call.js';
import { hierarchies } from './leftovers.js';
import type { Runtime } from './runtime.js';

export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: string;
  readonly pid?: number;
  readonly bundle: string;
  readonly rootfs?: string;
  readonly created?: string;
  readonly owner?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One container of the runtime under test. */
export class Container {
  constructor(
    readonly runtime: Runtime,
    readonly id: string,
    readonly bundle: Bundle,
    /** Of its first process, as the pid file told. */
    readonly pid: number,
    readonly created: Call,
  ) {}

  /** What the container's program has written until now. */
  get stdout(): string {
    return this.created.stdout;
  }

  get stderr(): string {
    return this.created.stderr;
  }

  async start(): Promise<void> {
    await this.runtime.ok(['start', this.id]);
  }

  async state(): Promise<State> {
    const { stdout } = await this.runtime.ok(['state', this.id]);
    return JSON.parse(stdout);
  }

  async status(): Promise<string> {
    return (await this.state()).status;
  }

  /** `exec ID ARGS`; the flags come before the ID. */
  async exec(args: readonly string[], flags: readonly string[] = [], options?: CallOptions): Promise<Result> {
    return await this.runtime.call(['exec', ...flags, this.id, ...args], options);
  }

  /** What a command line in the container says; fails the test unless it succeeds. */
  async sh(script: string, flags: readonly string[] = []): Promise<string> {
    const { stdout } = await this.runtime.ok(['exec', ...flags, this.id, 'sh', '-c', script]);
    return stdout.trimEnd();
  }

  async kill(signal = 'KILL'): Promise<void> {
    await this.runtime.ok(['kill', this.id, signal]);
  }

  async delete(...flags: readonly string[]): Promise<void> {
    await this.runtime.ok(['delete', ...flags, this.id]);
  }

  isAlive(): boolean {
    return isAlive(this.pid);
  }

  /** Until the first process is gone; whoever has adopted it may still have to reap it. */
  async ended(patienceMs = 10_000): Promise<void> {
    await eventually(() => !this.isAlive(), Boolean, patienceMs);
  }

  /** Waits until the program has written something like this, and answers it. */
  async says(pattern: RegExp | string): Promise<string> {
    return await eventually(
      () => this.stdout,
      (text) => (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)),
      10_000,
    );
  }

  /** The container's directory in the hierarchy of a controller: v1's, or the one of v2. */
  groupFolder(controller: string): string {
    const path = this.bundle.config.linux.cgroupsPath ?? '';
    const mounts = hierarchies();
    const own = mounts.find((mount) => mount.split('/').at(-1)?.split(',').includes(controller));
    return `${own ?? mounts[0] ?? ''}${path}`;
  }

  /** A file of the container's group: the first of the names that is there. */
  groupFile(controller: string, ...names: readonly string[]): string {
    const folder = this.groupFolder(controller);
    for (const name of names) {
      try {
        return readFileSync(`${folder}/${name}`, 'utf8').trim();
      } catch {
        // Another version of cgroups calls it otherwise.
      }
    }
    throw new Error(`none of ${names.join(', ')} in ${folder}`);
  }
}

export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
