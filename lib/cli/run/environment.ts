import { readFileSync } from 'node:fs';
import { NsboxError } from '../../errors.js';

/**
 * The variables of `--env-file` and, over them, of `--env`. A name without a value takes the one that it has here; where
 * it has none, it is left out, as Docker does.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`, `ERR_NOT_FOUND`
 */
export function readEnvironment(
  files: readonly string[],
  entries: readonly string[],
  ours: NodeJS.ProcessEnv,
): Record<string, string> {
  const env: Record<string, string> = Object.create(null);
  for (const file of files)
    for (const [i, line] of readLines(file).entries()) {
      const entry = line.trimStart();
      if (entry !== '' && !entry.startsWith('#')) take(env, entry, `--env-file ${file}:${i + 1}`, ours);
    }
  for (const entry of entries) take(env, entry, '--env', ours);
  return env;
}

function take(env: Record<string, string>, entry: string, where: string, ours: NodeJS.ProcessEnv): void {
  const equals = entry.indexOf('=');
  const name = equals < 0 ? entry : entry.slice(0, equals);
  if (name === '' || /[\s\0]/.test(name))
    throw new NsboxError(
      'ERR_INVALID_ARGUMENT',
      `${where}: ${JSON.stringify(name)} cannot be a variable's name`,
      {
        hint: 'write it as KEY=VALUE, or KEY to take the value that it has here',
      },
    );
  const value = equals < 0 ? ours[name] : entry.slice(equals + 1);
  if (value !== undefined) env[name] = value;
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new NsboxError('ERR_NOT_FOUND', `--env-file: ${text}`, { cause });
  }
}
