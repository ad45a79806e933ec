import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { TemporaryDirectory } from '../../../support/temporary.js';

/** A program of TypeScript beside this file, as one that Node runs. */
export async function bundle(name: string, folder: TemporaryDirectory): Promise<string> {
  const outfile = folder.join(`${name}.cjs`);
  const entryPoints = [join(import.meta.dirname ?? __dirname, `${name}.ts`)];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', target: 'node20.19', format: 'cjs' });
  return outfile;
}

/** A process that is at work, and can be killed. */
export class Worker implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    private readonly ended: Promise<void>,
    /** What it has complained of. */
    readonly stderr: () => string,
  ) {}

  /** Resolves when the program has said that it begins. */
  static async start(program: string, ...args: readonly string[]): Promise<Worker> {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), ended]);
    return new Worker(child, ended, () => stderr);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
