// The C++ unit tests as one program that runs in the machine, whatever libraries are there.
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { compileAll, coreSources, root, sanitizers, sourcesBelow } from '../native-objects.mjs';

/** Where it is, seen from the checkout. */
export const NATIVE_TESTS = 'build/vm-native/tests';

// The guest has neither the sanitizers' libraries nor the host's C++ library.
const STATIC = ['-static-libasan', '-static-libubsan', '-static-libstdc++', '-static-libgcc'];

/** Builds it from the objects that `npm run test` has made already, where it has. */
export async function buildNativeTests() {
  const compiler = process.env.CXX ?? 'g++';
  const sources = [...coreSources(), ...sourcesBelow('test/native')];
  const objects = await compileAll(sources, { compiler, out: join(root, 'build', 'test-native') });
  const program = join(root, NATIVE_TESTS);
  mkdirSync(join(program, '..'), { recursive: true });
  const aside = `${program}.${process.pid}`;
  execFileSync(compiler, [...sanitizers, ...STATIC, '-o', aside, ...objects, '-ldl'], { stdio: 'inherit' });
  renameSync(aside, program);
}
