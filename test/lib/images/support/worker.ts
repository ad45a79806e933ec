import { Images } from '../../../../lib/images/images.js';

// A process of its own that pulls and removes one image without end, until it is killed. Arguments: the store, the name.

const [path = '', name = ''] = process.argv.slice(2);
const patience = { stallMs: 20_000, retry: { attempts: 3, firstPauseMs: 5 } };

async function work(): Promise<void> {
  await using images = await Images.open({ path, registries: { env: {}, ...patience } });
  process.stdout.write('go\n');
  for (;;) {
    await images.pull(name);
    // Another may have removed it already, and a pull may be under way that has it listed.
    if (Math.random() < 0.5) await images.remove(name).catch(ignoreAbsence);
    if (Math.random() < 0.2) await images.prune();
  }
}

function ignoreAbsence(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_NOT_FOUND')) throw error;
}

work().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
