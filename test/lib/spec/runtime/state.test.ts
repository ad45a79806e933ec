import { expect, test } from 'vitest';
import { validateState } from '../../../../lib/spec/runtime/state.js';

const state = { ociVersion: '1.3.0', id: 'one', status: 'running', pid: 42, bundle: '/bundle' };

test('a state passes', () => {
  expect(validateState(state)).toEqual(state);
  expect(validateState({ ...state, status: 'stopped', pid: 0 })).toMatchObject({ status: 'stopped' });
});

test.each([
  [{ pid: undefined }, 'pid: required while running'],
  [{ pid: 0 }, 'pid: required while running'],
  [{ status: 'paused' }, 'status: expected one of creating, created, running, stopped, got "paused"'],
  [{ bundle: 'bundle' }, 'bundle: expected an absolute path, got "bundle"'],
  [{ id: '' }, 'id: expected a string that is not empty, got ""'],
])('%j is refused', (fields, message) => {
  expect(() => validateState({ ...state, ...fields })).toThrow(`state is not valid:\n${message}`);
});
