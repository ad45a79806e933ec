import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { descriptorCounts, leftOfThisProcess } from './leaks.js';
import { eventually } from './polling.js';

// Whoever runs the tests has images of their own.
const data = join(tmpdir(), `data-${process.pid}`);
process.env.NSBOX_DATA = data;
afterAll(() => rmSync(data, { recursive: true, force: true }));

// After each file that makes boxes: is anything left of them?

let before: Map<string, number> | undefined;

beforeAll(async () => {
  if (!makesBoxes()) return;
  await openWhatStays();
  before = descriptorCounts();
});

afterAll(async () => {
  const known = before;
  if (!known) return;
  await eventually(
    () => leftOfThisProcess(known),
    (left) => left.length === 0,
  ).catch((error: Error) => {
    throw new Error(`left behind: ${error.message}`);
  });
});

function makesBoxes(): boolean {
  return /\/test\/(container|lib\/(sandbox|runtime|native))\//.test(expect.getState().testPath ?? '');
}

// The first box brings what a process keeps for the others, and Node what it loads at the first use.
async function openWhatStays(): Promise<void> {
  const { Sandbox } = await import('nsbox');
  await using box = await Sandbox.create();
  await box.exec(['true']).nothrow();
}
