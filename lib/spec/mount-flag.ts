import { parseSize } from '../util/units.js';
import type {
  BindMountRequest,
  ImageMountRequest,
  MountRequest,
  TmpfsMountRequest,
  VolumeMountRequest,
} from './mount.js';
import { Fields } from './mount-flag-fields.js';
import {
  CONSISTENCIES,
  checkTarget,
  HOST_PATH,
  invalid,
  isPropagation,
  PROPAGATIONS,
  type Refuse,
  VOLUME_NAME,
} from './mount-names.js';
import { quote } from './validate.js';

/**
 * Reads a mount as `docker run --mount` does: `type=bind,source=/src,target=/app,readonly`, a list of
 * comma-separated values in which a field with commas is quoted.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function parseMountFlag(value: string): MountRequest {
  const refuse: Refuse = (reason) =>
    invalid('mount', value, reason, 'type=bind,source=/src,target=/app,readonly');
  const fields = new Fields(value, refuse);
  const type = fields.take('type') ?? 'volume';
  const target = fields.need('target', 'destination', 'dst');
  const base = {
    target: checkTarget(target, refuse),
    ...optional('readOnly', fields.flag('readonly', 'ro')),
  };
  fields.oneOf('consistency', CONSISTENCIES);
  const request = ofType(type, base, fields, refuse);
  fields.refuseRest(type);
  return request;
}

type Base = Pick<BindMountRequest, 'target' | 'readOnly'>;

function ofType(type: string, base: Base, fields: Fields, refuse: Refuse): MountRequest {
  switch (type) {
    case 'bind':
      return bindMount(base, fields, refuse);
    case 'volume':
      return volumeMount(base, fields, refuse);
    case 'tmpfs':
      return tmpfsMount(base, fields, refuse);
    case 'image':
      return imageMount(base, fields);
    default:
      throw refuse(`unknown type ${quote(type)}; there are bind, volume, tmpfs and image`);
  }
}

function bindMount(base: Base, fields: Fields, refuse: Refuse): BindMountRequest {
  const source = fields.need('source', 'src');
  if (!HOST_PATH.test(source)) throw refuse(`its source ${quote(source)} is not an absolute path`);
  const nonRecursive = fields.flag('bind-nonrecursive');
  const recursive = fields.oneOf('bind-recursive', ['enabled', 'disabled', 'writable', 'readonly'] as const);
  const propagation = fields.oneOf('bind-propagation', PROPAGATIONS);
  if (recursive === 'readonly' && base.readOnly !== true)
    throw refuse('bind-recursive=readonly needs readonly');
  return {
    type: 'bind',
    source,
    ...base,
    ...optional(
      'propagation',
      propagation !== undefined && isPropagation(propagation) ? propagation : undefined,
    ),
    ...optional('recursive', recursive ?? (nonRecursive === true ? 'disabled' : undefined)),
    ...optional('createSource', fields.flag('bind-create-src')),
    ...optional('relabel', fields.oneOf('relabel', ['shared', 'private'] as const)),
  };
}

function volumeMount(base: Base, fields: Fields, refuse: Refuse): VolumeMountRequest {
  const source = fields.take('source', 'src');
  if (source !== undefined && !VOLUME_NAME.test(source))
    throw refuse(`its source ${quote(source)} is not the name of a volume; for a path use type=bind`);
  return {
    type: 'volume',
    ...optional('source', source),
    ...base,
    ...optional('noCopy', fields.flag('volume-nocopy')),
    ...optional('subpath', fields.subpath('volume-subpath')),
    ...optional('driver', fields.take('volume-driver')),
    ...optional('driverOptions', fields.pairs('volume-opt')),
    ...optional('labels', fields.pairs('volume-label')),
  };
}

function tmpfsMount(base: Base, fields: Fields, refuse: Refuse): TmpfsMountRequest {
  if (fields.take('source', 'src') !== undefined) throw refuse('a tmpfs has no source');
  const size = fields.take('tmpfs-size');
  const mode = fields.take('tmpfs-mode');
  if (mode !== undefined && !/^[0-7]{1,5}$/.test(mode))
    throw refuse(`tmpfs-mode ${quote(mode)} is not octal`);
  return {
    type: 'tmpfs',
    ...base,
    ...optional('size', size === undefined ? undefined : parseSize(size, 'tmpfs-size')),
    ...optional('mode', mode === undefined ? undefined : Number.parseInt(mode, 8)),
  };
}

function imageMount(base: Base, fields: Fields): ImageMountRequest {
  const source = fields.need('source', 'src');
  return { type: 'image', source, ...base, ...optional('subpath', fields.subpath('image-subpath')) };
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  const result: { [P in K]?: V } = {};
  if (value !== undefined) result[key] = value;
  return result;
}
