import { spawn } from 'node:child_process';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs a command to its end, whatever that is; a signal's number is added to 128, as shells do. */
export function run(command: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: 'pipe',
    cwd: options.cwd ?? '/',
    env: { ...cleanEnvironment(), ...options.env },
  });
  // Whoever does not read its input may close it.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : 143), stdout: stdout(), stderr: stderr() }),
    );
  });
}

/** What a command printed that must succeed, without the last line's end. */
export async function ok(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, options);
  if (code !== 0) throw new Error(`${command.join(' ')}: status ${code}: ${stderr.trim()} ${stdout.trim()}`);
  return stdout.trimEnd();
}

/** Runs a command on a terminal of the size given; all that it shows is one text, with plain line ends. */
export async function onTerminal(
  command: readonly string[],
  { rows = 24, columns = 80, ...options }: CommandOptions & { rows?: number; columns?: number } = {},
): Promise<{ readonly code: number; readonly output: string }> {
  const line = `stty rows ${rows} cols ${columns}; exec ${command.map(quote).join(' ')}`;
  const { code, stdout } = await run(
    ['script', '--quiet', '--return', '--command', line, '/dev/null'],
    options,
  );
  // `script` types the end of its input, which is echoed.
  return { code, output: stdout.replaceAll('\r', '').replaceAll('^@', '') };
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

// Proxies, certificates and the like of the machine would be handed to the containers.
function cleanEnvironment(): Record<string, string> {
  const env: Record<string, string> = { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', TERM: 'xterm' };
  // A runtime that is built with sanitizers is told its options; what is temporary is the lane's own.
  for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TMPDIR'])
    if (process.env[name] !== undefined) env[name] = process.env[name];
  return env;
}
