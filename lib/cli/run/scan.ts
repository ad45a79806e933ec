import { NsboxError } from '../../errors.js';
import { didYouMean } from '../suggest.js';
import { type Flag, type FlagName, RUN_FLAGS } from './flags.js';

/** What a command line says, before any value is understood. */
export interface Scanned {
  /** Every value of each option, in the order given; a flag without value has `'true'` or `'false'`. */
  readonly values: ReadonlyMap<FlagName, readonly string[]>;
  /** What the command is to find as its root; undefined where an option says it, or `--`: this machine's own files. */
  readonly image: string | undefined;
  readonly command: readonly string[];
  readonly wantsHelp: boolean;
}

const FLAGS: readonly (Flag & { readonly long: FlagName })[] = RUN_FLAGS;

/** Options that name the root, so that no image does. */
const ROOTS: readonly FlagName[] = ['rootfs', 'bundle'];

/**
 * Reads the options up to the image, as Docker does: the first word that is no option names it, and the command follows.
 * Behind `--` there is no image, but the command at once. Nothing from there on is ours.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function scan(args: readonly string[]): Scanned {
  const values = new Map<FlagName, string[]>();
  let next = 0;
  const set = ({ long, many }: (typeof FLAGS)[number], value: string): void => {
    const known = values.get(long);
    if (known && many) known.push(value);
    else values.set(long, [value]);
  };
  const take = (flag: (typeof FLAGS)[number], shown: string): string => {
    const value = args[next++];
    if (value !== undefined) return value;
    throw invalid(`option ${shown} wants a value: ${flag.value}`);
  };
  const takeLong = (word: string): void => {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const given = equals < 0 ? undefined : word.slice(equals + 1);
    const flag = FLAGS.find(({ long, alias }) => long === name || alias === name);
    if (!flag) throw unknown(`--${name}`);
    if (flag.value === undefined) set(flag, given === undefined ? 'true' : truth(name, given));
    else set(flag, given ?? take(flag, `--${name}`));
  };
  const takeShort = (word: string): void => {
    for (let i = 1; i < word.length; i++) {
      const flag = FLAGS.find(({ short }) => short === word[i]);
      if (!flag) throw unknown(`-${word[i]}`);
      if (flag.value === undefined) {
        set(flag, 'true');
        continue;
      }
      const rest = word.slice(i + 1);
      return set(flag, rest === '' ? take(flag, `-${flag.short}`) : rest.replace(/^=/, ''));
    }
  };
  for (;;) {
    const word = args[next];
    if (word === undefined || word === '-' || !word.startsWith('-'))
      return { values, ...split(args.slice(next), values), wantsHelp: false };
    next++;
    if (word === '--') return { values, image: undefined, command: args.slice(next), wantsHelp: false };
    if (word === '--help') return { values, image: undefined, command: [], wantsHelp: true };
    if (word.startsWith('--')) takeLong(word);
    else takeShort(word);
  }
}

function split(
  words: readonly string[],
  values: Scanned['values'],
): { readonly image: string | undefined; readonly command: readonly string[] } {
  if (ROOTS.some((name) => values.has(name))) return { image: undefined, command: words };
  const [image, ...rest] = words;
  // Node itself looks for an `--env-file` in all words, but for those behind `--`.
  return { image, command: rest[0] === '--' ? rest.slice(1) : rest };
}

function truth(name: string, value: string): string {
  if (['true', '1'].includes(value)) return 'true';
  if (['false', '0'].includes(value)) return 'false';
  throw invalid(`option --${name}: expected true or false, got ${JSON.stringify(value)}`);
}

function unknown(shown: string): NsboxError {
  const known = FLAGS.flatMap(({ long, alias }) => [
    `--${long}`,
    ...(alias === undefined ? [] : [`--${alias}`]),
  ]);
  const near = shown.startsWith('--') ? didYouMean(shown, [...known, '--help']) : undefined;
  return invalid(`unknown option ${shown}`, near ?? 'see nsbox run --help');
}

function invalid(message: string, hint = 'see nsbox run --help'): NsboxError {
  return new NsboxError('ERR_INVALID_ARGUMENT', message, { hint });
}
