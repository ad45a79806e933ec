import { NsboxError } from '../../errors.js';
import type { SandboxMount } from '../../sandbox/options.js';
import type { MountRequest, TmpfsMountRequest } from '../../spec/mount.js';
import { parseMountFlag } from '../../spec/mount-flag.js';
import { parseVolumeFlag } from '../../spec/volume-flag.js';
import { parseSize } from '../../util/units.js';

/** `--volume`: see {@link parseVolumeFlag}. */
export function readVolume(value: string): SandboxMount {
  return inSandbox(parseVolumeFlag(value), `--volume ${value}`);
}

/** `--mount`: see {@link parseMountFlag}. */
export function readMount(value: string): SandboxMount {
  return inSandbox(parseMountFlag(value), `--mount ${value}`);
}

// A sandbox has the files of this machine and nothing else to show.
function inSandbox(mount: MountRequest, shown: string): SandboxMount {
  switch (mount.type) {
    case 'bind': {
      // Docker makes a missing source; here it is more likely a slip, and an error. Labels of SELinux are left alone.
      const { createSource: _, relabel: __, ...rest } = mount;
      return rest;
    }
    case 'tmpfs':
      return mount;
    case 'volume':
    case 'image':
      throw new NsboxError('ERR_INVALID_ARGUMENT', `${shown}: a sandbox has no ${mount.type}s`, {
        hint: 'name a directory of this machine: -v ./data:/data',
      });
    default:
      return mount satisfies never;
  }
}

/**
 * `--tmpfs /cache:size=64m,mode=1777,ro`, as Docker does: what is neither size, mode nor ro goes to the file system.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function readTmpfs(value: string): TmpfsMountRequest {
  const colon = value.indexOf(':');
  const target = colon < 0 ? value : value.slice(0, colon);
  if (!target.startsWith('/'))
    throw new NsboxError('ERR_INVALID_ARGUMENT', `--tmpfs ${value}: its target is not an absolute path`, {
      hint: 'write it as /cache, or /cache:size=64m',
    });
  const options =
    colon < 0
      ? []
      : value
          .slice(colon + 1)
          .split(',')
          .filter(Boolean);
  const lastOf = (name: string) =>
    options.findLast((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
  const size = lastOf('size');
  const mode = lastOf('mode');
  if (mode !== undefined && !/^[0-7]{1,5}$/.test(mode))
    throw new NsboxError(
      'ERR_INVALID_ARGUMENT',
      `--tmpfs ${value}: the mode ${JSON.stringify(mode)} is not octal`,
    );
  const further = options.filter((option) => !/^(size|mode)=|^(ro|rw)$/.test(option));
  return {
    type: 'tmpfs',
    target,
    ...(size !== undefined && { size: parseSize(size, `--tmpfs ${target}: size`) }),
    ...(mode !== undefined && { mode: Number.parseInt(mode, 8) }),
    ...(options.findLast((option) => /^r[ow]$/.test(option)) === 'ro' && { readOnly: true }),
    ...(further.length > 0 && { options: further }),
  };
}
