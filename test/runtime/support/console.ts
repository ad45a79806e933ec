import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/polling.js';

/** The caller's end of `--console-socket`: takes the terminal, reads what is written there and types. */
export class Console implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'test-'));
  readonly path = join(this.#folder, 'console.sock');
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #output = '';

  private constructor() {
    const script = join(import.meta.dirname, 'console.py');
    this.#child = spawn('/usr/bin/python3', ['-I', script, this.path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (chunk) => {
      this.#output += chunk;
    });
    this.#closed = new Promise((resolve) => this.#child.on('close', () => resolve()));
  }

  /** A socket that listens. */
  static async listen(): Promise<Console> {
    const console = new Console();
    await eventually(() => existsSync(console.path), Boolean, 10_000);
    return console;
  }

  /** All that the terminal has shown, behind a line `descriptors 1 name /dev/pts/0` of what came over the socket. */
  get output(): string {
    return this.#output;
  }

  async shows(pattern: RegExp | string): Promise<string> {
    return await eventually(
      () => this.#output,
      (text) => (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)),
      10_000,
    );
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Until the last process has closed the terminal. */
  async closed(): Promise<string> {
    await this.#closed;
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
