import { StringDecoder } from 'node:string_decoder';
import type { Output, StreamName } from '../runtime/output.js';

export interface Line {
  readonly stream: StreamName;
  readonly text: string;
}

/** The lines of both outputs, in the order in which they end; a last one without a newline counts. */
export async function* linesOf(stdout: Output | undefined, stderr: Output | undefined): AsyncGenerator<Line> {
  const ready: Line[] = [];
  let open = 0;
  let wake = (): void => {};
  const follow = (output: Output | undefined, stream: StreamName): void => {
    if (!output) return;
    open++;
    const split = lineSplitter((text) => ready.push({ stream, text }));
    output.watch((chunk) => {
      split(chunk);
      if (chunk === null) open--;
      wake();
    });
  };
  follow(stdout, 'stdout');
  follow(stderr, 'stderr');
  for (;;) {
    for (let line = ready.shift(); line; line = ready.shift()) yield line;
    if (open === 0) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (ready.length > 0 || open === 0) resolve();
    });
  }
}

// A character may be cut in two by the end of a chunk.
function lineSplitter(onLine: (text: string) => void): (chunk: Buffer | null) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (chunk) => {
    rest += chunk === null ? decoder.end() : decoder.write(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    if (chunk === null && rest !== '') onLine(rest);
  };
}
