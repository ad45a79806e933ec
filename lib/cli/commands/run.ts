import type { Change } from '../../sandbox/changes.js';
import type { ExecOptions } from '../../sandbox/exec-options.js';
import { findImage, type ImageRoot, imageCommand, wantsImage } from '../../sandbox/image.js';
import { checkSandboxOptions } from '../../sandbox/options.js';
import type { Process } from '../../sandbox/process.js';
import { CommandError, type Result } from '../../sandbox/result.js';
import { Sandbox } from '../../sandbox/sandbox.js';
import { signalNumber } from '../../spec/runtime/linux-names.js';
import { ExitCode, failureOf, report, say, writeError } from '../failure.js';
import { print } from '../output/print.js';
import { printable } from '../output/printable.js';
import { type Request, requestOf } from '../run/options.js';
import type { Scanned } from '../run/scan.js';
import { forwardSignals } from '../run/signals.js';
import { joinTerminals, requireTerminal, windowSize } from '../run/terminal.js';

/** How a run ended. */
interface Outcome {
  readonly result: Result;
  readonly changes?: readonly Change[];
  /** How many entries were copied out. */
  readonly applied?: number;
}

/** `nsbox run`: answers the exit code. */
export async function run(scanned: Scanned): Promise<number> {
  try {
    const request = requestOf(scanned);
    if (request.tty && request.interactive) requireTerminal();
    const outcome = needsFiles(request) ? await runHeld(request) : await runOnce(request);
    tell(request, outcome);
    if (request.json) await print(asJson(outcome));
    return exitCodeOf(outcome.result);
  } catch (error) {
    report(error);
    const { code, message, hint } = failureOf(error);
    if (scanned.values.get('json')?.at(-1) === 'true')
      await print(`${JSON.stringify({ error: { code, message, hint } }, null, 2)}\n`);
    if (code === 'ERR_PROGRAM_NOT_FOUND') return ExitCode.notFound;
    return code === 'ERR_PROGRAM_NOT_EXECUTABLE' ? ExitCode.notExecutable : ExitCode.ownFailure;
  }
}

function needsFiles({ diff, apply }: Request): boolean {
  return diff || apply.length > 0;
}

async function runOnce(request: Request): Promise<Outcome> {
  const options = { ...request.options, ...stdioOf(request) };
  const child = Sandbox.runOn(await imageOf(request), request.command, options);
  return { result: await resultOf(child, request) };
}

// What is not here is fetched before anything else: its progress is shown where the command's output will be.
async function imageOf({ options, quiet }: Request): Promise<ImageRoot | undefined> {
  if (!wantsImage(options)) return undefined;
  const found = findImage(options);
  if (found) return found;
  // What is written wrong is said before anything is fetched.
  checkSandboxOptions(options);
  const { obtain } = await import('../run/obtain.js');
  return await obtain(options, { quiet });
}

/** What a command wrote is gone with its sandbox, so this one outlives it. */
async function runHeld(request: Request): Promise<Outcome> {
  await using box = await Sandbox.createOn(await imageOf(request), request.options);
  const { entrypoint } = request.options;
  const command = box.image ? imageCommand(box.image, request.command, entrypoint) : request.command;
  const result = await resultOf(box.exec(command, stdioOf(request)), request);
  const changes = request.diff ? await collect(box.changes()) : undefined;
  const isWanted = request.apply.length > 0 && (result.exitCode === 0 || request.applyAlways);
  const applied = isWanted ? await box.apply({ paths: request.apply }) : undefined;
  return { result, ...(changes && { changes }), ...(applied !== undefined && { applied }) };
}

function stdioOf({ tty, json }: Request): ExecOptions {
  if (tty) return { tty: windowSize(), buffer: false };
  if (json) return { stdin: 'inherit', stripFinalNewline: false };
  return { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' };
}

async function resultOf(child: Process, { tty }: Request): Promise<Result> {
  const written = tty ? joinTerminals(child) : undefined;
  forwardSignals(child);
  try {
    return await child;
  } catch (error) {
    // Its failing is no failure of ours; that its output did not fit in memory is.
    if (error instanceof CommandError && error.code !== 'ERR_MAX_BUFFER') return error;
    throw error;
  } finally {
    await written;
  }
}

async function collect(changes: AsyncIterable<Change>): Promise<readonly Change[]> {
  const all: Change[] = [];
  for await (const change of changes) all.push(change);
  return all;
}

const LETTER = { added: 'A', modified: 'C', deleted: 'D' } as const;

function tell(request: Request, { result, changes, applied }: Outcome): void {
  const { memory } = request.options.limits ?? {};
  if (result.oomKilled)
    say(
      `out of memory: the kernel killed a process of the sandbox${memory === undefined ? '' : `, whose limit is ${memory}`}`,
      'raise --memory',
    );
  if (result.timedOut) say(`timed out: the command was killed after ${request.options.timeout}`);
  if (changes && !request.json)
    writeError(changes.map(({ kind, path }) => `${LETTER[kind]} ${printable(path)}\n`).join(''));
  if (request.apply.length > 0 && applied === undefined)
    say('nothing was applied, because the command failed', '--apply-always copies changes out all the same');
}

function asJson({ result, changes, applied }: Outcome): string {
  const { exitCode, signal, stdout, stderr, timedOut, oomKilled, durationMs, usage } = result;
  const ended = { exitCode, signal, timedOut, oomKilled, durationMs, usage, stdout, stderr };
  return `${JSON.stringify({ ...ended, changes, applied }, null, 2)}\n`;
}

function exitCodeOf({ timedOut, signal, exitCode }: Result): number {
  if (timedOut) return ExitCode.timedOut;
  if (signal !== null) return ExitCode.signal + signalNumber(signal);
  return exitCode ?? ExitCode.ownFailure;
}
