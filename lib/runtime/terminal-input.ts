import type { Writable } from 'node:stream';
import { addon } from '../native/load.js';
import { lazyStream } from '../util/builtin.js';

const RETRY_MS = 5;
/** What a terminal takes for the end of its input, unless the program has set it otherwise. */
const END_OF_INPUT = Buffer.from('\u0004');

/**
 * What a program reads from its terminal, as a stream that owns the descriptor. Node has no stream for this end of a
 * terminal that would not block: it takes what there is room for, and is asked again for the rest.
 */
export function terminalInput(fd: number): Writable {
  const { Writable } = lazyStream();
  let timer: NodeJS.Timeout | undefined;
  const give = (bytes: Uint8Array, done: () => void): void => {
    const written = writeNow(fd, bytes);
    if (written < 0 || written === bytes.length) return done();
    timer = setTimeout(() => give(bytes.subarray(written), done), RETRY_MS);
  };
  return new Writable({
    write: (chunk: Uint8Array, _encoding, done) => give(chunk, done),
    final: (done) => give(END_OF_INPUT, done),
    destroy: (error, done) => {
      clearTimeout(timer);
      addon().closeFd(fd);
      done(error);
    },
  });
}

// Nobody has the other end: then there is nobody to read it.
function writeNow(fd: number, bytes: Uint8Array): number {
  try {
    return addon().writeNow(fd, bytes);
  } catch {
    return -1;
  }
}
