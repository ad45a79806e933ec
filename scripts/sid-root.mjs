// A root with the runtimes of Debian sid, newer than any release's, for the benches to compare with.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGES = 'crun,runc';
/** What a merged /usr has outside it; the package that makes these links is not among those that are extracted. */
const LINKS = ['bin', 'lib', 'lib64', 'sbin'];
const FOLDERS = ['dev', 'etc', 'proc', 'run', 'sys', 'tmp'];

/** Makes the root there unless there is one, and answers its path. Wants root's rights and `mmdebstrap`. */
export function makeSidRoot(folder) {
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  // A mirror in between may be of some days ago: the signatures hold, their dates need not.
  const options = [
    '--variant=extract',
    `--include=${PACKAGES}`,
    '--aptopt=Acquire::Check-Valid-Until "false"',
  ];
  execFileSync('mmdebstrap', [...options, 'sid', unfinished], { stdio: ['ignore', 'inherit', 'inherit'] });
  for (const name of FOLDERS) mkdirSync(join(unfinished, name), { recursive: true });
  for (const name of LINKS) link(unfinished, name);
  execFileSync('ldconfig', ['-r', unfinished]);
  renameSync(unfinished, folder);
  return folder;
}

function link(root, name) {
  mkdirSync(join(root, 'usr', name), { recursive: true });
  if (!existsSync(join(root, name))) symlinkSync(`usr/${name}`, join(root, name));
}
