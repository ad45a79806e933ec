import { type Check, diagnose } from '../../sandbox/doctor.js';
import { print } from '../output/print.js';
import { type Row, table } from '../output/table.js';

/** `nsbox doctor`: 0 when a sandbox can run here, 1 otherwise. */
export async function doctor({ json }: { readonly json?: boolean }): Promise<number> {
  const diagnosis = await diagnose();
  if (json) await print(`${JSON.stringify(diagnosis, null, 2)}\n`);
  else await print(`${asTables(diagnosis.checks)}${verdict(diagnosis.ok, diagnosis.checks)}\n`);
  return diagnosis.ok ? 0 : 1;
}

const GROUPS: readonly Check['group'][] = ['Machine', 'Isolation', 'Limits', 'Users'];

function asTables(checks: readonly Check[]): string {
  return GROUPS.flatMap((group) => {
    const rows = checks
      .filter((check) => check.group === group)
      .map(asRow)
      .map(withoutRepeatedRemedy);
    return rows.length === 0 ? [] : [`${table(group, rows)}\n`];
  }).join('');
}

function asRow({ status, name, detail, remedy }: Check): Row {
  return { mark: status, name, text: detail, ...(remedy !== undefined && { remedy }) };
}

// What misses together is got together: the remedy stands below the last of them.
function withoutRepeatedRemedy(row: Row, i: number, rows: readonly Row[]): Row {
  const { remedy, ...rest } = row;
  return remedy !== undefined && rows[i + 1]?.remedy === remedy ? rest : row;
}

function verdict(ok: boolean, checks: readonly Check[]): string {
  if (!ok) return 'No sandbox can run here: see the lines marked "no".';
  const without = checks.filter(({ status }) => status === 'off').length;
  return without === 0
    ? 'Everything works.'
    : `Sandboxes run here; what is marked "off" (${without}) they have to do without.`;
}
