import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const FOLDERS = ['bin', 'dev', 'etc', 'home/app', 'proc', 'root', 'sys', 'tmp', 'var'];
const PASSWD = 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n';
const GROUP = 'root:x:0:\napp:x:1000:\nextra:x:2000:app\n';

/** Packs a root that every client can import: busybox, two users, and what looks up names over DNS. */
export function makeRootArchive(archive: string): void {
  const root = mkdtempSync(join(tmpdir(), 'interop-root-'));
  try {
    for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true });
    chmodSync(join(root, 'tmp'), 0o1777);
    writeFileSync(join(root, 'etc/passwd'), PASSWD);
    writeFileSync(join(root, 'etc/group'), GROUP);
    addBusybox(root);
    addWithLibraries(root, '/usr/bin/getent');
    execFileSync('tar', ['--numeric-owner', '-C', root, '-cf', archive, '.']);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function addBusybox(root: string): void {
  copyFileSync('/usr/bin/busybox', join(root, 'bin/busybox'));
  const names = execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const name of names) if (name !== 'busybox') symlinkSync('busybox', join(root, 'bin', name));
}

// busybox-static cannot ask a name server: its C library would load another.
function addWithLibraries(root: string, program: string): void {
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+(?= \()/g) ?? [];
  for (const file of [program, ...libraries]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(file, join(root, file));
  }
}
