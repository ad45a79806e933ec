/** Bytes as docker shows them: three digits that count, powers of 1000. */
export function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))}${units[unit]}`;
}

const STEPS: readonly (readonly [seconds: number, name: string])[] = [
  [365 * 86_400, 'years'],
  [30 * 86_400, 'months'],
  [7 * 86_400, 'weeks'],
  [86_400, 'days'],
  [3600, 'hours'],
  [60, 'minutes'],
  [1, 'seconds'],
];

/** How long ago, in the largest unit of which there are two; `N/A` where it is not told. */
export function humanAge(date: string | undefined, now: number = Date.now()): string {
  const then = Date.parse(date ?? '');
  if (Number.isNaN(then)) return 'N/A';
  const seconds = Math.max(0, (now - then) / 1000);
  const [size, name] = STEPS.find(([step]) => seconds >= 2 * step) ?? [1, 'seconds'];
  return seconds < 2 ? 'just now' : `${Math.floor(seconds / size)} ${name} ago`;
}
