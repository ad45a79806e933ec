import type { PassThrough, Readable, Writable } from 'node:stream';
import { NsboxError } from '../../errors.js';
import { addon } from '../../native/load.js';
import { lazyStream } from '../../util/builtin.js';
import { Input } from '../input.js';
import { Output } from '../output.js';

/** Where one of a process's streams goes: a pipe of ours, nowhere, this process's own, or a descriptor of the caller's. */
export type ContainerStdio = 'pipe' | 'ignore' | 'inherit' | number;

export interface StdioOptions {
  readonly stdin?: ContainerStdio;
  readonly stdout?: ContainerStdio;
  readonly stderr?: ContainerStdio;
}

/** What becomes of the three. */
export interface StreamsRequest extends StdioOptions {
  readonly otherwise: ContainerStdio;
  readonly tty: boolean;
  readonly input?: string | Uint8Array | Readable | undefined;
  /** How much of each output is kept as text; 0: none. */
  readonly maxBuffer: number;
  /** An output has come to its end, or is larger than it may be. */
  readonly onEnd: () => void;
  readonly onExcess: () => void;
}

/** This process's ends of another's stdin, stdout and stderr, or of its terminal. */
export class Streams {
  /** For child_process: descriptors, or words. */
  readonly theirs: readonly ContainerStdio[];
  readonly #request: StreamsRequest;
  readonly #opened: number[] = [];
  #input: Input | undefined;
  #stdout: Output | undefined;
  #stderr: Output | undefined;
  #early: PassThrough | undefined;
  #terminal: number | undefined;

  constructor(request: StreamsRequest) {
    this.#request = request;
    const { stdin, stdout, stderr, otherwise, tty, input } = request;
    if (tty) {
      this.#input = new Input(null, input);
      this.theirs = ['ignore', 'ignore', 'ignore'];
      return;
    }
    const kinds = [
      input === undefined ? (stdin ?? otherwise) : 'pipe',
      stdout ?? otherwise,
      stderr ?? otherwise,
    ];
    const pipes = kinds.includes('pipe') ? addon().makePipes() : undefined;
    this.theirs = kinds.map((kind, i) => {
      if (pipes === undefined) return kind;
      const [child, ours] = i === 0 ? [pipes[0], pipes[1]] : [pipes[2 * i + 1] ?? -1, pipes[2 * i] ?? -1];
      if (kind === 'pipe') return this.#keep(i, child, ours);
      addon().closeFd(child);
      addon().closeFd(ours);
      return kind;
    });
  }

  #keep(index: number, child: number, ours: number): number {
    this.#opened.push(child);
    if (index === 0) this.#input = new Input(ours, this.#request.input);
    else if (index === 1) this.#stdout = this.#output(ours);
    else this.#stderr = this.#output(ours);
    return child;
  }

  #output(fd: number): Output {
    const { maxBuffer, onEnd, onExcess } = this.#request;
    return new Output(fd, maxBuffer, onEnd, onExcess);
  }

  /** The process has its ends, or never will. */
  handedOver(): void {
    for (const fd of this.#opened.splice(0)) addon().closeFd(fd);
  }

  /** Takes the terminal over. */
  open(terminal: number): void {
    this.#terminal = terminal;
    addon().setNonBlocking(terminal);
    // Three owners of one terminal: reading, writing, resizing.
    this.#stdout = this.#output(addon().duplicateFd(terminal));
    if (this.#early) this.#stdout.stream.pipe(this.#early);
    this.#input?.open(addon().duplicateFd(terminal));
  }

  resize(columns: number, rows: number): void {
    const isSize = (value: number): boolean => Number.isInteger(value) && value > 0 && value < 65_536;
    if (!isSize(columns) || !isSize(rows))
      throw new NsboxError('ERR_INVALID_ARGUMENT', 'resize: expected columns and rows from 1 to 65535');
    if (this.#terminal !== undefined) addon().setWindowSize(this.#terminal, columns, rows);
  }

  get stdin(): Writable {
    return (this.#input ?? missing('stdin')).stream;
  }

  get stdout(): Readable {
    // A terminal is there only when the process is.
    if (this.#request.tty && !this.#stdout) {
      this.#early ??= new (lazyStream().PassThrough)();
      return this.#early;
    }
    return (this.#stdout ?? missing('stdout')).stream;
  }

  get stderr(): Readable {
    return (this.#stderr ?? missing('stderr')).stream;
  }

  text(name: 'stdout' | 'stderr'): string {
    return (name === 'stdout' ? this.#stdout : this.#stderr)?.text() ?? '';
  }

  /** Whether all that belongs to the process has been read. */
  get isDone(): boolean {
    return (this.#stdout?.isDone ?? true) && (this.#stderr?.isDone ?? true);
  }

  endIfUntouched(): void {
    this.#input?.endIfUntouched();
  }

  /** The process is gone: takes what it has left. A child of it may hold the pipes still. */
  release(): void {
    this.#stdout?.release();
    this.#stderr?.release();
  }

  /** Nobody will read any more. */
  abandon(): void {
    this.#stdout?.abandon();
    this.#stderr?.abandon();
  }

  /** All is over: what was never handed over is closed as well. */
  close(): void {
    this.handedOver();
    if (!this.#stdout) this.#early?.end();
    this.#input?.destroy();
    if (this.#terminal !== undefined) addon().closeFd(this.#terminal);
    this.#terminal = undefined;
  }

  /** As {@link close}, where no output will come to its end by itself. */
  drop(): void {
    this.close();
    this.#stdout?.close();
    this.#stderr?.close();
  }
}

function missing(name: string): never {
  throw new NsboxError('ERR_INVALID_ARGUMENT', `${name}: there is no pipe; start with ${name}: 'pipe'`);
}
