import { addon } from '../../native/load.js';
import { type Deferred, deferred } from '../../util/deferred.js';
import type { Scratch } from './executable.js';

/** A socket at which the executable hands over a descriptor. */
export class Receiver {
  readonly path: string;
  readonly #native: { close(): void };
  readonly #received: Deferred<number | undefined> = deferred();

  /** `onDescriptor` gets what is the caller's from then on. */
  constructor(scratch: Scratch, name: string, onDescriptor: (fd: number) => void) {
    this.path = scratch.file(name);
    this.#native = new (addon().DescriptorReceiver)(scratch.path, name, (fd) => {
      if (fd >= 0) onDescriptor(fd);
      this.#received.resolve(fd);
    });
  }

  /** Settles when the descriptor is there, or the executable has let go without one. */
  get received(): Promise<unknown> {
    return this.#received.promise;
  }

  close(): void {
    this.#native.close();
    this.#received.resolve(undefined);
  }
}
