// Checked by compiling: `npm test` runs tsc on this folder, against the types that the package publishes.
import type { Readable, Writable } from 'node:stream';
import {
  type Argument,
  type Change,
  CommandError,
  type DirectoryEntry,
  type ErrorCode,
  type Exec,
  type ExecOptions,
  NsboxError,
  type OutputLine,
  type Process,
  type Result,
  type RunOptions,
  Sandbox,
  type SandboxOptions,
  type SandboxStats,
  type Snapshot,
} from 'nsbox';

/** Compiles only where both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

export async function run(): Promise<void> {
  const process = Sandbox.run(['node', '-p', '1+1'], { limits: { memory: '128m', pids: 32 } });
  same<typeof process, Process>(true);
  const result = await process;
  same<typeof result, Result>(true);
  same<typeof result.exitCode, number | null>(true);
  same<typeof result.signal, NodeJS.Signals | null>(true);
  same<typeof result.usage, { readonly cpuMs: number; readonly memoryPeak: number }>(true);
  // @ts-expect-error: a result is only read
  result.stdout = '';

  // @ts-expect-error: no shell
  Sandbox.run('node -p 1+1');
  // @ts-expect-error: unknown option
  Sandbox.run(['true'], { memory: '1g' });
  // @ts-expect-error: a list of texts
  Sandbox.run([1]);
}

export async function hold(): Promise<void> {
  await using box = await Sandbox.create();
  same<typeof box, Sandbox>(true);
  same<typeof box.exec, Exec>(true);
  same<Awaited<ReturnType<typeof box.stats>>, SandboxStats>(true);
  same<Awaited<ReturnType<typeof box.snapshot>>, Snapshot>(true);
  for await (const change of box.changes()) same<typeof change, Change>(true);
  const count: number = await box.apply({ paths: ['/app/dist'] });
  void count;
  // @ts-expect-error: the name is the sandbox's for its life
  box.id = 'other';
}

export async function exec(box: Sandbox, name: string, list: readonly (string | number)[]): Promise<void> {
  same<ReturnType<typeof box.exec>, ReturnType<Exec>>(true);
  const one: Process = box.exec`ls ${name}`;
  const two: Process = box.exec`ls ${1} ${list}`;
  const three: Process = box.exec(['ls', name], { cwd: '/tmp' });
  const four: Process = box.exec({ cwd: '/tmp', timeout: '2s' })`ls ${name}`;
  void [one, two, three, four];
  // @ts-expect-error: a value is a text, a number, or a list of them
  box.exec`ls ${{}}`;
  // @ts-expect-error: nor nothing
  box.exec`ls ${undefined}`;
  // @ts-expect-error: unknown option
  box.exec(['ls'], { workdir: '/tmp' });
  // @ts-expect-error: no such kind of stdio
  box.exec(['ls'], { stdin: 'file' });
}

export async function streams(process: Process): Promise<void> {
  same<typeof process.stdin, Writable>(true);
  same<typeof process.stdout, Readable>(true);
  for await (const line of process) {
    same<typeof line, OutputLine>(true);
    same<typeof line.stream, 'stdout' | 'stderr'>(true);
    same<typeof line.text, string>(true);
  }
  same<ReturnType<typeof process.nothrow>, Process>(true);
  process.kill('SIGTERM');
  // @ts-expect-error: no such signal
  process.kill('SIGNAL');
  await using _ = process;
}

export async function files(box: Sandbox): Promise<void> {
  same<Awaited<ReturnType<typeof box.fs.readdir>>, DirectoryEntry[]>(true);
  const text: string = await box.fs.readFile('/etc/hostname', 'utf8');
  const bytes: Buffer = await box.fs.readFile('/etc/hostname');
  void [text, bytes];
  await box.fs.writeFile('/a', 'text', { mode: 0o600, flag: 'wx' });
  // @ts-expect-error: no such flag
  await box.fs.writeFile('/a', 'text', { flag: 'r' });
}

export function errors(error: unknown): ErrorCode | undefined {
  if (error instanceof CommandError) {
    same<typeof error.stdout, string>(true);
    const base: NsboxError = error;
    return base.code;
  }
  if (error instanceof NsboxError) {
    same<typeof error.hint, string | undefined>(true);
    // @ts-expect-error: no such code
    if (error.code === 'ERR_NONSENSE') return undefined;
    return error.code;
  }
  return undefined;
}

export const options: SandboxOptions = {
  rootfs: '/srv/root',
  limits: { memory: '256m', cpus: 0.5, pids: 64 },
  mounts: [
    { type: 'bind', source: '/srv', target: '/app', readOnly: true },
    { type: 'tmpfs', target: '/scratch', size: '64m' },
  ],
  network: 'none',
  env: { NAME: 'value', GONE: undefined },
  security: { capDrop: ['ALL'], seccomp: 'unconfined' },
  timeout: '30s',
  signal: AbortSignal.timeout(1000),
};

// @ts-expect-error: no such network
export const network: SandboxOptions = { network: 'bridge' };
// @ts-expect-error: a bind mount has a source
export const mount: SandboxOptions = { mounts: [{ type: 'bind', target: '/app' }] };
// @ts-expect-error: milliseconds or a text
export const time: ExecOptions = { timeout: new Date() };

export const both: RunOptions = { hostname: 'box', input: 'text' };
export const argument: Argument = ['a', 1];
