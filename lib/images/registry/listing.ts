import type { Digest } from '../../spec/digest.js';
import { checkRepositoryList, checkTagList } from '../../spec/distribution.js';
import type { Descriptor } from '../../spec/image/descriptor.js';
import { parseIndex } from '../../spec/image/index.js';
import { parse } from '../../spec/validate.js';
import type { Answer } from './answer.js';
import { RegistryFailure } from './failure.js';
import type { Session } from './session.js';

/** Of one page. */
const LARGEST = 4 * 1024 * 1024;

export interface Listing {
  readonly session: Session;
  /** Below the registry. */
  readonly target: string;
  readonly scope: string;
  readonly signal?: AbortSignal | undefined;
  readonly what: string;
}

/** The tags of a repository, one page of the registry's after the other. */
export async function* listTags(listing: Listing): AsyncGenerator<string> {
  for await (const page of pages(listing)) yield* parse(checkTagList, page, listing.what).tags ?? [];
}

/** The repositories of a registry: not in the specification, and not every registry tells. */
export async function* listRepositories(listing: Listing): AsyncGenerator<string> {
  for await (const page of pages(listing)) yield* parse(checkRepositoryList, page, listing.what).repositories;
}

/**
 * What says something about a manifest, as signatures do: distribution-spec, "Listing Referrers". Undefined from a registry
 * that does not know of it.
 */
export async function listReferrers(listing: Listing): Promise<readonly Descriptor[] | undefined> {
  const found: Descriptor[] = [];
  try {
    for await (const page of pages(listing)) found.push(...parseIndex(page, listing.what).manifests);
  } catch (error) {
    if (error instanceof RegistryFailure && error.status === 404) return undefined;
    throw error;
  }
  return found;
}

/** Where the referrers of a manifest are listed under a tag, by a registry that does not know of them: the same section. */
export function referrersTag(digest: Digest): string {
  return digest.replace(':', '-').slice(0, 128);
}

async function* pages({ session, scope, signal, what, ...listing }: Listing): AsyncGenerator<string> {
  const seen = new Set<string>();
  let target: string | URL | undefined = listing.target;
  while (target !== undefined && !seen.has(String(target))) {
    seen.add(String(target));
    const answer: Answer = await session.send({ method: 'GET', target, scope, accept: [200], what, signal });
    yield await answer.text(LARGEST);
    target = nextOf(answer);
  }
}

// RFC 8288. Another host's page is none of this registry.
function nextOf(answer: Answer): URL | undefined {
  const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(answer.header('link') ?? '')?.[1];
  if (next === undefined || !URL.canParse(next, answer.url.href)) return undefined;
  const url = new URL(next, answer.url);
  return url.origin === answer.url.origin ? url : undefined;
}
