import { readFileSync } from 'node:fs';
import { isErrno } from '../util/files.js';

/** What is noted of a root that has been made. */
export interface RootRecord {
  /** The folders of its layers, topmost first. */
  readonly layers: readonly string[];
  readonly note: unknown;
}

const VERSION = 1;
const LAYER = /^[a-z0-9]+-[0-9a-f]{64,128}$/;

export function recordText({ layers, note }: RootRecord): string {
  return JSON.stringify({ version: VERSION, layers, note });
}

/** Reads a root's record; undefined where there is none, or one that this version does not know. */
export function readRecord(path: string): RootRecord | undefined {
  const text = readIfThere(path);
  return text === undefined ? undefined : parseRecord(text);
}

// A name in it becomes a path.
function parseRecord(text: string): RootRecord | undefined {
  const record: { readonly version?: unknown; readonly layers?: unknown; readonly note?: unknown } =
    JSON.parse(text);
  const { version, layers, note } = record;
  const isKnown = version === VERSION && Array.isArray(layers) && layers.length > 0;
  return isKnown && layers.every(isLayerName) ? { layers, note } : undefined;
}

function isLayerName(name: unknown): name is string {
  return typeof name === 'string' && LAYER.test(name);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
