import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The command as it is published: the real bundle. */
export const cli = join(import.meta.dirname, '..', '..', '..', 'dist', 'cli.cjs');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface NsboxOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `nsbox` to its end. */
export async function nsbox(args: readonly string[], options: NsboxOptions = {}): Promise<Ended> {
  return await endOf(start(args, options));
}

export function start(args: readonly string[], options: NsboxOptions = {}): ChildProcess {
  return startProgram(process.execPath, [cli, ...args], options);
}

/** Runs `nsbox` on a terminal of its own, by script(1); everything it shows is in stdout. */
export function startOnTerminal(args: readonly string[]): ChildProcess {
  const words = [process.execPath, cli, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return startProgram('script', ['-qec', words.join(' '), '/dev/null'], { input: KEEP_OPEN });
}

export const hasScript = spawnSync('script', ['--version']).status === 0;

/** For `input`: the caller writes by itself. */
export const KEEP_OPEN = '\0keep open';

function startProgram(program: string, args: readonly string[], { input = '', cwd, env }: NsboxOptions) {
  const { NODE_EXTRA_CA_CERTS: _, NSBOX_DEBUG: __, ...ours } = process.env;
  const child = spawn(program, args, { cwd, env: { ...ours, ...env }, stdio: 'pipe' });
  child.stdin.on('error', () => {});
  if (input !== KEEP_OPEN) child.stdin.end(input);
  return child;
}

export async function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code]: (number | null)[] = await once(child, 'close');
  return { code: code ?? null, stdout, stderr };
}

/** Resolves when the text has come out of the child's stdout. */
export async function saying(child: ChildProcess, text: string): Promise<void> {
  let so = '';
  await new Promise<void>((resolve, reject) => {
    const look = (chunk: Buffer): void => {
      so += chunk;
      if (!so.includes(text)) return;
      child.stdout?.off('data', look);
      resolve();
    };
    child.stdout?.on('data', look);
    child.once('close', () => reject(new Error(`ended without saying ${text}: ${so}`)));
  });
}
