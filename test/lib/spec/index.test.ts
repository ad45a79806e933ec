import { expect, test } from 'vitest';
import * as spec from '../../../lib/spec/index.js';

test('the public entry has the documents and the names', () => {
  for (const name of [
    'validateConfig',
    'validateProcess',
    'validateResources',
    'validateState',
    'validateFeatures',
    'parseManifest',
    'parseIndex',
    'parseImageConfig',
    'parseLayout',
    'parseReference',
    'parseDigest',
    'parsePlatform',
    'parseMountFlag',
    'parseVolumeFlag',
    'parseMountOptions',
    'signalNumber',
  ])
    expect(Reflect.get(spec, name), name).toBeTypeOf('function');
});
