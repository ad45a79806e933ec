import { addon, nativeFile } from './load.js';

let descriptor: number | undefined;

/** The path of `nsbox-runtime`. */
export function runtimePath(): string {
  return nativeFile('nsbox-runtime');
}

/**
 * A descriptor of a sealed copy of `nsbox-runtime`, made once: what runs in a box can never write to the file that the
 * next box starts from.
 */
export function runtimeDescriptor(): number {
  descriptor ??= addon().loadRuntime(runtimePath());
  return descriptor;
}
