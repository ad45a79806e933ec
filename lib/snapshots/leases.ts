import { rmSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError, isErrno, namesIn } from '../util/files.js';
import { isAlive, ownerOf, ownName } from '../util/owner.js';

/** What may not be removed: roots by their files' names, layers by their folders'. */
export interface Held {
  readonly roots: ReadonlySet<string>;
  readonly layers: ReadonlySet<string>;
}

/** Holds a root, or layers, until it is released or its process is gone. Answers what releases it. */
export function takeLease(
  folder: string,
  what: { readonly root?: string; readonly layers?: readonly string[] },
): () => void {
  const path = join(folder, ownName());
  const lines = [
    ...(what.root === undefined ? [] : [`root ${what.root}\n`]),
    ...(what.layers ?? []).map((name) => `layer ${name}\n`),
  ];
  try {
    writeFileSync(path, lines.join(''), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw ioError(`write ${path}`, error);
  }
  return () => rmSync(path, { force: true });
}

/** What living processes hold. Leases of dead ones are removed. */
export async function readLeases(folder: string): Promise<Held> {
  const held = { roots: new Set<string>(), layers: new Set<string>() };
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const owner = ownerOf(name);
    if (owner === undefined || !isAlive(owner)) {
      await rm(path, { force: true });
      continue;
    }
    for (const line of (await readIfThere(path)).split('\n')) {
      const [kind, what = ''] = line.split(' ');
      if (kind === 'root') held.roots.add(what);
      if (kind === 'layer') held.layers.add(what);
    }
  }
  return held;
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // Released meanwhile.
    if (isErrno(error, 'ENOENT')) return '';
    throw ioError(`read ${path}`, error);
  }
}
