import { type CommandOptions, type Outcome, ok, onTerminal, run } from './command.js';

export interface EngineOptions {
  readonly name: 'podman' | 'docker';
  readonly isRootless: boolean;
  /** The command, with what goes before each verb. */
  readonly command: readonly string[];
  /** Where the runtime keeps its containers for this engine: nothing may be left there. */
  readonly stateRoots: readonly string[];
}

let count = 0;

/** podman or docker: two command lines that differ little. */
export class Engine {
  readonly image = 'interop';

  constructor(readonly options: EngineOptions) {}

  get isDocker(): boolean {
    return this.options.name === 'docker';
  }

  /** Whether it may limit containers: an ordinary user may not on cgroup v1. */
  get hasGroups(): boolean {
    return !this.options.isRootless;
  }

  run(args: readonly string[], options?: CommandOptions): Promise<Outcome> {
    return run([...this.options.command, ...args], options);
  }

  ok(args: readonly string[], options?: CommandOptions): Promise<string> {
    return ok([...this.options.command, ...args], options);
  }

  terminal(args: readonly string[], options?: CommandOptions & { rows?: number; columns?: number }) {
    return onTerminal([...this.options.command, ...args], options);
  }

  /** What a shell prints in a container of its own. */
  inside(options: readonly string[], script: string): Promise<string> {
    return this.ok(['run', '--rm', ...options, this.image, 'sh', '-c', script]);
  }

  /** A container in the background that is removed at the end of the block. */
  async start(
    options: readonly string[] = [],
    command: readonly string[] = ['sleep', '1000'],
  ): Promise<RunningContainer> {
    const container = new RunningContainer(this, this.freshName());
    try {
      await this.ok(['run', '--detach', '--name', container.name, ...options, this.image, ...command]);
      return container;
    } catch (error) {
      await container[Symbol.asyncDispose]();
      throw error;
    }
  }

  freshName(): string {
    return `interop-${++count}`;
  }
}

export class RunningContainer implements AsyncDisposable {
  constructor(
    readonly engine: Engine,
    readonly name: string,
  ) {}

  inspect(format: string): Promise<string> {
    return this.engine.ok(['inspect', '--format', format, this.name]);
  }

  status(): Promise<string> {
    return this.inspect('{{.State.Status}}');
  }

  exec(...command: readonly string[]): Promise<string> {
    return this.engine.ok(['exec', this.name, ...command]);
  }

  /** Does something to it: `container.do('pause')`. */
  do(verb: string, ...options: readonly string[]): Promise<string> {
    return this.engine.ok([verb, ...options, this.name]);
  }

  logs(): Promise<string> {
    return this.do('logs');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // podman would first ask it to end, and wait.
    const now = this.engine.isDocker ? [] : ['--time', '0'];
    await this.engine.run(['rm', '--force', ...now, this.name]);
  }
}
