import { describe, expect, test } from 'vitest';
import { parseIndex } from '../../../../lib/spec/image/index.js';
import { parseLayout } from '../../../../lib/spec/image/layout.js';
import { parseManifest } from '../../../../lib/spec/image/manifest.js';
import {
  isIndexType,
  isManifestType,
  layerCompression,
  MEDIA_TYPES,
} from '../../../../lib/spec/image/media-types.js';

const digest = `sha256:${'0f'.repeat(32)}`;
const config = { mediaType: MEDIA_TYPES.config, digest, size: 7 };
const layer = { mediaType: MEDIA_TYPES.layerGzip, digest, size: 42, annotations: { a: 'b' } };
const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers: [layer] };
const index = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.index,
  manifests: [
    {
      mediaType: MEDIA_TYPES.manifest,
      digest,
      size: 9,
      platform: { os: 'linux', architecture: 'arm', variant: 'v7', 'os.features': ['x'] },
    },
  ],
};

describe('manifests', () => {
  test('a manifest passes, OCI or Docker', () => {
    expect(parseManifest(JSON.stringify(manifest))).toEqual(manifest);
    expect(
      parseManifest(JSON.stringify({ ...manifest, mediaType: MEDIA_TYPES.dockerManifest })),
    ).toMatchObject({ config });
  });

  test.each<[object, string]>([
    [{ schemaVersion: 1 }, 'schemaVersion: expected a number from 2 to 2, got 1'],
    [{ mediaType: MEDIA_TYPES.index }, 'mediaType: expected one of'],
    [{ manifests: [] }, 'manifests: an image manifest cannot have manifests'],
    [{ layers: [] }, 'layers: expected at least one item, got none'],
    [{ config: { ...config, digest: 'sha256:../x' } }, 'config.digest: expected a digest'],
    [{ config: { ...config, size: -1 } }, 'config.size: expected a number from 0'],
    [{ config: { ...config, mediaType: 'text' } }, 'config.mediaType: expected a media type, got "text"'],
    [{ config: { ...config, data: 'AAAA' } }, 'config.data: holds 3 bytes, but size is 7'],
    [{ config: { ...config, data: '****' } }, 'config.data: expected base64'],
    [{ annotations: { a: 1 } }, 'annotations.a: expected a string, got a number'],
  ])('%j is refused', (fields, message) => {
    expect(() => parseManifest(JSON.stringify({ ...manifest, ...fields }))).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CONFIG', message: expect.stringContaining(message) }),
    );
  });

  test('content in the descriptor has to have its size', () => {
    const data = Buffer.from('1234567').toString('base64');
    expect(parseManifest(JSON.stringify({ ...manifest, config: { ...config, data } })).config.data).toBe(
      data,
    );
  });

  test('more than 4 MiB is refused', () => {
    expect(() => parseManifest(' '.repeat(4 * 1024 * 1024 + 1))).toThrow(/too large/);
  });
});

describe('indexes', () => {
  test('an index passes', () => {
    expect(parseIndex(JSON.stringify(index))).toEqual(index);
    expect(parseIndex('{"schemaVersion":2,"manifests":[]}').manifests).toEqual([]);
  });

  test.each<[object, string]>([
    [{ layers: [layer] }, 'layers: an image index cannot have layers'],
    [{ config }, 'config: an image index cannot have config'],
    [{ mediaType: MEDIA_TYPES.manifest }, 'mediaType: expected one of'],
    [
      { manifests: [{ ...index.manifests[0], platform: { os: 'linux' } }] },
      'manifests[0].platform.architecture: required',
    ],
  ])('%j is refused', (fields, message) => {
    expect(() => parseIndex(JSON.stringify({ ...index, ...fields }))).toThrow(message);
  });
});

test('a layout has its one version', () => {
  expect(parseLayout('{"imageLayoutVersion":"1.0.0"}')).toEqual({ imageLayoutVersion: '1.0.0' });
  expect(() => parseLayout('{"imageLayoutVersion":"2.0.0"}')).toThrow('oci-layout is not valid');
});

test('media types tell documents and compression', () => {
  expect(isIndexType(MEDIA_TYPES.dockerManifestList)).toBe(true);
  expect(isManifestType(MEDIA_TYPES.index)).toBe(false);
  expect(layerCompression(MEDIA_TYPES.layerZstd)).toBe('zstd');
  expect(layerCompression(MEDIA_TYPES.config)).toBeUndefined();
});
