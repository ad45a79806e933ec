import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** A module of Node's own, loaded at its first use: `import` at the top would cost every start of ours. */
export function lazyStream(): typeof import('node:stream') {
  return require('node:stream');
}

export function lazyNet(): typeof import('node:net') {
  return require('node:net');
}

export function lazyCrypto(): typeof import('node:crypto') {
  return require('node:crypto');
}

export function lazyTty(): typeof import('node:tty') {
  return require('node:tty');
}

export function lazyChildProcess(): typeof import('node:child_process') {
  return require('node:child_process');
}

export function lazyFiles(): typeof import('node:fs/promises') {
  return require('node:fs/promises');
}
