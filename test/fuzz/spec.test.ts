import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NsboxError } from '../../lib/errors.js';
import { parseImageConfig } from '../../lib/spec/image/config.js';
import { parseIndex } from '../../lib/spec/image/index.js';
import { parseManifest } from '../../lib/spec/image/manifest.js';
import { checkConfig, parseConfig, stringifyConfig } from '../../lib/spec/runtime/config.js';
import { check } from '../../lib/spec/validate.js';
import { configs } from '../lib/spec/runtime/arbitraries.js';
import { fullConfig } from '../lib/spec/runtime/samples.js';

test.each([
  ['config.json', parseConfig],
  ['manifest', parseManifest],
  ['index', parseIndex],
  ['image configuration', parseImageConfig],
])('whatever text comes as a %s is read or refused, shortly', (_, parse) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof NsboxError)) throw error;
        expect(error.code).toBe('ERR_INVALID_CONFIG');
        expect(error.message.length).toBeLessThan(8000);
      }
    }),
    { numRuns: 1000 },
  );
});

test('what was checked reads back equal', () => {
  fc.assert(
    fc.property(configs, (config) => {
      const checked = check(checkConfig, config);
      if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
      expect(parseConfig(stringifyConfig(checked.value))).toEqual(checked.value);
    }),
    { numRuns: 300 },
  );
});

test('__proto__ anywhere in the text reaches neither the result nor Object.prototype', () => {
  const json = JSON.stringify(fullConfig());
  const braces = [...json.matchAll(/\{/g)].map(({ index }) => index + 1);
  for (const at of braces) {
    const separator = json[at] === '}' ? '' : ',';
    const attack = `${json.slice(0, at)}"__proto__":{"polluted":true}${separator}${json.slice(at)}`;
    const checked = check(checkConfig, JSON.parse(attack));
    if (checked.ok) expect(prototypesOf(checked.value)).toEqual(new Set([null, Array.prototype]));
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  }
});

test('a polluted Object.prototype brings nothing into a result', () => {
  Object.defineProperty(Object.prototype, 'hostname', {
    value: 'evil',
    configurable: true,
    enumerable: true,
  });
  // The test's own tools stumble over such a prototype, so it is gone before they look.
  const checked = check(checkConfig, { ociVersion: '1.3.0', root: { path: 'rootfs' } });
  const hostname = checked.ok ? checked.value.hostname : 'refused';
  Reflect.deleteProperty(Object.prototype, 'hostname');
  expect(hostname).toBeUndefined();
});

function prototypesOf(value: unknown): Set<unknown> {
  const found = new Set<unknown>();
  const visit = (item: unknown): void => {
    if (typeof item !== 'object' || item === null) return;
    found.add(Object.getPrototypeOf(item));
    for (const key of Object.keys(item)) visit(Reflect.get(item, key));
  };
  visit(value);
  return found;
}
