import { invalid } from './options.js';

/** A value in a command template: each becomes one argument, a list one for each of its members. */
export type Argument = string | number | readonly (string | number)[];

/**
 * Splits a template into arguments at its blanks. A value never splits, whatever is in it; one that touches text
 * becomes part of that argument. There is no shell and no quoting: who wants one writes `['sh', '-c', script]`.
 */
export function parseTemplate(template: TemplateStringsArray, values: readonly Argument[]): string[] {
  const args: string[] = [];
  let open = false;
  const extend = (text: string): void => {
    if (open) args.push(`${args.pop() ?? ''}${text}`);
    else args.push(text);
    open = true;
  };
  for (const [i, text] of template.entries()) {
    for (const piece of text.split(/([ \t\r\n]+)/)) {
      if (piece === '') continue;
      if (/^[ \t\r\n]/.test(piece)) open = false;
      else extend(piece);
    }
    const value = values[i];
    if (value === undefined) {
      if (i < values.length) throw invalid(`the value ${i + 1} of the command is undefined`);
      continue;
    }
    if (Array.isArray(value)) {
      for (const [k, one] of value.entries()) {
        if (k > 0) open = false;
        extend(argument(one));
      }
    } else {
      extend(argument(value));
    }
  }
  return checkCommand(args);
}

function argument(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw invalid(`a command's arguments are texts and numbers, got ${typeof value}`);
}

/** Refuses what cannot be an argument list. */
export function checkCommand(command: readonly string[]): string[] {
  if (!Array.isArray(command))
    throw invalid('command: expected a list of arguments', "write ['sh', '-c', script] for a shell");
  if (command.length === 0 || command[0] === '') throw invalid('command: expected at least the program');
  for (const [i, one] of command.entries()) {
    if (typeof one !== 'string') throw invalid(`command[${i}]: expected a text, got ${typeof one}`);
    if (one.includes('\0')) throw invalid(`command[${i}]: a NUL character in it`);
  }
  return [...command];
}
