import type { Command, Option } from 'commander';
import { HOST } from '../../sandbox/image.js';
import { print } from '../output/print.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** `nsbox completion`: a script for the shell, made from the commands as they are. */
export async function completion(program: Command, shell: string): Promise<number> {
  const commands = program.createHelp().visibleCommands(program).map(describe);
  await print(SCRIPTS[shell as (typeof SHELLS)[number]](commands));
  return 0;
}

/** A command, as the shells need it. */
interface Known {
  readonly name: string;
  readonly description: string;
  readonly options: readonly KnownOption[];
  /** What its first argument may be; undefined: an image, or `--` or `host` and any command of the machine. */
  readonly words: readonly string[] | undefined;
}

interface KnownOption {
  readonly names: readonly string[];
  readonly description: string;
  readonly value: 'none' | 'file' | 'text' | readonly string[];
}

function describe(command: Command, _: number, all: readonly Command[]): Known {
  const [argument] = command.registeredArguments;
  const names = all.map((one) => one.name()).filter((name) => name !== 'help');
  return {
    name: command.name(),
    description: command.description(),
    options: command.createHelp().visibleOptions(command).map(describeOption),
    words: command.name() === 'help' ? names : argument?.variadic ? undefined : (argument?.argChoices ?? []),
  };
}

function describeOption(option: Option): KnownOption {
  const value = /<(.*)>/.exec(option.flags)?.[1];
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    description: option.description,
    value:
      option.argChoices ?? (value === undefined ? 'none' : /FILE|DIR|PATH|SRC/.test(value) ? 'file' : 'text'),
  };
}

const SCRIPTS = { bash, zsh, fish } as const;

function bash(commands: readonly Known[]): string {
  return `# Completions of nsbox for bash. In ~/.bashrc: source <(nsbox completion bash)
_nsbox() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} here i
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${[...commands.map(({ name }) => name), '--help', '--version'].join(' ')}' -- "$word"))
    return
  fi
  case $command in
${commands.map(bashCommand).join('')}  esac
}
complete -o default -F _nsbox nsbox
`;
}

function bashCommand({ name, options, words }: Known): string {
  const withValue = options.filter(({ value }) => value !== 'none');
  const pattern = (some: readonly KnownOption[]) => some.flatMap(({ names }) => names).join('|');
  const choices = withValue.filter(({ value }) => typeof value === 'object');
  const texts = withValue.filter(({ value }) => value === 'text');
  const files = withValue.filter(({ value }) => value === 'file');
  const walk =
    withValue.length === 0
      ? ''
      : `      # Where a command of this machine begins, its own completions do. What an image holds is not known here.
      for ((i = 2; i < COMP_CWORD; i++)); do
        case \${COMP_WORDS[i]} in
          ${pattern(withValue)}) ((i++)) ;;
          --|host) ((i++)); here=yes; break ;;
          -*) ;;
          *) return ;;
        esac
      done
      if ((i == COMP_CWORD)) && [[ $here ]]; then
        COMPREPLY=($(compgen -c -- "$word"))
        return
      fi
      if ((i < COMP_CWORD)); then
        declare -F _command_offset >/dev/null && _command_offset "$i"
        return
      fi
      case \${COMP_WORDS[COMP_CWORD - 1]} in
${choices.map((one) => `        ${pattern([one])}) COMPREPLY=($(compgen -W '${[one.value].flat().join(' ')}' -- "$word")); return ;;\n`).join('')}${
  texts.length > 0 ? `        ${pattern(texts)}) compopt +o default; return ;;\n` : ''
}${files.length > 0 ? `        ${pattern(files)}) return ;;\n` : ''}      esac
`;
  const others = `compgen -W '${(words ?? [HOST]).join(' ')}' -- "$word"`;
  return `    ${name})
${walk}      if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W '${options.flatMap(({ names }) => names).join(' ')}' -- "$word"))
      else
        COMPREPLY=($(${others}))
      fi
      ;;
`;
}

function zsh(commands: readonly Known[]): string {
  return `#compdef nsbox
# Completions of nsbox for zsh. In ~/.zshrc, after compinit: source <(nsbox completion zsh)
_nsbox() {
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}\n`).join('')}  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${commands.map(zshCommand).join('')}  esac
}
compdef _nsbox nsbox
`;
}

function zshCommand({ name, options, words }: Known): string {
  const specs = options.flatMap(zshOption);
  if (words === undefined) specs.push(quoted(`(-)1:image:(${HOST})`), quoted('*::arguments:_normal'));
  else if (words.length > 0) specs.push(quoted(`1:word:(${words.join(' ')})`));
  return `    ${name})\n      _arguments -s -S${specs.map((spec) => ` \\\n        ${spec}`).join('')}\n      ;;\n`;
}

function zshOption({ names, description, value }: KnownOption): string[] {
  const text = description.replace(/[[\]:\\]/g, '\\$&');
  const after =
    typeof value === 'object'
      ? `:value:(${value.join(' ')})`
      : { none: '', file: ':value:_files', text: ':value:' }[value];
  return names.map((name) =>
    quoted(`*${name}${after !== '' && name.startsWith('--') ? '=' : ''}[${text}]${after}`),
  );
}

function fish(commands: readonly Known[]): string {
  const lines = [
    '# Completions of nsbox for fish: nsbox completion fish > ~/.config/fish/completions/nsbox.fish',
  ];
  lines.push('complete -c nsbox -n __fish_use_subcommand -f');
  for (const { name, description, options, words } of commands) {
    const inside = `complete -c nsbox -n '__fish_seen_subcommand_from ${name}'`;
    lines.push(`complete -c nsbox -n __fish_use_subcommand -a ${name} -d ${fishQuoted(description)}`);
    if (words === undefined)
      lines.push(`${inside} -x -a '${HOST} (__fish_complete_subcommand --fcs-skip=3)'`);
    else lines.push(`${inside} -f${words.length > 0 ? ` -a ${fishQuoted(words.join(' '))}` : ''}`);
    for (const option of options) lines.push(`${inside} ${fishOption(option)}`);
  }
  return `${lines.join('\n')}\n`;
}

function fishOption({ names, description, value }: KnownOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const after =
    typeof value === 'object'
      ? ['-x', '-a', fishQuoted(value.join(' '))]
      : { none: [], file: ['-r', '-F'], text: ['-x'] }[value];
  return [...flags, ...after, '-d', fishQuoted(description)].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
