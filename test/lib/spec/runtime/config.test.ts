import { describe, expect, test } from 'vitest';
import {
  checkConfig,
  parseConfig,
  RLIM_INFINITY,
  stringifyConfig,
  validateConfig,
} from '../../../../lib/spec/runtime/config.js';
import { check } from '../../../../lib/spec/validate.js';
import { withValue } from '../schemas.js';
import { fullConfig } from './samples.js';

type Path = readonly (string | number)[];

function issuesWith(path: Path, value: unknown): readonly string[] {
  const checked = check(checkConfig, withValue(fullConfig(), path, value));
  return checked.ok ? [] : checked.issues.map((issue) => `${issue.path}: ${issue.message}`);
}

test('a configuration with every field passes, and comes back equal', () => {
  expect(validateConfig(fullConfig())).toEqual(fullConfig());
});

test('the smallest configuration passes', () => {
  expect(validateConfig({ ociVersion: '1.0.0', root: { path: 'rootfs' } })).toEqual({
    ociVersion: '1.0.0',
    root: { path: 'rootfs' },
  });
});

test('the error names the place, one a line', () => {
  const config = withValue(withValue(fullConfig(), ['process', 'args', 0], 1), ['process', 'cwd'], 'tmp');
  expect(() => validateConfig(config)).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_CONFIG',
      message:
        'config.json is not valid:\n' +
        'process.cwd: expected an absolute path, got "tmp"\n' +
        'process.args[0]: expected a string, got a number',
    }),
  );
});

test('fields of other platforms and unknown ones are ignored', () => {
  const config = { ...fullConfig(), windows: 1, vm: { kernel: 2 }, 'x-own': null };
  expect(validateConfig(config)).toEqual(fullConfig());
});

test.each<[Path, unknown, string]>([
  [['ociVersion'], undefined, 'ociVersion: required, but missing'],
  [['ociVersion'], '1.3', 'ociVersion: expected a version such as 1.3.0, got "1.3"'],
  [['ociVersion'], '2.0.0', 'ociVersion: expected version 1.x, got "2.0.0"'],
  [['root'], undefined, 'root: required, but missing'],
  [['root', 'path'], '', 'root.path: expected a string that is not empty, got ""'],
  [['hostname'], 'a b', 'hostname: expected a name of at most 64 characters, got "a b"'],
  [['annotations'], { '': 'x' }, 'annotations[""]: expected a string that is not empty, got ""'],
  [['hooks', 'poststop', 0, 'path'], 'hook', 'hooks.poststop[0].path: expected an absolute path, got "hook"'],
  [
    ['hooks', 'poststop', 0, 'timeout'],
    0,
    'hooks.poststop[0].timeout: expected a number from 1 to 9007199254740991, got 0',
  ],
  [['hooks', 'prestart', 0, 'env', 0], 'A', 'hooks.prestart[0].env[0]: expected NAME=value, got "A"'],
  [['mounts', 0, 'destination'], '', 'mounts[0].destination: expected a string that is not empty, got ""'],
  [
    ['mounts', 1, 'uidMappings', 0, 'size'],
    0,
    'mounts[1].uidMappings[0].size: expected a number from 1 to 4294967295, got 0',
  ],
])('%j = %j is refused', (path, value, message) => {
  expect(issuesWith(path, value)).toEqual([message]);
});

test('the relative destination of old is taken from the root', () => {
  const config = validateConfig(withValue(fullConfig(), ['mounts', 0, 'destination'], 'proc'));
  expect(config.mounts?.[0]?.destination).toBe('/proc');
});

describe('writing', () => {
  test('what is written reads back equal', () => {
    const config = validateConfig(fullConfig());
    expect(parseConfig(stringifyConfig(config))).toEqual(config);
  });

  test('the largest numbers are written exactly, and nothing in strings is touched', () => {
    const json = JSON.stringify({
      ociVersion: '1.3.0',
      root: { path: 'rootfs' },
      process: {
        cwd: '/',
        user: { uid: 0, gid: 0 },
        args: ['18446744073709552000', 'a"18446744073709552000\\', '-9223372036854776000'],
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 'MAX' }],
      },
      linux: {
        resources: { memory: { limit: 2 ** 63 } },
        namespaces: [{ type: 'time' }],
        timeOffsets: { monotonic: { secs: -(2 ** 63) } },
      },
    }).replace('"MAX"', '18446744073709551615');
    const config = parseConfig(json);
    expect(config.process?.rlimits?.[0]?.hard).toBe(RLIM_INFINITY);
    const written = stringifyConfig(config);
    expect(written).toContain('"hard":18446744073709551615');
    expect(written).toContain('"limit":9223372036854775807');
    expect(written).toContain('"secs":-9223372036854775808');
    expect(parseConfig(written)).toEqual(config);
  });
});

test('checking takes microseconds', () => {
  const config: unknown = JSON.parse(JSON.stringify(fullConfig()));
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 2000; run++) {
    const start = performance.now();
    validateConfig(config);
    best = Math.min(best, performance.now() - start);
  }
  expect(best).toBeLessThan(0.2);
});
