import { constants } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CAPABILITIES,
  capabilityName,
  RLIMITS,
  signalName,
  signalNumber,
} from '../../../../lib/spec/runtime/linux-names.js';

describe('signals', () => {
  test('the numbers are those of this machine', () => {
    for (const [name, number] of Object.entries(constants.signals)) expect(signalNumber(name)).toBe(number);
  });

  test('a name leads to its number and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), (number) => {
        const name = signalName(number);
        // 32 and 33 are the C library's own and have no names.
        if (number === 32 || number === 33) expect(name).toBeUndefined();
        else expect(signalNumber(name ?? '')).toBe(number);
        expect(signalNumber(String(number))).toBe(number);
      }),
    );
  });

  test.each([
    ['term', 15],
    ['SIGTERM', 15],
    [' sigkill ', 9],
    ['SIGIOT', 6],
    ['RTMIN+1', 35],
    ['SIGRTMAX-2', 62],
    [9, 9],
  ])('%s is %i', (signal, number) => {
    expect(signalNumber(signal)).toBe(number);
  });

  test.each(['', '0', '65', 'SIGNONE', 'SIGRTMIN-1', 'SIGRTMAX+1', 'SIG', 0, -1, 1.5, Number.NaN])(
    '%j is refused',
    (signal) => {
      expect(() => signalNumber(signal)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
    },
  );
});

test("each capability stands at its number's place", () => {
  expect(CAPABILITIES.indexOf('CAP_SYS_ADMIN')).toBe(21);
  expect(CAPABILITIES.indexOf('CAP_CHECKPOINT_RESTORE')).toBe(40);
});

test("each rlimit stands at its number's place", () => {
  expect(RLIMITS.indexOf('RLIMIT_NOFILE')).toBe(7);
  expect(RLIMITS.indexOf('RLIMIT_RTTIME')).toBe(15);
});

test('capabilities are read as people write them', () => {
  expect(capabilityName('net_admin')).toBe('CAP_NET_ADMIN');
  expect(capabilityName('CAP_CHOWN')).toBe('CAP_CHOWN');
  expect(() => capabilityName('ALL')).toThrow('unknown capability: ALL');
});
