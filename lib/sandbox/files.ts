import {
  close,
  constants,
  createReadStream,
  createWriteStream,
  type ReadStream,
  read,
  type WriteStream,
  write,
} from 'node:fs';
import { promisify } from 'node:util';
import { NsboxError } from '../errors.js';
import type { NativeStat } from '../native/contract.js';
import { fromNative } from '../native/errors.js';
import { addon } from '../native/load.js';
import type { Box } from '../runtime/box.js';
import { invalid } from './options.js';

const readAsync = promisify(read);
const writeAsync = promisify(write);
const closeAsync = promisify(close);

/** What a path is, as in stat(2). */
export interface FileStat extends NativeStat {
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
}

export interface DirectoryEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_EXCL } = constants;
const DEFAULT_READ_LIMIT = 64 * 1024 * 1024;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/**
 * A sandbox's files, from outside, with names as in `node:fs/promises`. Paths are the sandbox's own. Every one is resolved
 * beneath its root, so that no link in it, however made, leads to a file of the host.
 */
export class SandboxFiles {
  readonly #container: Box;

  /** @internal */
  constructor(container: Box) {
    this.#container = container;
  }

  async readFile(
    path: string,
    options: 'utf8' | { readonly encoding: 'utf8'; readonly maxSize?: number },
  ): Promise<string>;
  async readFile(path: string, options?: { readonly maxSize?: number }): Promise<Buffer>;
  /** The whole file; `maxSize` in bytes, 64 MiB unless said: a larger one is an error. */
  async readFile(
    path: string,
    options: 'utf8' | { readonly encoding?: 'utf8'; readonly maxSize?: number } = {},
  ): Promise<Buffer | string> {
    const { encoding, maxSize = DEFAULT_READ_LIMIT } =
      typeof options === 'string' ? { encoding: options } : options;
    const bytes = await this.#withFile(path, O_RDONLY, 0, (fd) => readWhole(fd, maxSize, path));
    return encoding === undefined ? bytes : bytes.toString(encoding);
  }

  /** Writes the file anew, or makes it; `mode` counts for a new one. */
  async writeFile(
    path: string,
    data: string | Uint8Array,
    options: { readonly mode?: number; readonly flag?: 'w' | 'wx' | 'a' } = {},
  ): Promise<void> {
    const { mode = 0o644, flag = 'w' } = options;
    const flags = O_WRONLY | O_CREAT | (flag === 'a' ? O_APPEND : O_TRUNC) | (flag === 'wx' ? O_EXCL : 0);
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    await this.#withFile(path, flags, mode, (fd) => writeWhole(fd, bytes));
  }

  /** A stream of the file. */
  async createReadStream(path: string): Promise<ReadStream> {
    const fd = await this.#openRegular(path, O_RDONLY, 0);
    return createReadStream('', { fd });
  }

  async createWriteStream(path: string, options: { readonly mode?: number } = {}): Promise<WriteStream> {
    const fd = await this.#openRegular(path, O_WRONLY | O_CREAT | O_TRUNC, options.mode ?? 0o644);
    return createWriteStream('', { fd });
  }

  async readdir(path: string): Promise<DirectoryEntry[]> {
    const entries = await this.#call(`readdir ${path}`, path, (root) => addon().fsReaddir(root, path));
    return entries.map(([name, type]) => ({ name, type: DIRENT_TYPES[type] ?? 'other' }));
  }

  async stat(path: string): Promise<FileStat> {
    return withType(await this.#call(`stat ${path}`, path, (root) => addon().fsStat(root, path, true)));
  }

  /** As {@link stat}; of a link itself, when the path is one. */
  async lstat(path: string): Promise<FileStat> {
    return withType(await this.#call(`lstat ${path}`, path, (root) => addon().fsStat(root, path, false)));
  }

  async exists(path: string): Promise<boolean> {
    try {
      await this.stat(path);
      return true;
    } catch {
      return false;
    }
  }

  async mkdir(
    path: string,
    options: { readonly recursive?: boolean; readonly mode?: number } = {},
  ): Promise<void> {
    await this.#call(`mkdir ${path}`, path, (root) =>
      addon().fsMkdir(root, path, options.mode ?? 0o755, options.recursive ?? false),
    );
  }

  async rm(
    path: string,
    options: { readonly recursive?: boolean; readonly force?: boolean } = {},
  ): Promise<void> {
    await this.#call(`rm ${path}`, path, (root) =>
      addon().fsRemove(root, path, options.recursive ?? false, options.force ?? false),
    );
  }

  async rename(from: string, to: string): Promise<void> {
    checkPath(to);
    await this.#call(`rename ${from} to ${to}`, from, (root) => addon().fsRename(root, from, to));
  }

  /** Makes a link; its target is not looked at. */
  async symlink(target: string, path: string): Promise<void> {
    await this.#call(`symlink ${path}`, path, (root) => addon().fsSymlink(root, path, target));
  }

  async readlink(path: string): Promise<string> {
    return await this.#call(`readlink ${path}`, path, (root) => addon().fsReadlink(root, path));
  }

  async chmod(path: string, mode: number): Promise<void> {
    await this.#call(`chmod ${path}`, path, (root) => addon().fsChmod(root, path, mode));
  }

  /** Ids are this machine's own. */
  async chown(path: string, uid: number, gid: number): Promise<void> {
    await this.#call(`chown ${path}`, path, (root) => addon().fsChown(root, path, uid, gid));
  }

  async #open(path: string, flags: number, mode: number): Promise<number> {
    return await this.#call(`open ${path}`, path, (root) => addon().fsOpen(root, path, flags, mode));
  }

  async #withFile<T>(
    path: string,
    flags: number,
    mode: number,
    work: (fd: number) => Promise<T>,
  ): Promise<T> {
    const fd = await this.#openRegular(path, flags, mode);
    try {
      return await work(fd);
    } catch (error) {
      throw fromNative(error, path);
    } finally {
      await closeAsync(fd);
    }
  }

  // Beneath the root, but not necessarily a file: what a sandbox has put in its place must not hold us up. O_TRUNC waits
  // until that is known, and a FIFO opened for writing alone would fail.
  async #openRegular(path: string, flags: number, mode: number): Promise<number> {
    const fd = await this.#open(path, flags & ~O_TRUNC, mode);
    try {
      await this.#refuseSpecial(path, fd);
      if (flags & O_TRUNC) await truncate(fd);
      return fd;
    } catch (error) {
      await closeAsync(fd);
      throw fromNative(error, path);
    }
  }

  async #refuseSpecial(path: string, fd: number): Promise<void> {
    const { mode } = await fileMode(fd);
    if ((mode & S_IFMT) !== S_IFREG) throw invalid(`${path}: not a regular file`);
  }

  async #call<T>(doing: string, path: string, work: (root: number) => Promise<T>): Promise<T> {
    checkPath(path);
    return await this.#container.withFiles(async ({ root }) => {
      try {
        return await work(root);
      } catch (error) {
        // What the sandbox wrote may be gone before it: that is no news of the file.
        if (this.#container.isClosed)
          throw new NsboxError('ERR_DISPOSED', `${doing}: the sandbox has ended`, { cause: error });
        throw fromNative(error, doing);
      }
    });
  }
}

function checkPath(path: string): void {
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0'))
    throw invalid(`path: expected an absolute path in the sandbox, got ${JSON.stringify(path)}`);
}

async function fileMode(fd: number): Promise<{ readonly mode: number }> {
  const { fstat } = await import('node:fs');
  return await promisify(fstat)(fd);
}

async function truncate(fd: number): Promise<void> {
  const { ftruncate } = await import('node:fs');
  await promisify(ftruncate)(fd, 0);
}

async function readWhole(fd: number, maxSize: number, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const { bytesRead } = await readAsync(fd, chunk, 0, chunk.length, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    size += bytesRead;
    if (size > maxSize)
      throw invalid(`${path}: larger than ${maxSize} bytes`, 'give maxSize, or use createReadStream');
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

async function writeWhole(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await writeAsync(fd, bytes, at, bytes.length - at, null);
    at += bytesWritten;
  }
}

// d_type of getdents64(2)
const DIRENT_TYPES: Readonly<Record<number, DirectoryEntry['type']>> = {
  4: 'directory',
  8: 'file',
  10: 'symlink',
};
const MODE_TYPES: Readonly<Record<number, FileStat['type']>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
};

function withType(stat: NativeStat): FileStat {
  return { ...stat, type: MODE_TYPES[stat.mode & S_IFMT] ?? 'other' };
}
