import type { Writable } from 'node:stream';
import { humanSize } from './human.js';

/** What a line shows: words, and how far it is. */
export interface Step {
  readonly text: string;
  readonly done?: number;
  readonly size?: number;
}

const BAR = 50;
const FRAME_MS = 60;

/**
 * Lines by name that change while work goes on, as `docker pull` shows layers: on a terminal each in its place with a bar,
 * elsewhere one line for each new text.
 */
export class Bars {
  readonly #steps = new Map<string, Step>();
  #shown = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly out: Writable & { readonly isTTY?: boolean; readonly columns?: number },
    private readonly isQuiet: boolean = false,
  ) {}

  set(name: string, step: Step): void {
    if (this.isQuiet) return;
    const before = this.#steps.get(name);
    this.#steps.set(name, step);
    if (!this.out.isTTY) {
      if (before?.text !== step.text) this.out.write(`${name}: ${step.text}\n`);
      return;
    }
    this.#timer ??= setTimeout(() => this.#draw(), FRAME_MS);
  }

  /** The last state, for good. */
  finish(): void {
    if (this.#timer !== undefined) this.#draw();
    this.#steps.clear();
    this.#shown = 0;
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const width = this.out.columns ?? 80;
    const lines = [...this.#steps].map(([name, step]) => `${lineOf(name, step, width)}\u001b[K\n`);
    // A terminal that is lower than the list scrolls; what has left it cannot be drawn again.
    this.out.write(`${this.#shown > 0 ? `\u001b[${this.#shown}A` : ''}${lines.join('')}`);
    this.#shown = lines.length;
  }
}

function lineOf(name: string, { text, done, size }: Step, width: number): string {
  const words = `${name}: ${text}`;
  if (done === undefined || size === undefined || size === 0) return words.slice(0, width - 1);
  const filled = Math.min(BAR, Math.floor((BAR * done) / size));
  const arrow = filled < BAR ? '>' : '';
  const bar = `[${'='.repeat(filled)}${arrow}${' '.repeat(BAR - filled - arrow.length)}]`;
  const numbers = `${humanSize(done)}/${humanSize(size)}`;
  const full = `${words.padEnd(name.length + 14)} ${bar} ${numbers}`;
  return full.length < width ? full : `${words} ${numbers}`.slice(0, width - 1);
}
