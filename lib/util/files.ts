import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NsboxError } from '../errors.js';

/** Whether an error is the system's of this name: `ENOENT`. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** The names in a directory; none where there is no such directory. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw ioError(`read ${folder}`, error);
  }
}

/** Replaces a file so that others, and who starts after a crash, see the old one or the new one, whole. */
export async function replaceFile(path: string, text: string, aside: string): Promise<void> {
  try {
    const file = await open(aside, 'wx', 0o644);
    await writeSynced(file, text);
    await moveSynced(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw ioError(`write ${path}`, error);
  }
}

async function writeSynced(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Renames a file whose content is on the disk already; after this its name is, too. */
export async function moveSynced(from: string, to: string): Promise<void> {
  await rename(from, to);
  const folder = await open(dirname(to), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Says of a system's error what was being done; ours go through as they are. */
export function ioError(what: string, cause: unknown): unknown {
  if (cause instanceof NsboxError || !(cause instanceof Error) || !('code' in cause)) return cause;
  const message = `${what}: ${cause.message}`;
  if (isErrno(cause, 'ENOSPC', 'EDQUOT'))
    return new NsboxError('ERR_NO_SPACE', message, { cause, hint: 'free some space, or set NSBOX_DATA' });
  if (isErrno(cause, 'EACCES', 'EPERM', 'EROFS'))
    return new NsboxError('ERR_PERMISSION', message, {
      cause,
      hint: 'set NSBOX_DATA to a directory of yours',
    });
  return new NsboxError('ERR_IO', message, { cause });
}
