import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasGroups, isRoot } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { type Bundle, makeBundle } from './bundle.js';
import { Call, type CallOptions, type Result } from './call.js';
import type { Config, Patch } from './config.js';
import { Container } from './container.js';
import { groupsCalled, leftovers, states } from './leftovers.js';

export type { Bundle } from './bundle.js';
export type { CallOptions, Result } from './call.js';
export type { Config, Patch } from './config.js';
export type { Container } from './container.js';

let folders = 0;
let ids = 0;

export interface CreateOptions extends CallOptions {
  /** Flags of `create` or `run`, before the ID. */
  readonly flags?: readonly string[];
  readonly id?: string;
}

/**
 * The runtime under test with a `--root` of its own. `await using` deletes what a test has made and then looks whether
 * anything is left: state, cgroups, mounts, processes.
 */
export class Runtime implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'test-'));
  readonly root = join(this.folder, 'state');
  /** All groups of this runtime's containers begin so. */
  readonly group = `nsbox_test-${process.pid}-${++folders}-`;

  constructor(
    /** Global flags for each call. */
    readonly globals: readonly string[] = [],
  ) {
    chmodSync(this.folder, 0o755);
  }

  id(): string {
    return `box-${process.pid}-${++ids}`;
  }

  /** A bundle whose container has a group of its own, where there are any. */
  bundle(patch?: Patch): Bundle {
    return makeBundle(this.folder, (config) => {
      if (hasGroups && isRoot) config.linux.cgroupsPath = this.groupPath(`${++ids}`);
      patch?.(config);
    });
  }

  groupPath(name: string): string {
    return `/${this.group}${name}`;
  }

  /** `runtime --root … ARGS`, and waits for its end. */
  async call(args: readonly string[], options?: CallOptions): Promise<Result> {
    return await this.launch(args, options).result;
  }

  /** The same, and fails the test unless it succeeds. */
  async ok(args: readonly string[], options?: CallOptions): Promise<Result> {
    return succeeded(await this.call(args, options));
  }

  /** The same, not waited for. */
  launch(args: readonly string[], options?: CallOptions): Call {
    return new Call(this.folder, ['--root', this.root, ...this.globals, ...args], options);
  }

  /** A container that waits for its start. */
  async create(patch?: Patch, options: CreateOptions = {}): Promise<Container> {
    const bundle = this.bundle(patch);
    const id = options.id ?? this.id();
    const pidFile = join(bundle.path, 'pid');
    const call = this.launch(
      ['create', '--bundle', bundle.path, '--pid-file', pidFile, ...(options.flags ?? []), id],
      options,
    );
    succeeded(await call.result);
    return new Container(this, id, bundle, Number(readFileSync(pidFile, 'utf8')), call);
  }

  /** A container whose program runs. */
  async start(patch?: Patch, options?: CreateOptions): Promise<Container> {
    const container = await this.create(patch, options);
    await container.start();
    return container;
  }

  /** A container that stays until it is killed. */
  async pause(patch?: Patch, options?: CreateOptions): Promise<Container> {
    return await this.start((config) => {
      config.process.args = ['sleep', '1000'];
      patch?.(config);
    }, options);
  }

  /** `run` from beginning to end: what the program wrote, and its status. */
  async run(patch?: Patch, options: CreateOptions = {}): Promise<Result> {
    const bundle = this.bundle(patch);
    return await this.call(
      ['run', '--bundle', bundle.path, ...(options.flags ?? []), options.id ?? this.id()],
      options,
    );
  }

  /** Runs a command line in a container of its own; fails the test unless it succeeds. Answers its output, trimmed. */
  async sh(script: string, patch?: Patch): Promise<string> {
    const result = await this.run((config) => {
      config.process.args = ['sh', '-c', script];
      patch?.(config);
    });
    return succeeded(result).stdout.trimEnd();
  }

  /** Runs a command line in a bundle whose root and configuration have been prepared. */
  async runPrepared(script: string, prepare: (bundle: Bundle, config: Config) => void): Promise<Result> {
    const bundle = this.bundle((config) => {
      config.process.args = ['sh', '-c', script];
    });
    prepare(bundle, bundle.config);
    bundle.write();
    return await this.call(['run', '--bundle', bundle.path, this.id()]);
  }

  /** Until the container of a call that is not waited for has this status. */
  async until(id: string, status: string): Promise<void> {
    for (let round = 0; round < 1000; round++) {
      const { stdout } = await this.call(['state', id]);
      if (stdout.includes(`"status": "${status}"`)) return;
    }
    throw new Error(`${id} does not become ${status}`);
  }

  /** The ids of which there is state. */
  states(): string[] {
    return states(this.root);
  }

  leftovers(): string[] {
    return leftovers(this.folder, this.root, this.group);
  }

  /** Deletes every container, and answers what that has left. */
  async clear(): Promise<string[]> {
    for (const id of this.states()) await this.call(['delete', '--force', id]);
    return await eventually(
      () => this.leftovers(),
      (left) => left.length === 0,
      5000,
    ).catch(() => this.leftovers());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = await this.clear();
    for (const path of groupsCalled(this.group).reverse()) removeGroup(path);
    await rm(this.folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left behind: ${left.join('\n')}`);
  }
}

export function succeeded(result: Result): Result {
  if (result.code === 0) return result;
  const end = result.signal ?? `status ${result.code}`;
  throw new Error(`${result.args.join(' ')}: ${end}\n${result.stderr}`);
}

// What a failed test has left, with the levels below it, must not disturb the next.
function removeGroup(path: string): void {
  try {
    for (const inner of readdirSync(path, { withFileTypes: true }))
      if (inner.isDirectory()) removeGroup(join(path, inner.name));
    rmdirSync(path);
  } catch {
    // It has processes: the error above says so.
  }
}
