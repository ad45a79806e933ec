import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { run } from './command.js';
import { tail } from './leaks.js';
import { eventually } from './waiting.js';

/** A program that serves the tests of one file, in the machine made for them. */
export class Daemon {
  private constructor(
    private readonly child: ChildProcess,
    readonly log: string,
  ) {}

  /** Starts it, and waits until a command that asks it something succeeds. */
  static async start(command: readonly string[], probe: readonly string[]): Promise<Daemon> {
    const [program = '', ...args] = command;
    const log = `/run/${program}.log`;
    const output = openSync(log, 'w');
    const env = { PATH: process.env.PATH ?? '', HOME: '/root' };
    const daemon = new Daemon(spawn(program, args, { stdio: ['ignore', output, output], env }), log);
    await eventually(async () => {
      if (daemon.child.exitCode !== null) throw new Error(`${program} has ended:\n${tail(log)}`);
      return (await run(probe)).code === 0;
    });
    return daemon;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) throw new Error(`it had ended:\n${tail(this.log)}`);
    const end = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await end;
  }
}
