import { MEDIA_TYPES } from '../../../../lib/spec/image/media-types.js';

const digest = `sha256:${'0f'.repeat(32)}`;

function descriptor(mediaType: string): Record<string, unknown> {
  return {
    mediaType,
    digest,
    size: 4,
    urls: ['https://example.org/blob'],
    annotations: { key: 'value' },
    data: 'AAAAAA==',
    artifactType: 'application/vnd.example+json',
  };
}

/** An image manifest with every field. */
export function fullManifest(): Record<string, unknown> {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    artifactType: 'application/vnd.example+json',
    config: descriptor(MEDIA_TYPES.config),
    layers: [descriptor(MEDIA_TYPES.layerGzip), descriptor(MEDIA_TYPES.layerZstd)],
    subject: descriptor(MEDIA_TYPES.manifest),
    annotations: { key: 'value' },
  };
}

/** An image index with every field. */
export function fullIndex(): Record<string, unknown> {
  const platform = {
    architecture: 'arm',
    os: 'linux',
    'os.version': '6',
    'os.features': ['x'],
    variant: 'v7',
  };
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    artifactType: 'application/vnd.example+json',
    manifests: [
      { mediaType: MEDIA_TYPES.manifest, digest, size: 7, annotations: { key: 'value' }, platform },
    ],
    subject: descriptor(MEDIA_TYPES.manifest),
    annotations: { key: 'value' },
  };
}

/** An image's configuration with every field. */
export function fullImageConfig(): Record<string, unknown> {
  return {
    created: '2026-01-02T03:04:05.678Z',
    author: 'someone',
    architecture: 'arm',
    variant: 'v7',
    os: 'linux',
    'os.version': '6',
    'os.features': ['x'],
    config: {
      User: '1000:1000',
      ExposedPorts: { '80/tcp': {} },
      Env: ['PATH=/usr/bin'],
      Entrypoint: ['/entry'],
      Cmd: ['run'],
      Volumes: { '/data': {} },
      WorkingDir: '/app',
      Labels: { key: 'value' },
      StopSignal: 'SIGTERM',
      ArgsEscaped: false,
      Healthcheck: {
        Test: ['CMD', 'true'],
        Interval: 1,
        Timeout: 1,
        StartPeriod: 1,
        StartInterval: 1,
        Retries: 1,
      },
      OnBuild: ['RUN true'],
      Shell: ['/bin/sh', '-c'],
      StopTimeout: 10,
    },
    rootfs: { type: 'layers', diff_ids: [digest] },
    history: [
      {
        created: '2026-01-02T03:04:05+01:00',
        author: 'someone',
        created_by: 'RUN',
        comment: 'why',
        empty_layer: true,
      },
    ],
  };
}
