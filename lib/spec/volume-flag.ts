import type { BindMountRequest, MountRequest, Propagation, VolumeMountRequest } from './mount.js';
import {
  CONSISTENCIES,
  checkTarget,
  HOST_PATH,
  invalid,
  isPropagation,
  type Refuse,
  VOLUME_NAME,
} from './mount-names.js';
import { quote } from './validate.js';

/**
 * Reads a volume as `docker run -v` does: `source:target:options`, where a source that begins with
 * `/`, `./`, `../` or `~` is a path of the host and any other the name of a volume.
 *
 * @example parseVolumeFlag('/src:/app:ro') // { type: 'bind', source: '/src', target: '/app', readOnly: true, … }
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function parseVolumeFlag(value: string): MountRequest {
  const refuse: Refuse = (reason) => invalid('volume', value, reason, 'source:target, or source:target:ro');
  const parts = value.split(':');
  if (parts.length > 3) throw refuse('it has too many colons; use --mount for paths with colons');
  if (parts.some((part) => part === '')) throw refuse('a part of it is empty');
  const [first = '', second, list = ''] = parts;
  const target = checkTarget(second ?? first, refuse);
  if (second === undefined) return { type: 'volume', target };
  const options = readVolumeOptions(list === '' ? [] : list.split(','), refuse);
  return HOST_PATH.test(first)
    ? hostVolume(first, target, options, refuse)
    : namedVolume(first, target, options, refuse);
}

interface VolumeOptions {
  readOnly?: boolean;
  relabel?: 'shared' | 'private';
  propagation?: Propagation;
  noCopy?: boolean;
}

function readVolumeOptions(options: readonly string[], refuse: Refuse): VolumeOptions {
  const read: VolumeOptions = {};
  for (const option of options) {
    const [key, value] = volumeOption(option) ?? [];
    if (key === undefined) throw refuse(`unknown option ${quote(option)}`);
    if (key !== 'consistency' && read[key] !== undefined)
      throw refuse(`option ${quote(option)} says something a second time`);
    Object.assign(read, key === 'consistency' ? {} : { [key]: value });
  }
  return read;
}

function volumeOption(option: string): readonly [keyof VolumeOptions | 'consistency', unknown] | undefined {
  if (option === 'ro' || option === 'rw') return ['readOnly', option === 'ro'];
  if (option === 'z' || option === 'Z') return ['relabel', option === 'z' ? 'shared' : 'private'];
  if (option === 'nocopy') return ['noCopy', true];
  if (isPropagation(option)) return ['propagation', option];
  if (CONSISTENCIES.includes(option)) return ['consistency', option];
  return undefined;
}

function hostVolume(
  source: string,
  target: string,
  options: VolumeOptions,
  refuse: Refuse,
): BindMountRequest {
  const { noCopy, ...rest } = options;
  if (noCopy !== undefined) throw refuse('nocopy is for named volumes, not for paths of the host');
  return { type: 'bind', source, target, createSource: true, ...rest };
}

function namedVolume(
  source: string,
  target: string,
  options: VolumeOptions,
  refuse: Refuse,
): VolumeMountRequest {
  const { propagation, ...rest } = options;
  if (propagation !== undefined)
    throw refuse(`${propagation} is for paths of the host, not for named volumes`);
  if (!VOLUME_NAME.test(source))
    throw refuse(`${quote(source)} is neither an absolute path nor the name of a volume`);
  return { type: 'volume', source, target, ...rest };
}
