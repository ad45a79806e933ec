// Temporary folders, which carry the number of the process that made them.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** An empty folder below `cache`; the caller removes it. */
export function makeScratch(cache, kind) {
  mkdirSync(cache, { recursive: true });
  return mkdtempSync(join(cache, `${kind}-${process.pid}-`));
}

/** Removes the folders of processes that were killed. */
export function sweepScratch(cache) {
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const pid = /^(?:run|making)-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(cache, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
