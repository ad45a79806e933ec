import { createWriteStream } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NsboxError } from '../../errors.js';
import { Images, type SaveOptions } from '../../sandbox/images.js';
import { print } from '../output/print.js';
import { familiar } from './titles.js';

export interface SaveFlags {
  readonly output?: string;
  readonly format?: string;
}

/** `nsbox save`: images as one archive, to a file or stdout. */
export async function save(names: readonly string[], { output, format }: SaveFlags): Promise<number> {
  if (output === undefined && process.stdout.isTTY)
    throw invalid('an archive is nothing for a terminal', 'name a file with -o, or redirect stdout');
  await using images = await Images.open();
  const archive = images.save(names, format === undefined ? {} : { format: formatOf(format) });
  if (output === undefined) await pipeline(archive, process.stdout, { end: false });
  else await writeFile(archive, output);
  return 0;
}

function formatOf(format: string): NonNullable<SaveOptions['format']> {
  if (format === 'docker-archive' || format === 'oci-archive') return format;
  throw invalid(`--format: ${JSON.stringify(format)}`, 'there are docker-archive and oci-archive');
}

// A half-written archive is of no use to anybody, and what was there before stays until the new one is whole.
async function writeFile(archive: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const isFile = (await lstat(path).catch(() => undefined))?.isFile() ?? true;
  if (!isFile) return await pipeline(archive, createWriteStream(path));
  const aside = `${path}.${process.pid}.part`;
  try {
    await pipeline(archive, createWriteStream(aside, { mode: 0o600 }));
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

export interface LoadFlags {
  readonly input?: string;
  readonly quiet?: boolean;
}

/** `nsbox load`: the images of an archive, of a file or stdin. */
export async function load({ input, quiet = false }: LoadFlags): Promise<number> {
  await using images = await Images.open();
  const found = await images.load(await sourceOf(input));
  const lines = found.flatMap(({ id, names }) =>
    names.length === 0
      ? [`Loaded image ID: ${id}\n`]
      : names.map((name) => `Loaded image: ${familiar(name)}\n`),
  );
  if (!quiet) await print(lines.join(''));
  return 0;
}

export interface ImportFlags {
  readonly message?: string;
  readonly platform?: string;
}

/** `nsbox import`: an image of the archive of a root. */
export async function importRoot(
  source: string,
  name: string | undefined,
  { message, platform }: ImportFlags,
): Promise<number> {
  const { parsePlatform } = await import('../../spec/platform.js');
  await using images = await Images.open();
  const { id } = await images.import(await sourceOf(source), {
    ...(name !== undefined && { names: [name] }),
    ...(message !== undefined && { comment: message }),
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
  });
  await print(`${id}\n`);
  return 0;
}

async function sourceOf(path: string | undefined): Promise<Readable> {
  if (path !== undefined && path !== '-')
    return (await open(path)).createReadStream({ highWaterMark: 1 << 18 });
  if (process.stdin.isTTY) throw invalid('a terminal is no archive', 'name a file, or redirect stdin');
  return process.stdin;
}

function invalid(message: string, hint: string): NsboxError {
  return new NsboxError('ERR_INVALID_ARGUMENT', message, { hint });
}
