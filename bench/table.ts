import { isMet, type Ratio, type Row, type Section } from './results.js';

const HEADER = ['', 'n', 'min', 'p50', 'p95', 'p99', 'max', '', 'ours is', 'by minima', ''];

/** A section as aligned text. */
export function renderSection({ name, title, rows }: Section): string {
  return `${name}: ${title}\n${alignColumns([HEADER, ...rows.map(cells)])}\n`;
}

function cells({ name, unit, figures, ratio, note }: Row): string[] {
  const numbers = figures
    ? [
        String(figures.n),
        ...[figures.min, figures.p50, figures.p95, figures.p99, figures.max].map(short),
        unit,
      ]
    : ['', '', '', '', '', '', ''];
  return [
    name,
    ...numbers,
    ratio ? `${ratio.value.toFixed(2)} × ${ratio.to}` : '',
    ratio?.ofMinima ? ratio.ofMinima.toFixed(2) : '',
    [ratio ? verdict(ratio) : '', note ?? ''].join(' ').trim(),
  ];
}

function verdict(ratio: Ratio): string {
  const met = isMet(ratio);
  if (met === undefined) return '';
  const target = ratio.atMost === undefined ? `>= ${ratio.atLeast}` : `<= ${ratio.atMost}`;
  return `${met ? 'ok' : 'MISSED'} (${target})`;
}

/** Three digits that count, whatever the size. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : value >= 1 ? 2 : 3);
}

/** The first column and the last three are texts, the others numbers. */
export function alignColumns(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  const isText = (i: number): boolean => i === 0 || i >= widths.length - 3;
  const cell = (text: string, i: number): string =>
    isText(i) ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0);
  return lines.map((line) => `  ${line.map(cell).join('  ')}`.trimEnd()).join('\n');
}
