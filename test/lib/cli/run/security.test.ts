import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSeccomp } from '../../../../lib/cli/run/seccomp.js';
import { readSecurity } from '../../../../lib/cli/run/security.js';
import { TemporaryDirectory } from '../../../support/temporary.js';

const read = (...entries: string[]) => readSecurity(entries, [], []);

describe('--security-opt', () => {
  test.each([
    [['seccomp=unconfined'], { seccomp: 'unconfined' }],
    [['seccomp:unconfined'], { seccomp: 'unconfined' }],
    [['seccomp=builtin'], { seccomp: 'default' }],
    [['no-new-privileges'], { noNewPrivileges: true }],
    [['no-new-privileges=false'], { noNewPrivileges: false }],
    [['no-new-privileges:true'], { noNewPrivileges: true }],
    [['apparmor=mine'], { apparmor: 'mine' }],
    [['apparmor=unconfined'], {}],
    [['mask=/a:/b', 'mask=/c'], { maskedPaths: ['/a', '/b', '/c'] }],
    [['systempaths=unconfined'], { maskedPaths: 'none' }],
    [['unmask=ALL'], { maskedPaths: 'none' }],
    [['label=disable'], {}],
  ])('%j', (entries, security) => {
    expect(read(...entries)).toEqual(security);
  });

  test.each([
    ['sekkomp=unconfined'],
    ['seccomp'],
    ['seccomp='],
    ['no-new-privileges=perhaps'],
    ['apparmor'],
    ['mask=relative'],
    ['mask'],
    ['unmask=/proc'],
    ['systempaths=x'],
    ['label=user:x'],
    ['mask=/a', 'unmask=ALL'],
    ['unmask=ALL', 'mask=/a'],
    [''],
  ])('%j is refused', (...entries) => {
    expect(() => read(...entries)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
  });

  test('a profile comes from its file', async () => {
    await using folder = new TemporaryDirectory();
    writeFileSync(folder.join('p.json'), '{"defaultAction":"SCMP_ACT_ALLOW"}');
    expect(read(`seccomp=${folder.join('p.json')}`)).toEqual({
      seccomp: { defaultAction: 'SCMP_ACT_ALLOW' },
    });
    expect(() => read('seccomp=/nonexistent')).toThrow('ENOENT');
  });
});

describe("Docker's profiles", () => {
  const rule = (name: string, conditions: object) => ({
    names: [name],
    action: 'SCMP_ACT_ALLOW',
    ...conditions,
  });
  const ours = process.arch === 'x64' ? 'amd64' : 'arm64';
  const profile = JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
    ],
    syscalls: [
      rule('read', { args: null, comment: '', includes: {}, excludes: {} }),
      rule('ours', { includes: { arches: [ours] } }),
      rule('theirs', { includes: { arches: ['s390'] } }),
      rule('not-ours', { excludes: { arches: [ours] } }),
      rule('admin', { includes: { caps: ['CAP_SYS_ADMIN'] } }),
      rule('no-admin', { excludes: { caps: ['CAP_SYS_ADMIN'] } }),
      rule('chroot', { includes: { caps: ['CAP_SYS_CHROOT'] } }),
      { name: 'old-style', action: 'SCMP_ACT_ALLOW', args: [] },
    ],
  });
  const names = (has: (name: unknown) => boolean) =>
    readSeccomp(profile, 'p.json', has).syscalls?.flatMap((one) => one.names);

  test('rules that depend on capabilities follow those of the command', () => {
    expect(names((name) => name === 'CAP_SYS_CHROOT')).toEqual([
      'read',
      'ours',
      'no-admin',
      'chroot',
      'old-style',
    ]);
    expect(names((name) => name === 'CAP_SYS_ADMIN')).toEqual(['read', 'ours', 'admin', 'old-style']);
  });

  test('the architectures are those of this machine', () => {
    const { architectures } = readSeccomp(profile, 'p.json', () => false);
    expect(architectures).toEqual(
      process.arch === 'x64' ? ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'] : ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
    );
  });

  test('a wrong one says where', () => {
    expect(() => readSeccomp('{"defaultAction":"X"}', 'p.json', () => false)).toThrow('defaultAction');
    expect(() => readSeccomp('{', 'p.json', () => false)).toThrow(/^p\.json: /);
  });
});
