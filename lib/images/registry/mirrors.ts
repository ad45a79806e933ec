import { NsboxError } from '../../errors.js';
import type { Reference } from '../../spec/reference.js';
import type { Settings } from './settings.js';

export type Repository = Pick<Reference, 'domain' | 'path'>;

/** Where a repository's content can be had: its registry's mirrors, and at last the registry itself. */
export function placesOf({ domain, path }: Repository, { mirrors }: Settings): Repository[] {
  const before = mirrors.get(domain) ?? [];
  return [
    ...before.map((mirror) => ({ domain: mirror.domain, path: `${mirror.prefix}${path}` })),
    { domain, path },
  ];
}

/** The first place's answer; what one lacks or refuses, the next may have. The last one's failure is told. */
export async function fromFirst<T>(
  places: readonly Repository[],
  signal: AbortSignal | undefined,
  ask: (place: Repository) => Promise<T>,
): Promise<T> {
  const [place, ...others] = places;
  if (place === undefined) throw new NsboxError('ERR_NOT_FOUND', 'no registry to ask');
  try {
    return await ask(place);
  } catch (error) {
    if (signal?.aborted || others.length === 0) throw error;
    return await fromFirst(others, signal, ask);
  }
}

/** The bytes from `offset` on; where one place ends too soon, the next goes on. */
export async function* streamFromFirst(
  places: readonly ((offset: number) => Promise<AsyncIterable<Uint8Array>>)[],
  signal: AbortSignal | undefined,
  offset: number,
): AsyncGenerator<Uint8Array> {
  let position = offset;
  let last: { readonly error: unknown } | undefined;
  for (const ask of places) {
    try {
      for await (const chunk of await ask(position)) {
        position += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      if (signal?.aborted) throw error;
      last = { error };
    }
  }
  throw last?.error;
}
