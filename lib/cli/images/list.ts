import { NsboxError } from '../../errors.js';
import { type Image, Images } from '../../sandbox/images.js';
import { humanAge, humanSize } from '../output/human.js';
import { print } from '../output/print.js';
import { type Columns, formatList, type Line } from '../output/template.js';
import { familiar, repositoryAndTag, shortDigest } from './titles.js';

export interface ListFlags {
  readonly quiet?: boolean;
  readonly digests?: boolean;
  /** `--no-trunc`. */
  readonly trunc?: boolean;
  readonly format?: string;
  readonly filter?: readonly string[];
}

const COLUMNS: Columns = [
  ['Repository', 'REPOSITORY'],
  ['Tag', 'TAG'],
  ['ID', 'IMAGE ID'],
  ['CreatedSince', 'CREATED'],
  ['Size', 'SIZE'],
];
const DIGEST = ['Digest', 'DIGEST'] as const;

/** `nsbox images`: what is in the store, the newest first, a line for each name. */
export async function list(repository: string | undefined, flags: ListFlags): Promise<number> {
  await using images = await Images.open();
  const filters = (flags.filter ?? []).map(parseFilter);
  if (repository !== undefined) filters.push(byReference(repository));
  const entries = (await images.list()).sort(byAge).flatMap(entriesOf);
  const wanted = entries.filter((entry) => filters.every((matches) => matches(entry)));
  if (flags.quiet) {
    const ids = new Set(wanted.map(({ image: { id } }) => (flags.trunc === false ? id : shortDigest(id))));
    await print([...ids].map((id) => `${id}\n`).join(''));
    return 0;
  }
  const columns = flags.digests ? [...COLUMNS.slice(0, 2), DIGEST, ...COLUMNS.slice(2)] : COLUMNS;
  await print(
    formatList(
      wanted.map((entry) => lineOf(entry, flags)),
      columns,
      flags.format,
    ),
  );
  return 0;
}

interface Entry {
  readonly image: Image;
  readonly name: string | undefined;
}

type Filter = (entry: Entry) => boolean;

function byAge(one: Image, other: Image): number {
  return (Date.parse(other.config.created ?? '') || 0) - (Date.parse(one.config.created ?? '') || 0);
}

function entriesOf(image: Image): Entry[] {
  const names = image.names.length === 0 ? [undefined] : image.names;
  return names.map((name) => ({ image, name }));
}

function lineOf({ image, name }: Entry, { trunc }: ListFlags): Line {
  const [repository, tag] = name === undefined ? ['<none>', '<none>'] : repositoryAndTag(name);
  const fields = {
    Repository: repository,
    Tag: tag,
    Digest: image.source,
    ID: trunc === false ? image.id : shortDigest(image.id),
    CreatedSince: humanAge(image.config.created),
    CreatedAt: image.config.created ?? 'N/A',
    Size: humanSize(image.size),
  };
  return { fields, json: fields };
}

function parseFilter(filter: string): Filter {
  const [, key, value] = /^(\w+)=(.*)$/.exec(filter) ?? [];
  if (key === 'reference' && value !== undefined) return byReference(value);
  if (key === 'dangling') return ({ name }) => (name === undefined) === (value === 'true');
  if (key === 'label' && value !== undefined) return byLabel(value);
  throw new NsboxError('ERR_INVALID_ARGUMENT', `--filter: not a filter: ${JSON.stringify(filter)}`, {
    hint: 'there are reference=PATTERN, dangling=true|false, label=KEY and label=KEY=VALUE',
  });
}

/** By repository, or repository and tag; `*` stands for anything in one component. */
function byReference(pattern: string): Filter {
  const text = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  const expression = new RegExp(`^(.*/)?${text}(:[^/]*)?$`);
  return ({ name }) => name !== undefined && (expression.test(familiar(name)) || expression.test(name));
}

function byLabel(label: string): Filter {
  const [key = '', ...rest] = label.split('=');
  return ({ image }) => {
    const found = image.config.config?.Labels?.[key];
    return rest.length === 0 ? found !== undefined : found === rest.join('=');
  };
}
