import { expect } from 'vitest';
import type { Result } from './call.js';
import type { Bundle, Runtime } from './runtime.js';

/** One line of the log, as logrus writes it and callers read it. */
const LINE = /^time="([^"]+)" level=(\w+) msg=(".*"|\S+)$/;

/** That a call was refused as runc refuses, with one error in the log's form; answers the message. */
export function refusal(result: Result, code = 1): string {
  expect(result, 'the refusal').toMatchObject({ code, signal: undefined });
  const errors = errorLines(result.stderr);
  expect(errors, `stderr: ${result.stderr}`).toHaveLength(1);
  return errors[0] ?? '';
}

/** That create refuses this bundle; answers the message. */
export async function refusalOfCreate(runtime: Runtime, bundle: Bundle): Promise<string> {
  return refusal(await runtime.call(['create', '--bundle', bundle.path, runtime.id()]));
}

/** The messages of the lines of level error. */
export function errorLines(log: string): string[] {
  return log
    .split('\n')
    .map((line) => LINE.exec(line))
    .filter((match) => match?.[2] === 'error')
    .map((match) => unquoted(match?.[3] ?? ''));
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  // Go quotes bytes that JSON does not: \x00, \a, \v.
  return JSON.parse(text.replace(/\\x([0-9a-f]{2})/g, '\\u00$1').replace(/\\[av]/g, '?'));
}
