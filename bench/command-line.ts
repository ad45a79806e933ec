import { existsSync } from 'node:fs';
import { calling, compete, type Rounds, rowsOf, spawned } from './contestants.js';
import { built, type Fixtures } from './fixtures.js';
import type { Section } from './results.js';

const FEWER = 0.1;

/** `nsbox run -- true`, whole processes of Node. */
export async function commandLine(_: Fixtures, { rounds, lives }: Rounds): Promise<Section> {
  const program = built('../../dist/cli.cjs');
  const title = '`nsbox run -- true` beside `node -e 0`';
  if (!existsSync(program))
    return {
      name: 'cli',
      title,
      rows: [{ name: 'nsbox run', unit: 'ms', note: 'not built: npm run build' }],
    };
  const contestants = [
    calling('nsbox run -- true', () => spawned([process.execPath, program, 'run', '--', 'true'])),
    calling('node -e 0', () => spawned([process.execPath, '-e', '0'])),
    calling('true', () => spawned(['true'])),
  ];
  const turns = { rounds, lives: Math.max(1, Math.round(lives * FEWER)) };
  const rows = rowsOf(await compete(contestants, turns), 'nsbox run -- true', {
    'node -e 0': { atMost: 1.6 },
  });
  return { name: 'cli', title, rows };
}
