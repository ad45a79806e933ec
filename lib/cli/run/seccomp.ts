import { NsboxError } from '../../errors.js';
import { checkSeccomp, type LinuxSeccomp } from '../../spec/runtime/seccomp.js';
import { isObject, validate } from '../../spec/validate.js';

/**
 * Reads a seccomp profile: OCI's `linux.seccomp`, or Docker's own format, whose rules may depend on the architecture
 * and on what the command may do.
 *
 * @param hasCapability - whether the command will have it, by its name
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function readSeccomp(json: string, file: string, hasCapability: HasCapability): LinuxSeccomp {
  return validate(checkSeccomp, fromDocker(parseJson(json, file), hasCapability), file);
}

export type HasCapability = (name: unknown) => boolean;

function parseJson(json: string, file: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new NsboxError('ERR_INVALID_CONFIG', `${file}: ${text}`, { cause });
  }
}

// https://github.com/moby/profiles: `archMap` in place of `architectures`, `includes` and `excludes` on rules, and one
// `name` where the specification has `names`.
function fromDocker(profile: unknown, has: HasCapability): unknown {
  if (!isObject(profile)) return profile;
  const { archMap, syscalls, ...rest } = profile;
  return {
    ...rest,
    ...(Array.isArray(archMap) && { architectures: architecturesOf(archMap) }),
    ...(syscalls !== undefined && {
      syscalls: Array.isArray(syscalls)
        ? syscalls.filter((rule) => applies(rule, has)).map(withoutConditions)
        : syscalls,
    }),
  };
}

const ARCHITECTURES: Readonly<Record<string, readonly [oci: string, docker: string]>> = {
  x64: ['SCMP_ARCH_X86_64', 'amd64'],
  arm64: ['SCMP_ARCH_AARCH64', 'arm64'],
};

function architecturesOf(map: readonly unknown[]): unknown {
  const own = ARCHITECTURES[process.arch]?.[0];
  const entry = map.find((one) => isObject(one) && one.architecture === own);
  if (!isObject(entry)) return [own];
  return [own, ...(Array.isArray(entry.subArchitectures) ? entry.subArchitectures : [])];
}

function applies(rule: unknown, has: HasCapability): boolean {
  if (!isObject(rule)) return true;
  const { includes, excludes } = rule;
  if (isObject(includes) && !(isOurs(includes.arches, true) && listOf(includes.caps).every(has)))
    return false;
  return !(isObject(excludes) && (isOurs(excludes.arches, false) || listOf(excludes.caps).some(has)));
}

function isOurs(architectures: unknown, otherwise: boolean): boolean {
  const list = listOf(architectures);
  return list.length === 0 ? otherwise : list.includes(ARCHITECTURES[process.arch]?.[1]);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function withoutConditions(rule: unknown): unknown {
  if (!isObject(rule)) return rule;
  const { includes: _, excludes: __, comment: ___, name, names, args, errno: ____, ...rest } = rule;
  return {
    ...rest,
    names: names ?? (name === undefined ? undefined : [name]),
    ...(Array.isArray(args) && { args }),
  };
}
