import { createHash } from 'node:crypto';
import type { Digest } from '../spec/digest.js';

/**
 * The chain ID of each layer, lowest first: it names a layer together with all below it.
 *
 * @see image-spec, config.md, "Layer ChainID"
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}

function digestOf(text: string): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
