import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Config, Runtime } from './runtime.js';

export type Mount = Config['mounts'][number];

/** A directory outside with a file in it. */
export function source(runtime: Runtime, name = 'source'): string {
  const path = `${runtime.folder}/${name}`;
  mkdirSync(`${path}/deep`, { recursive: true });
  chmodSync(path, 0o755);
  writeFileSync(`${path}/file`, 'from outside\n');
  return path;
}

export const bind = (from: string, to: string, ...options: string[]): Mount => ({
  destination: to,
  type: 'bind',
  source: from,
  options: ['bind', ...options],
});
