import { NsboxError } from '../errors.js';
import { type ImageConfig, parseImageConfig } from '../spec/image/config.js';
import type { Descriptor } from '../spec/image/descriptor.js';
import type { ImageManifest } from '../spec/image/manifest.js';
import { formatPlatform, type Platform, selectPlatform } from '../spec/platform.js';

/** A configuration is a document. */
const LARGEST = 4 * 1024 * 1024;

/** Refuses what a manifest calls a configuration and is none of an image. */
export function checkConfigDescriptor(name: string, { size, mediaType }: Descriptor): void {
  if (size > LARGEST)
    throw new NsboxError('ERR_INVALID_CONFIG', `${name}: its configuration has ${size} bytes`);
  if (/\.(?:container\.image|image\.config)\.v1\+json$/.test(mediaType)) return;
  throw new NsboxError('ERR_INVALID_CONFIG', `${name} is no image, but ${mediaType}`, {
    hint: 'it is an artifact of another kind, which cannot be run',
  });
}

/**
 * Reads an image's configuration, which must be of this manifest.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function readConfig(name: string, json: string, { layers }: ImageManifest): ImageConfig {
  const config = parseImageConfig(json, `configuration of ${name}`);
  const { length } = config.rootfs.diff_ids;
  if (length === layers.length) return config;
  throw new NsboxError(
    'ERR_INVALID_CONFIG',
    `${name}: its manifest has ${layers.length} layers, its configuration ${length}`,
  );
}

/** Refuses another machine's image. An index has been chosen from; without one it is only known by the configuration. */
export function checkSystem(name: string, { os, architecture }: ImageConfig, wanted: Platform): void {
  // Old and minimal images do not tell.
  const isMeant = os === '' || architecture === '';
  const offered = { platform: { os, architecture } };
  const asked = { os: wanted.os, architecture: wanted.architecture };
  if (isMeant || selectPlatform([offered], asked) !== undefined) return;
  throw new NsboxError('ERR_INVALID_CONFIG', `${name} is for ${formatPlatform(offered.platform)}`, {
    hint: `it cannot run on ${formatPlatform(asked)}; to have it all the same, ask for its platform`,
  });
}
