import { run } from './commands/run.js';
import { ExitCode, report } from './failure.js';
import { type Scanned, scan } from './run/scan.js';

// `nsbox run` is what a person waits for a hundred times a day. All else, and the help, is a file of its own that is loaded
// only then: `program.ts`.

main(process.argv.slice(2)).then(
  (exitCode) => process.exit(exitCode),
  (error) => {
    report(error);
    process.exit(1);
  },
);

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === 'runtime') return await (await import('./program.js')).runtime(args.slice(1));
  if (args[0] !== 'run') return await others(args);
  const scanned = scanOrReport(args.slice(1));
  if (scanned === undefined) return ExitCode.ownFailure;
  return scanned.wantsHelp ? await others(['help', 'run']) : await run(scanned);
}

function scanOrReport(args: readonly string[]): Scanned | undefined {
  try {
    return scan(args);
  } catch (error) {
    report(error);
    return undefined;
  }
}

async function others(args: readonly string[]): Promise<number> {
  const { runProgram } = await import('./program.js');
  return await runProgram(args);
}
