import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RUN_FLAGS } from '../../../../lib/cli/run/flags.js';
import { scan } from '../../../../lib/cli/run/scan.js';

describe('where the image and the command begin', () => {
  test.each([
    [['debian:12', 'ls'], 'debian:12', ['ls']],
    [['debian:12'], 'debian:12', []],
    [['host', 'ls', '--all', '-x', '--', 'y'], 'host', ['ls', '--all', '-x', '--', 'y']],
    [['debian', '--', 'ls', '-l'], 'debian', ['ls', '-l']],
    [['debian', '--', '--', 'ls'], 'debian', ['--', 'ls']],
    [['--', 'ls', '-l'], undefined, ['ls', '-l']],
    [['--', '--', 'ls'], undefined, ['--', 'ls']],
    [['--rm', '-it', 'alpine', 'sh', '-c', 'x'], 'alpine', ['sh', '-c', 'x']],
    [['-'], '-', []],
    [['--memory', '64m', '--json'], undefined, []],
    [['--memory', '--', 'a', '--help'], 'a', ['--help']],
    [['--rootfs', '/r', 'sh', '-c', 'x'], undefined, ['sh', '-c', 'x']],
    [['--bundle=/b', 'sh'], undefined, ['sh']],
    [[], undefined, []],
  ] as const)('%j', (args, image, command) => {
    expect(scan(args)).toMatchObject({ image, command });
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
    [['-x'], 'unknown option -x', 'see nsbox run --help'],
    [['-ix'], 'unknown option -x', 'see nsbox run --help'],
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
