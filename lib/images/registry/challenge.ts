/** How a server wants its callers to prove who they are: RFC 9110, section 11.6.1. */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const SCHEME = /(?:^|,)\s*([A-Za-z][\w-]*)(?=\s+[\w-]+\s*=|\s*(?:,|$))/g;
const PARAMETER = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;
/** Longer ones are nobody's, and patterns must not be fed without end. */
const LONGEST = 8192;

/** Reads the values of `WWW-Authenticate`, each of which may hold several. */
export function parseChallenges(values: readonly string[]): Challenge[] {
  return values.filter((value) => value.length <= LONGEST).flatMap(parseOne);
}

function parseOne(value: string): Challenge[] {
  // What is quoted may look like anything: it is hidden while the schemes are looked for.
  const bare = value.replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => `"${'_'.repeat(quoted.length - 2)}"`);
  const starts = [...bare.matchAll(SCHEME)];
  return starts.map((match, index) => ({
    scheme: (match[1] ?? '').toLowerCase(),
    parameters: parseParameters(value.slice(match.index + match[0].length, starts[index + 1]?.index)),
  }));
}

function parseParameters(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', quoted, plain = ''] of text.matchAll(PARAMETER))
    found.set(name.toLowerCase(), quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'));
  return found;
}
