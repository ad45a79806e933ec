// One run of QEMU: what the machine consists of, and how the host talks to the agent inside.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export const QEMU = 'qemu-system-x86_64';

// No AVX: what an emulated processor does not have, programs do not use, and emulated AVX is slower than none.
const CPU = 'qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt';

// Saved memory can only be loaded into the same machine, so this list is part of the image's recipe.
export const HARDWARE = [
  ...['-nodefaults', '-no-user-config', '-machine', 'pc', '-cpu', CPU, '-smp', '2', '-m', '2G'],
  ...['-accel', 'tcg,thread=multi', '-display', 'none', '-no-reboot'],
  ...['-global', 'migration.store-global-state=off'], // Saved while stopped, it shall come back running.
  ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=agent,name=agent'],
];

const KERNEL_OPTIONS = [
  'console=ttyS0 quiet panic=-1 nowatchdog rcupdate.rcu_cpu_stall_suppress=1',
  'mitigations=off init_on_alloc=0 tsc=reliable clocksource=tsc', // For speed.
  'systemd.unified_cgroup_hierarchy=1 systemd.getty_auto=no apparmor=1 security=apparmor',
].join(' ');

/** Arguments that start the machine from its kernel. */
export function fromKernel({ kernel, initrd }) {
  return ['-kernel', kernel, '-initrd', initrd, '-append', KERNEL_OPTIONS];
}

/** Arguments that go on where `save` stopped. */
export function fromState(state) {
  return ['-incoming', `exec:cat ${shellQuote(state)}`];
}

/** A running machine. Whoever starts it kills it. */
export class Machine {
  #process;
  #agent;

  constructor({ start, disks, console }) {
    const args = [
      ...HARDWARE,
      ...['-chardev', 'socket,id=agent,fd=3', '-serial', `file:${console}`, '-monitor', 'stdio'],
      ...disks.flatMap(({ file, discard }) => ['-drive', drive(file, discard)]),
      ...start,
    ];
    // However this process ends, the machine ends with it. The fourth descriptor is a socket pair of Node's: the agent's end of the wire.
    this.#process = spawn('setpriv', ['--pdeathsig', 'KILL', QEMU, ...args], {
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    });
    this.#agent = this.#process.stdio[3];
    this.#process.stdout.resume();
    this.#agent.setEncoding('utf8');
    this.exited = once(this.#process, 'exit');
  }

  /** What the guest says, line by line, until it is gone. */
  async *lines() {
    let rest = '';
    try {
      // Who stops reading does not mean to hang up.
      for await (const chunk of this.#agent.iterator({ destroyOnReturn: false })) {
        const lines = (rest + chunk).split(/\r?\n/);
        rest = lines.pop();
        yield* lines;
      }
    } catch (error) {
      if (error.code !== 'ECONNRESET') throw error; // Killed: its end of the wire is gone too.
    }
    if (rest !== '') yield rest;
  }

  say(line) {
    this.#agent.write(`${line}\n`);
  }

  /** Writes memory and devices to a file, and ends the machine. */
  async save(file) {
    // Stopped first, so that memory stands still while it is written.
    this.#process.stdin.write(`stop\nmigrate "exec:cat > ${shellQuote(file)}"\ninfo migrate\nquit\n`);
    const answer = await text(this.#process.stdout);
    if (!answer.includes('Migration status: completed')) throw new Error(`${QEMU} did not save: ${answer}`);
    await this.exited;
  }

  async kill() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGKILL');
    await this.exited;
  }
}

function drive(file, discard) {
  return `file=${file.replaceAll(',', ',,')},format=raw,if=virtio,cache=unsafe,snapshot=${discard ? 'on' : 'off'}`;
}

function shellQuote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
