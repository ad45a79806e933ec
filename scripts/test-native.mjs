#!/usr/bin/env node
// Builds the core and its unit tests hosted, with sanitizers, by the C++ compiler alone (no cmake needed), and runs
// them. An argument is a part of a test's name or of its file's; CXX names another compiler.
import { execFileSync, spawn } from 'node:child_process';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { compileAll, coreSources, root, sanitizers, sourcesBelow } from './native-objects.mjs';

const out = join(root, 'build', 'test-native');
const compiler = process.env.CXX ?? 'g++';
const objects = await compileAll([...coreSources(), ...sourcesBelow('test/native')], { compiler, out });
const program = join(out, 'tests');
const aside = `${program}.${process.pid}`;
execFileSync(compiler, [...sanitizers, '-o', aside, ...objects, '-ldl'], { stdio: 'inherit' });
renameSync(aside, program);
const run = spawn(program, process.argv.slice(2), { stdio: 'inherit' });
process.exitCode = await new Promise((resolve) => run.on('exit', (code) => resolve(code ?? 1)));
