import { expect, test } from 'vitest';
import { checkProcess, validateProcess } from '../../../../lib/spec/runtime/process.js';
import { check } from '../../../../lib/spec/validate.js';

const smallest = { cwd: '/', user: { uid: 0, gid: 0 } };

function issuesWith(fields: object): readonly string[] {
  const checked = check(checkProcess, { ...smallest, ...fields });
  return checked.ok ? [] : checked.issues.map(({ path, message }) => `${path}: ${message}`);
}

test('the smallest process passes', () => {
  expect(validateProcess(smallest)).toEqual(smallest);
});

test.each<[object, string]>([
  [{ args: [] }, 'args: expected at least one item, got none'],
  [{ args: ['a\0b'] }, 'args[0]: expected a string without NUL bytes'],
  [{ env: ['A'] }, 'env[0]: expected NAME=value, got "A"'],
  [{ env: ['=a'] }, 'env[0]: expected NAME=value, got "=a"'],
  [{ cwd: '.' }, 'cwd: expected an absolute path, got "."'],
  [{ terminal: 'yes' }, 'terminal: expected true or false, got a string'],
  [{ user: { uid: 0 } }, 'user.gid: required, but missing'],
  [{ user: { uid: -1, gid: 0 } }, 'user.uid: expected a number from 0 to 4294967294, got -1'],
  [
    { user: { uid: 2 ** 32 - 1, gid: 0 } },
    'user.uid: expected a number from 0 to 4294967294, got 4294967295',
  ],
  [{ user: { uid: '0', gid: 0 } }, 'user.uid: expected a number, got a string'],
  [{ user: { uid: 0, gid: 0, umask: 0o1000 } }, 'user.umask: expected a number from 0 to 511, got 512'],
  [
    { user: { uid: 0, gid: 0, additionalGids: [1.5] } },
    'user.additionalGids[0]: expected a whole number, got 1.5',
  ],
  [{ rlimits: [{ type: 'RLIMIT_CPU', soft: 2, hard: 1 }] }, 'rlimits[0].soft: is above the hard limit'],
  [
    {
      rlimits: [
        { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
        { type: 'RLIMIT_CPU', soft: 2, hard: 2 },
      ],
    },
    'rlimits[1].type: RLIMIT_CPU is there twice',
  ],
  [{ oomScoreAdj: 1001 }, 'oomScoreAdj: expected a number from -1000 to 1000, got 1001'],
  [
    { scheduler: { policy: 'SCHED_OTHER', priority: 5 } },
    'scheduler.priority: is only for SCHED_FIFO and SCHED_RR',
  ],
  [{ scheduler: { policy: 'SCHED_OTHER', runtime: 5 } }, 'scheduler.runtime: is only for SCHED_DEADLINE'],
  [
    { scheduler: { policy: 'SCHED_OTHER', nice: 20 } },
    'scheduler.nice: expected a number from -20 to 19, got 20',
  ],
  [
    { ioPriority: { class: 'IOPRIO_CLASS_RT', priority: 8 } },
    'ioPriority.priority: expected a number from 0 to 7, got 8',
  ],
  [{ execCPUAffinity: { initial: '3-1' } }, 'execCPUAffinity.initial: the range 3-1 runs backwards'],
  [{ execCPUAffinity: { final: '0;1' } }, 'execCPUAffinity.final: expected a list such as 0-3,7, got "0;1"'],
  [
    { consoleSize: { height: 70_000, width: 1 } },
    'consoleSize.height: expected a number from 0 to 65535, got 70000',
  ],
  [{ apparmorProfile: 'a\nb' }, 'apparmorProfile: expected a single line, got "a\\nb"'],
])('%j is refused', (fields, message) => {
  expect(issuesWith(fields)).toEqual([message]);
});

test.each(['CAP_NONE', 'cap_chown', 'CHOWN', 'CAP_CHOWN ', ''])('%j is no capability', (name) => {
  expect(issuesWith({ capabilities: { bounding: [name] } })).toHaveLength(1);
});

test.each(['RLIMIT_NONE', 'NOFILE', 'rlimit_nofile'])('%j is no rlimit', (type) => {
  expect(issuesWith({ rlimits: [{ type, soft: 1, hard: 1 }] })).toHaveLength(1);
});

test('the lists of CPUs that kernels and engines write pass', () => {
  for (const initial of ['', '0', '0-3,7', '0, 2', '0 - 3', '0-31:1/2'])
    expect(issuesWith({ execCPUAffinity: { initial } })).toEqual([]);
});

test('a list of CPUs that is long and wrong is refused at once', () => {
  for (const initial of [`${' '.repeat(1_000_000)}x`, `${'1'.repeat(1_000_000)}x`, '1-'.repeat(500_000)])
    expect(issuesWith({ execCPUAffinity: { initial } })).toHaveLength(1);
});
