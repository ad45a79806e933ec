import { expect, test } from 'vitest';
import { checkSeccomp } from '../../../../lib/spec/runtime/seccomp.js';
import { check } from '../../../../lib/spec/validate.js';

function issuesOf(seccomp: object): readonly string[] {
  const checked = check(checkSeccomp, { defaultAction: 'SCMP_ACT_ALLOW', ...seccomp });
  return checked.ok ? [] : checked.issues.map(({ path, message }) => `${path}: ${message}`);
}

const rule = { names: ['mount'], action: 'SCMP_ACT_ERRNO' };

test.each<[object, string]>([
  [{ defaultErrnoRet: 1 }, 'defaultErrnoRet: has no meaning with SCMP_ACT_ALLOW'],
  [{ syscalls: [{ ...rule, names: [] }] }, 'syscalls[0].names: expected at least one item, got none'],
  [
    { syscalls: [{ ...rule, names: [''] }] },
    'syscalls[0].names[0]: expected a string that is not empty, got ""',
  ],
  [
    { syscalls: [{ ...rule, errnoRet: 5000 }] },
    'syscalls[0].errnoRet: expected a number up to 4095, got 5000',
  ],
  [
    { syscalls: [{ ...rule, action: 'SCMP_ACT_KILL', errnoRet: 1 }] },
    'syscalls[0].errnoRet: has no meaning with SCMP_ACT_KILL',
  ],
  [
    { syscalls: [{ ...rule, args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }] },
    'syscalls[0].args[0].index: expected a number from 0 to 5, got 6',
  ],
  [
    { syscalls: [{ ...rule, args: [{ index: 0, value: -1, op: 'SCMP_CMP_EQ' }] }] },
    'syscalls[0].args[0].value: expected a number from 0 to 18446744073709552000, got -1',
  ],
  [
    { syscalls: [{ ...rule, action: 'SCMP_ACT_NOTIFY' }] },
    'syscalls[0].action: SCMP_ACT_NOTIFY needs a listenerPath',
  ],
  [{ listenerMetadata: 'x' }, 'listenerMetadata: needs a listenerPath'],
  [{ defaultAction: 'SCMP_ACT_NOTIFY' }, 'defaultAction: SCMP_ACT_NOTIFY needs a listenerPath'],
])('%j is refused', (seccomp, message) => {
  expect(issuesOf(seccomp)).toEqual([message]);
});

test.each(['SCMP_ACT_NONE', 'ALLOW', '', 'toString'])('%j is no action', (defaultAction) => {
  expect(issuesOf({ defaultAction })).toHaveLength(1);
});
