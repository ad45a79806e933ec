// Reads what the guest says: @vm lines tell how the run goes, all others are the tests' output.
import { stripVTControlCharacters } from 'node:util';

/** Counts and exit statuses of a run, lane by lane. */
export class Report {
  #lanes = [];
  #broken;
  #marks = new Set();

  /** Takes one line; returns what to print, if anything. */
  take(line) {
    if (line.startsWith('@vm ')) return this.#takeMark(line.slice(4).split(' '));
    this.#count(stripVTControlCharacters(line));
    return line;
  }

  fail(reason) {
    this.#broken ??= reason;
  }

  get ok() {
    return (
      this.#broken === undefined && this.#marks.has('done') && this.#lanes.every((lane) => lane.status === 0)
    );
  }

  summary() {
    const lines = this.#lanes.map(describe);
    if (this.#broken !== undefined) lines.push(`the run is void: ${this.#broken}`);
    else if (!this.#marks.has('done')) lines.push('the run is void: the machine stopped before the end');
    return lines.join('\n');
  }

  #takeMark([mark, ...rest]) {
    this.#marks.add(mark);
    if (mark === 'broken') this.fail(rest.join(' '));
    if (mark === 'begin') {
      this.#lanes.push({ name: rest[0], passed: 0, failed: 0, skipped: 0, began: Date.now() });
      return `--- as ${rest[0]} ---`;
    }
    if (mark === 'end') {
      const lane = this.#lanes.at(-1);
      lane.status = Number(rest[1]);
      lane.seconds = (Date.now() - lane.began) / 1000;
    }
    return undefined;
  }

  // The closing line of vitest, "      Tests  1 failed | 5 passed | 2 skipped (8)", and of the C++ tests,
  // "5 passed, 1 failed, 2 skipped".
  #count(line) {
    const lane = this.#lanes.at(-1);
    const totals =
      /^\s*Tests\s+(\d.*) \(\d+\)/.exec(line)?.[1] ?? /^\d+ passed, \d+ failed, \d+ skipped$/.exec(line)?.[0];
    if (lane === undefined || totals === undefined) return;
    for (const [, number, kind] of totals.matchAll(/(\d+) (passed|failed|skipped)/g))
      lane[kind] += Number(number);
  }
}

function describe({ name, passed, failed, skipped, status, seconds }) {
  const end = status === undefined ? 'did not end' : `exit status ${status}, ${seconds.toFixed(1)} s`;
  return `${name}: ${passed} passed, ${failed} failed, ${skipped} skipped (${end})`;
}
