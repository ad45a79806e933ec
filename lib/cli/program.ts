import { Argument, Command, CommanderError, Option } from 'commander';
import { runtimeFile, version } from '../sandbox/installation.js';
import { completion, SHELLS } from './commands/completion.js';
import { doctor } from './commands/doctor.js';
import { info } from './commands/info.js';
import { say } from './failure.js';
import { AFTER_HELP, AFTER_RUN_HELP, AFTER_RUNTIME_HELP } from './help-texts.js';
import { addImages } from './images/program.js';
import { print } from './output/print.js';
import { type Flag, RUN_FLAGS } from './run/flags.js';

export { runtime } from './commands/runtime.js';

const USAGE_ERROR = 2;

/** All commands but `nsbox run` itself, and the help of that one. Answers the exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = makeProgram(async (work) => {
    exitCode = await work();
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : USAGE_ERROR;
  }
}

type Runner = (work: () => Promise<number>) => Promise<void>;

/** The tree of commands: what is read, what the help says, and what the completions offer. */
export function makeProgram(start: Runner): Command {
  const program = new Command('nsbox')
    .description(
      "Run commands in sandboxes: isolated, and copy-on-write over an image or this machine's own files.",
    )
    .usage('COMMAND [OPTIONS]')
    .helpOption('--help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .version(version(), '-V, --version', 'show the version')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: (text) => tellUsage(text) })
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText('after', AFTER_HELP);
  const command = (name: string, description: string): Command =>
    program.command(name).description(description).helpOption('--help', 'show this help');

  addRun(command('run', 'run a command in a sandbox of its own'));
  addImages(command, start);
  command('doctor', 'tell what this machine and this user can do, and the remedies')
    .option('--json', 'print JSON')
    .action((options) => start(() => doctor(options)));
  command('info', 'show versions, paths and what a sandbox is like by default')
    .option('--json', 'print JSON')
    .action((options) => start(() => info(options)));
  command('version', 'show the version').action(() => start(() => line(version())));
  addRuntime(command('runtime', 'run containers as an OCI runtime: nsbox-runtime, with all that follows'));
  command('runtime-path', 'show where nsbox-runtime is').action(() => start(() => line(runtimeFile())));
  command('completion', 'print the completions for a shell')
    .addArgument(new Argument('<shell>', 'whose').choices(SHELLS))
    .action((shell: string) => start(() => completion(program, shell)));
  return program;
}

async function line(text: string): Promise<number> {
  await print(`${text}\n`);
  return 0;
}

// Never parsed here: main.ts reads these options by itself.
function addRun(run: Command): void {
  run
    .usage('[OPTIONS] IMAGE [COMMAND [ARG...]]\n       nsbox run [OPTIONS] -- COMMAND [ARG...]')
    .argument('<command...>', 'the image, the command and its arguments; all that follows is their own')
    .passThroughOptions()
    .addHelpText('after', AFTER_RUN_HELP);
  for (const flag of RUN_FLAGS) run.addOption(optionOf(flag));
}

/** As the executable's own help lists them, for the completions. */
export const RUNTIME_VERBS = [
  'create',
  'start',
  'state',
  'kill',
  'delete',
  'run',
  'exec',
  'list',
  'pause',
  'resume',
  'ps',
  'update',
  'events',
  'features',
  'spec',
  'mounts',
  'checkpoint',
  'restore',
];

// Never parsed here either: all of it is the executable's.
function addRuntime(runtime: Command): void {
  runtime
    .usage('[ARG...]')
    .helpOption(false)
    .addArgument(new Argument('[verb]', 'what to do').choices(RUNTIME_VERBS))
    .addHelpText('after', AFTER_RUNTIME_HELP);
}

function optionOf(flag: Flag): Option {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const value = flag.value === undefined ? '' : ` <${flag.value}>`;
  const option = new Option(`${short}--${flag.long}${value}`, flag.help).helpGroup(`${flag.group}:`);
  return flag.choices ? option.choices(flag.choices) : option;
}

// commander says `error: unknown command 'rum'\n(Did you mean run?)`.
function tellUsage(text: string): void {
  const [message = '', ...rest] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n');
  const near = /Did you mean (?:one of )?(.*)\?/.exec(rest.join(' '))?.[1];
  say(message, near === undefined ? 'see nsbox --help' : `did you mean ${near}?`);
}
