import { execFile } from 'node:child_process';
import { NsboxError } from '../../errors.js';
import { type Check, object, parse, text } from '../../spec/validate.js';
import type { Credentials } from './credentials.js';

interface HelperAnswer {
  readonly Username: string;
  readonly Secret: string;
}

const checkAnswer: Check<HelperAnswer> = object<HelperAnswer>({ Username: text, Secret: text }, {});

const PATIENCE_MS = 30_000;
const LARGEST_ANSWER = 64 * 1024;

/** Asks a credential helper, a program `docker-credential-…`, for what it keeps for a registry. */
export async function askHelper(
  name: string,
  registry: string,
  env: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const program = programOf(name);
  const { output, error } = await run(program, 'get', registry, env);
  if (error === undefined) return credentials(parse(checkAnswer, output, `${program}'s answer`));
  // The helpers' protocol has no other sign for this.
  if (/credentials not found/i.test(output)) return undefined;
  throw helperError(program, registry, output, error);
}

/** Gives a helper what it is to keep. */
export async function storeInHelper(
  name: string,
  { registry, username, password }: Readonly<Record<'registry' | 'username' | 'password', string>>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const program = programOf(name);
  const login = JSON.stringify({ ServerURL: registry, Username: username, Secret: password });
  const { output, error } = await run(program, 'store', login, env);
  if (error !== undefined) throw helperError(program, registry, output, error);
}

/** Has a helper forget a registry. */
export async function eraseFromHelper(name: string, registry: string, env: NodeJS.ProcessEnv): Promise<void> {
  const program = programOf(name);
  const { output, error } = await run(program, 'erase', registry, env);
  if (error !== undefined && !/credentials not found/i.test(output))
    throw helperError(program, registry, output, error);
}

// It is looked for in PATH: never a name with a slash.
function programOf(name: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) return `docker-credential-${name}`;
  throw new NsboxError('ERR_INVALID_CONFIG', `not a credential helper: ${JSON.stringify(name)}`);
}

function run(
  program: string,
  action: 'get' | 'store' | 'erase',
  input: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly output: string; readonly error?: Error }> {
  const options = { env, timeout: PATIENCE_MS, killSignal: 'SIGKILL', maxBuffer: LARGEST_ANSWER } as const;
  return new Promise((resolve) => {
    const child = execFile(program, [action], options, (error, output) =>
      resolve(error === null ? { output } : { output, error }),
    );
    // One that does not read what it is asked is told of by its exit.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

function credentials({ Username: username, Secret: secret }: HelperAnswer): Credentials {
  if (username === '<token>') return { kind: 'identity', token: secret };
  return { kind: 'password', username, password: secret };
}

// What it wrote may hold the secret: of a failed one only its first line is shown, which is its message.
function helperError(program: string, registry: string, output: string, cause: Error): NsboxError {
  const isAbsent = 'code' in cause && cause.code === 'ENOENT';
  const isSlow = 'killed' in cause && cause.killed === true;
  const reason = isAbsent ? 'not found' : isSlow ? 'no answer in time' : (output.trim().split('\n')[0] ?? '');
  return new NsboxError(
    isSlow ? 'ERR_TIMEOUT' : 'ERR_PERMISSION',
    `credentials for ${registry}: ${program}: ${reason === '' ? 'it failed' : reason}`,
    {
      cause: isAbsent ? cause : undefined,
      hint: isAbsent ? `install ${program}, or log in without it` : 'log in to the registry again',
    },
  );
}
