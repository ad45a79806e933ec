import { type HistoryStep, Images } from '../../sandbox/images.js';
import { humanAge, humanSize } from '../output/human.js';
import { print } from '../output/print.js';
import { type Columns, formatList, type Line } from '../output/template.js';
import { shortDigest } from './titles.js';

export interface HistoryFlags {
  readonly format?: string;
  readonly trunc?: boolean;
}

const COLUMNS: Columns = [
  ['Layer', 'LAYER'],
  ['CreatedSince', 'CREATED'],
  ['CreatedBy', 'CREATED BY'],
  ['Size', 'SIZE'],
  ['Comment', 'COMMENT'],
];
const WIDTH = 45;

/** `nsbox history`: how an image was made, the last step first. */
export async function history(name: string, flags: HistoryFlags): Promise<number> {
  await using images = await Images.open();
  const steps = await images.history(name);
  await print(
    formatList(
      steps.map((step) => lineOf(step, flags)),
      COLUMNS,
      flags.format,
    ),
  );
  return 0;
}

function lineOf(step: HistoryStep, { trunc }: HistoryFlags): Line {
  const by = (step.created_by ?? '').replaceAll(/\s+/g, ' ');
  const isCut = trunc !== false && by.length > WIDTH;
  const digest = step.layer?.digest;
  const fields = {
    Layer: digest === undefined ? '<none>' : trunc === false ? digest : shortDigest(digest),
    CreatedSince: humanAge(step.created),
    CreatedAt: step.created ?? 'N/A',
    CreatedBy: isCut ? `${by.slice(0, WIDTH - 1)}…` : by,
    Size: humanSize(step.layer?.size ?? 0),
    Comment: step.comment ?? '',
  };
  return { fields, json: fields };
}
