import { readFileSync } from 'node:fs';
import { NsboxError } from '../../errors.js';
import type { SandboxSecurity } from '../../sandbox/options.js';
import { readSeccomp } from './seccomp.js';

type Draft = { -readonly [K in keyof SandboxSecurity]: SandboxSecurity[K] };

/**
 * `--security-opt` in Docker's words, with `:` for `=` too, and podman's `mask` and `unmask`.
 *
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`, `ERR_INVALID_CONFIG`, `ERR_NOT_FOUND`
 */
export function readSecurity(
  entries: readonly string[],
  capAdd: readonly string[],
  capDrop: readonly string[],
): SandboxSecurity {
  const draft: Draft = {
    ...(capAdd.length > 0 && { capAdd }),
    ...(capDrop.length > 0 && { capDrop }),
  };
  for (const entry of entries) {
    const [, name = '', value] = /^([^=:]*)(?:[=:](.*))?$/s.exec(entry) ?? [];
    const known = OPTIONS.get(name);
    if (!known) throw invalid(entry, 'unknown option');
    known(draft, value, entry);
  }
  return draft;
}

const OPTIONS: ReadonlyMap<string, (draft: Draft, value: string | undefined, entry: string) => void> =
  new Map([
    [
      'seccomp',
      (draft, value, entry) => {
        if (!value) throw invalid(entry, 'it names no profile');
        if (value === 'unconfined') draft.seccomp = 'unconfined';
        else if (value === 'builtin' || value === 'default') draft.seccomp = 'default';
        else draft.seccomp = readSeccomp(readFile(value, entry), value, (name) => hasCapability(draft, name));
      },
    ],
    [
      'no-new-privileges',
      (draft, value = 'true', entry) => {
        if (value !== 'true' && value !== 'false') throw invalid(entry, 'expected true or false');
        draft.noNewPrivileges = value === 'true';
      },
    ],
    [
      'apparmor',
      (draft, value, entry) => {
        if (!value) throw invalid(entry, 'it names no profile');
        if (value !== 'unconfined') draft.apparmor = value;
      },
    ],
    [
      'mask',
      (draft, value, entry) => {
        const paths = value?.split(':') ?? [];
        if (paths.length === 0 || !paths.every((path) => path.startsWith('/')))
          throw invalid(entry, 'expected absolute paths, as mask=/proc/a:/proc/b');
        if (draft.maskedPaths === 'none') throw invalid(entry, 'it contradicts systempaths=unconfined');
        draft.maskedPaths = [...(draft.maskedPaths ?? []), ...paths];
      },
    ],
    [
      'unmask',
      (draft, value, entry) => {
        if (value !== 'ALL') throw invalid(entry, 'only unmask=ALL is known');
        unmask(draft, entry);
      },
    ],
    [
      'systempaths',
      (draft, value, entry) => {
        if (value !== 'unconfined') throw invalid(entry, 'only systempaths=unconfined is known');
        unmask(draft, entry);
      },
    ],
    [
      'label',
      (_, value, entry) => {
        if (value !== 'disable')
          throw invalid(entry, 'SELinux labels are not known here, but for label=disable');
      },
    ],
  ]);

const DEFAULT_CAPABILITIES: ReadonlySet<string> = new Set(
  (
    'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW ' +
    'SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'
  ).split(' '),
);

function hasCapability({ capAdd = [], capDrop = [] }: Draft, name: unknown): boolean {
  const short = (text: string) => text.toUpperCase().replace(/^CAP_/, '');
  const names = (list: readonly string[]) => list.map(short);
  const wanted = short(String(name));
  if (names(capAdd).includes(wanted)) return true;
  if (names(capDrop).includes(wanted)) return false;
  if (names(capAdd).includes('ALL')) return true;
  return !names(capDrop).includes('ALL') && DEFAULT_CAPABILITIES.has(wanted);
}

function unmask(draft: Draft, entry: string): void {
  if (draft.maskedPaths !== undefined && draft.maskedPaths !== 'none')
    throw invalid(entry, 'it contradicts mask');
  draft.maskedPaths = 'none';
}

function readFile(file: string, entry: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new NsboxError('ERR_NOT_FOUND', `--security-opt ${entry}: ${text}`, { cause });
  }
}

function invalid(entry: string, reason: string): NsboxError {
  return new NsboxError('ERR_INVALID_ARGUMENT', `--security-opt ${entry}: ${reason}`, {
    hint: 'known are seccomp, no-new-privileges, apparmor, mask, unmask, systempaths and label=disable',
  });
}
