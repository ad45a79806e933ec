import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RUN_FLAGS } from '../../../../lib/cli/run/flags.js';
import { scan } from '../../../../lib/cli/run/scan.js';

describe('where the command begins', () => {
  test.each([
    [['ls'], ['ls']],
    [
      ['ls', '--all', '-x', '--', 'y'],
      ['ls', '--all', '-x', '--', 'y'],
    ],
    [
      ['--', 'ls', '-l'],
      ['ls', '-l'],
    ],
    [
      ['--', '--', 'ls'],
      ['--', 'ls'],
    ],
    [
      ['--rm', '-it', 'sh', '-c', 'x'],
      ['sh', '-c', 'x'],
    ],
    [['-'], ['-']],
    [['--memory', '64m', '--json'], []],
    [
      ['--memory', '--', 'a', '--help'],
      ['a', '--help'],
    ],
    [[], []],
  ])('%j', (args, command) => {
    expect(scan(args).command).toEqual(command);
  });

  test('nothing of the command is ever taken for ours', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const { command, values } = scan(['--rm', '--', ...words]);
        expect(command).toEqual(words);
        expect([...values.keys()]).toEqual(['rm']);
      }),
    );
  });
});

describe('values', () => {
  test.each([
    [['--memory', '64m'], 'memory', ['64m']],
    [['--memory=64m'], 'memory', ['64m']],
    [['-m', '64m'], 'memory', ['64m']],
    [['-m64m'], 'memory', ['64m']],
    [['-m=64m'], 'memory', ['64m']],
    [['-itm', '64m'], 'memory', ['64m']],
    [['--memory', '-1'], 'memory', ['-1']],
    [['--memory='], 'memory', ['']],
    [['-m', '1g', '-m', '2g'], 'memory', ['2g']],
    [['-e', 'A=1', '--env', 'B', '--env=C=3'], 'env', ['A=1', 'B', 'C=3']],
    [['--net', 'host'], 'network', ['host']],
    [['--read-only'], 'read-only', ['true']],
    [['--read-only=false'], 'read-only', ['false']],
    [['-h', 'name'], 'hostname', ['name']],
    [['-it'], 'tty', ['true']],
  ] as const)('%j', (args, name, values) => {
    expect(scan(args).values.get(name)).toEqual(values);
  });
});

test('help is asked for by --help alone, and not behind the command', () => {
  expect(scan(['--help']).wantsHelp).toBe(true);
  expect(scan(['ls', '--help']).wantsHelp).toBe(false);
});

describe('what is refused', () => {
  test.each([
    [['--memroy', '64m'], 'unknown option --memroy', "did you mean '--memory'?"],
    [['--nett'], 'unknown option --nett', "did you mean '--net'?"],
    [['--quite-else'], 'unknown option --quite-else', 'see nsbox run --help'],
    [['-q'], 'unknown option -q', 'see nsbox run --help'],
    [['-iq'], 'unknown option -q', 'see nsbox run --help'],
    [['--memory'], 'option --memory wants a value: SIZE', 'see nsbox run --help'],
    [['-m'], 'option -m wants a value: SIZE', 'see nsbox run --help'],
    [['--rm=maybe'], 'option --rm: expected true or false, got "maybe"', 'see nsbox run --help'],
  ])('%j', (args, message, hint) => {
    expect(() => scan(args)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message, hint }),
    );
  });
});

test('no two options share a name', () => {
  const flags: readonly { long: string; short?: string; alias?: string }[] = RUN_FLAGS;
  const names = flags.flatMap(({ long, short, alias }) =>
    [long, short, alias].filter((name) => name !== undefined),
  );
  expect(new Set(names).size).toBe(names.length);
});
