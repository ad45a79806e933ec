// The machine's image: made once, kept under build/vm, and made anew when its recipe changes.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT_SIZE } from './checkout.mjs';
import { fromKernel, HARDWARE, Machine, QEMU } from './machine.mjs';
import { makeScratch } from './scratch.mjs';

const SUITE = 'bookworm';
const MIRROR = process.env.NSBOX_VM_MIRROR ?? 'http://deb.debian.org/debian';
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'dbus', 'dbus-user-session', 'libpam-systemd', 'apparmor', 'kmod', 'uidmap'],
  ...['passwd', 'procps', 'iproute2', 'nftables', 'busybox-static', 'python3-minimal', 'libstdc++6'],
];
const BOOT_LIMIT = 180_000;
const here = import.meta.dirname;

/** The image for this recipe: `{ folder, fresh }`. */
export async function prepareImage(cache) {
  const folder = join(cache, `image-${recipeHash()}`);
  if (existsSync(folder)) return { folder, fresh: false };
  const work = makeScratch(cache, 'making');
  try {
    buildFiles(work);
    await boot(work);
    removeOldImages(cache);
    renameSync(work, folder); // Only a complete image ever has the name that is looked for.
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return { folder, fresh: true };
}

function recipeHash() {
  const version = execFileSync(QEMU, ['--version'], { encoding: 'utf8' });
  const inImage = ['initrd.sh', 'customize.sh', 'agent.sh', 'agent.service'].map((name) => `guest/${name}`);
  const scripts = ['build-image.sh', 'image.mjs', 'machine.mjs', ...inImage];
  // The host's processor too: the saved machine has measured the speed of its clock.
  const numbers = [version, cpus()[0]?.model, HARDWARE, SUITE, PACKAGES, CHECKOUT_SIZE];
  const hash = createHash('sha256').update(JSON.stringify(numbers));
  for (const name of scripts) hash.update(readFileSync(join(here, name)));
  return hash.digest('hex').slice(0, 16);
}

function buildFiles(work) {
  const args = [join(here, 'build-image.sh'), work, SUITE, MIRROR, PACKAGES.join()];
  const made = spawnSync('sh', args, { stdio: 'inherit' });
  if (made.status !== 0) throw new Error('the image could not be built (see above)');
}

// Boots up to the point where the agent waits for work, and keeps the memory: a run begins there.
async function boot(work) {
  const blank = join(work, 'blank');
  writeFileSync(blank, '');
  truncateSync(blank, CHECKOUT_SIZE);
  const machine = new Machine({
    start: fromKernel({ kernel: join(work, 'kernel'), initrd: join(work, 'initrd') }),
    disks: [{ file: join(work, 'root.ext4') }, { file: blank }],
    console: join(work, 'console.log'),
  });
  const timer = setTimeout(() => machine.kill(), BOOT_LIMIT);
  try {
    await untilReady(machine, work);
    await machine.save(join(work, 'memory'));
  } finally {
    clearTimeout(timer);
    await machine.kill();
  }
  for (const name of ['blank', 'kernel', 'initrd']) rmSync(join(work, name));
}

async function untilReady(machine, work) {
  for await (const line of machine.lines()) if (line === '@vm ready') return;
  process.stderr.write(readFileSync(join(work, 'console.log')));
  throw new Error('the machine did not boot (its console is above)');
}

function removeOldImages(cache) {
  const old = readdirSync(cache).filter((name) => name.startsWith('image-'));
  for (const name of old) rmSync(join(cache, name), { recursive: true, force: true });
}
