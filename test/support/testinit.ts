import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWritable } from './mode.js';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'test/fixtures/testinit');

let made: string | undefined;

/** The path of the static program that tests run in their boxes, compiled at its first use. */
export function testinit(): string {
  made ??= find() ?? compile();
  return made;
}

// Named after what it is made from: the clock of a virtual machine is not that of its sources.
function fileName(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, name)));
  return `testinit-${hash.digest('hex').slice(0, 12)}`;
}

function places(): string[] {
  return [join(root, 'build', 'testinit'), join(tmpdir(), 'testinit')];
}

function find(): string | undefined {
  return places()
    .map((place) => join(place, fileName()))
    .find((path) => existsSync(path));
}

function compile(): string {
  const place = isWritable(root) ? places()[0] : places()[1];
  const path = join(place ?? tmpdir(), fileName());
  mkdirSync(join(path, '..'), { recursive: true });
  const sources = readdirSync(folder).filter((name) => name.endsWith('.cc'));
  const aside = `${path}.${process.pid}`;
  execFileSync(
    'g++',
    ['-std=c++20', '-O1', '-static', '-s', '-o', aside, ...sources.map((name) => join(folder, name))],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  renameSync(aside, path);
  return path;
}
