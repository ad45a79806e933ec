import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readEnvironment } from '../../../../lib/cli/run/environment.js';
import { TemporaryDirectory } from '../../../support/temporary.js';

test('a value is all behind the first equals sign, and a name alone takes the value from here', () => {
  expect({ ...readEnvironment([], ['A=1=2', 'B=', 'HERE', 'NOWHERE'], { HERE: 'x' }) }).toEqual({
    A: '1=2',
    B: '',
    HERE: 'x',
  });
});

test('a file has one a line, comments, and gives way to --env', async () => {
  await using folder = new TemporaryDirectory();
  writeFileSync(folder.join('env'), '# a comment\n\nA=1\r\nHERE\nB=has spaces # kept\n  C=3\n');
  expect({ ...readEnvironment([folder.join('env')], ['C=4'], { HERE: 'x' }) }).toEqual({
    A: '1',
    HERE: 'x',
    B: 'has spaces # kept',
    C: '4',
  });
});

test('a wrong line of a file is named', async () => {
  await using folder = new TemporaryDirectory();
  writeFileSync(folder.join('env'), 'A=1\n=2\n');
  expect(() => readEnvironment([folder.join('env')], [], {})).toThrow(
    `${folder.join('env')}:2: "" cannot be`,
  );
});

test.each(['=1', '', 'A B=1'])('--env %j is refused', (entry) => {
  expect(() => readEnvironment([], [entry], {})).toThrow("cannot be a variable's name");
});

test('names of objects are names like any other', () => {
  const env = readEnvironment([], ['__proto__=1', 'constructor=2'], {});
  expect(Object.entries(env)).toEqual([
    ['__proto__', '1'],
    ['constructor', '2'],
  ]);
});

test('a file that is not there is an error', () => {
  expect(() => readEnvironment(['/nonexistent'], [], {})).toThrow('--env-file: ENOENT');
});
