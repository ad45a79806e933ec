import colors from 'picocolors';
import { printable } from './printable.js';

export interface Row {
  readonly mark: 'ok' | 'missing' | 'off' | 'info';
  readonly name: string;
  readonly text: string;
  /** Shown on lines of its own. */
  readonly remedy?: string;
}

const WIDTH = 80;
const MARKS = {
  ok: ['ok', colors.green],
  missing: ['no', colors.red],
  off: ['off', colors.yellow],
  info: ['', colors.dim],
} as const;
const MARK_WIDTH = 4;
const NAME_WIDTH = 20;
const INDENT = 2 + MARK_WIDTH + NAME_WIDTH;

/** A titled table of 80 columns. Colours only where stdout is a terminal that wants them. */
export function table(title: string, rows: readonly Row[]): string {
  return `${colors.bold(title)}\n${rows.map(row).join('')}`;
}

function row({ mark, name, text, remedy }: Row): string {
  const [word, color] = MARKS[mark];
  const [first = '', ...rest] = wrap(text, WIDTH - INDENT);
  const lines = [`  ${color(word.padEnd(MARK_WIDTH))}${name.padEnd(NAME_WIDTH)}${first}`];
  for (const line of rest) lines.push(`${' '.repeat(INDENT)}${line}`);
  for (const [i, line] of wrap(remedy ?? '', WIDTH - MARK_WIDTH - 5).entries())
    if (line !== '') lines.push(`${' '.repeat(2 + MARK_WIDTH)}${colors.cyan(i === 0 ? '->' : '  ')} ${line}`);
  return `${lines.join('\n')}\n`;
}

/** Breaks at blanks; a word that is too long for a line, such as a path, is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text)
    .split(' ')
    .flatMap((long) => pieces(long, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  return word.length <= width ? [word] : (word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? []);
}
