import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const ours = join(import.meta.dirname, '..', '..', '..', 'build', 'Release', 'nsbox-runtime');
const wish = process.env.NSBOX_TEST_RUNTIME ?? ours;

/**
 * The OCI runtime that these tests look at. `NSBOX_TEST_RUNTIME` names another by path or by name: with runc, the tests show
 * that what they expect of ours is what its callers are used to.
 */
export const underTest = {
  path: pathOf(wish),
  kind: kindOf(wish),
  /** A command that makes the calls: see wrapped.ts. */
  through: [] as readonly string[],
};

export const isOurs = underTest.kind === 'nsbox';
export const isRunc = underTest.kind === 'runc';

function pathOf(name: string): string {
  if (name.includes('/')) return resolve(name);
  const places = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  const found = places.map((place) => join(place, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`NSBOX_TEST_RUNTIME: there is no ${name} in $PATH`);
  return found;
}

function kindOf(name: string): 'nsbox' | 'runc' | 'crun' {
  const known = ['runc', 'crun'] as const;
  return known.find((kind) => basename(name).includes(kind)) ?? 'nsbox';
}

/** Whether the runtime under test knows a verb at all yet. */
export function hasVerb(verb: string): boolean {
  try {
    execFileSync(underTest.path, [verb, '--help'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
