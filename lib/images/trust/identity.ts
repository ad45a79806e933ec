import { NsboxError } from '../../errors.js';
import { formatReference, parseReference, type Reference } from '../../spec/reference.js';
import { type Check, isObject, matching, object, oneOf, text } from '../../spec/validate.js';

/** Which names a signature may have been made for: containers-policy.json(5), "signedIdentity". */
export interface SignedIdentity {
  readonly type: (typeof TYPES)[number];
  readonly dockerReference?: string;
  readonly dockerRepository?: string;
  readonly prefix?: string;
  readonly signedPrefix?: string;
}

const TYPES = [
  'matchExact',
  'matchRepoDigestOrExact',
  'matchRepository',
  'exactReference',
  'exactRepository',
  'remapIdentity',
] as const;

const NEEDS: Readonly<Record<string, readonly (keyof SignedIdentity)[]>> = {
  exactReference: ['dockerReference'],
  exactRepository: ['dockerRepository'],
  remapIdentity: ['prefix', 'signedPrefix'],
};

const prefix = matching(/^[A-Za-z0-9][\w.:/[\]-]*$/, 'a registry or a repository');

const checkFields: Check<SignedIdentity> = object<SignedIdentity>(
  { type: oneOf(TYPES) },
  { dockerReference: text, dockerRepository: text, prefix, signedPrefix: prefix },
);

export const checkIdentity: Check<SignedIdentity> = (value, at) => {
  const found = checkFields(value, at);
  if (found === undefined || !isObject(value)) return undefined;
  const needs = NEEDS[found.type] ?? [];
  for (const key of needs) if (found[key] === undefined) at.report('required, but missing', key);
  // One that is not meant so would be taken for more than it says.
  for (const key of Object.keys(value))
    if (key !== 'type' && !needs.some((one) => one === key)) at.report('not known here', key);
  return found;
};

/** Whether what was signed is what is pulled, in name. */
export function isIdentity(signed: string, pulled: Reference, identity: SignedIdentity): boolean {
  const claimed = referenceOf(signed);
  if (claimed === undefined) return false;
  const { type } = identity;
  if (type === 'matchRepository') return repositoryOf(claimed) === repositoryOf(pulled);
  if (type === 'exactReference') return isSame(claimed, identity.dockerReference);
  if (type === 'exactRepository') return isSameRepository(claimed, identity.dockerRepository);
  const expected = type === 'remapIdentity' ? remapped(pulled, identity) : pulled;
  // By its digest an image has no tag that could be told: any of the repository will do.
  if (expected.digest !== undefined && type !== 'matchExact')
    return repositoryOf(claimed) === repositoryOf(expected);
  return formatReference(claimed) === formatReference(expected);
}

function referenceOf(text: string): Reference | undefined {
  try {
    const reference = parseReference(text);
    // A name without a tag is not that of `latest`.
    const isTagged = reference.digest !== undefined || /:[^/]*$/.test(text);
    const { tag: _, ...bare } = reference;
    return isTagged ? reference : bare;
  } catch {
    return undefined;
  }
}

function repositoryOf({ domain, path }: Reference): string {
  return `${domain}/${path}`;
}

function isSame(claimed: Reference, wanted: string = ''): boolean {
  const reference = referenceOf(wanted);
  return reference !== undefined && formatReference(claimed) === formatReference(reference);
}

function isSameRepository(claimed: Reference, wanted: string = ''): boolean {
  const reference = referenceOf(wanted);
  return reference !== undefined && repositoryOf(claimed) === repositoryOf(reference);
}

function remapped(
  pulled: Reference,
  { prefix: from = '', signedPrefix: to = '' }: SignedIdentity,
): Reference {
  const name = formatReference(pulled);
  const isBelow = name === from || [':', '/', '@'].some((sign) => name.startsWith(`${from}${sign}`));
  if (!isBelow) return pulled;
  try {
    return parseReference(`${to}${name.slice(from.length)}`);
  } catch (cause) {
    throw new NsboxError('ERR_INVALID_CONFIG', `the policy makes no name of ${name}`, { cause });
  }
}
