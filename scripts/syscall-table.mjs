#!/usr/bin/env node
// Writes native/core/security/syscall_table.inc: which number a system call has on which architecture.
//
//   node scripts/syscall-table.mjs <uapi> [<syscalls.csv>]
//
// <uapi> is a kernel's exported headers of all architectures (Debian: /usr/lib/linux/uapi of linux-libc-dev); they
// say what is. <syscalls.csv> is libseccomp's table, of use for names that the headers have dropped.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [uapi, csv] = process.argv.slice(2);
if (!uapi) throw new Error('usage: syscall-table.mjs <uapi headers> [<syscalls.csv>]');

// In the order of `enum class Architecture`: the header that lists the numbers, and libseccomp's column.
const architectures = [
  { header: 'x86/asm/unistd_64.h', column: 'x86_64' },
  { header: 'x86/asm/unistd_32.h', column: 'x86' },
  { header: 'x86/asm/unistd_x32.h', column: 'x32' },
  { header: 'arm/asm/unistd-eabi.h', column: 'arm' },
  { header: 'arm64/asm/unistd_64.h', column: 'aarch64' },
  { header: 'riscv/asm/unistd_64.h', column: 'riscv64' },
  { header: 's390/asm/unistd_64.h', column: 's390x' },
  { header: 'powerpc/asm/unistd_64.h', column: 'ppc64' },
];
const armPrivate = { breakpoint: 1, cacheflush: 2, usr26: 3, usr32: 4, set_tls: 5, get_tls: 6 };
const armPrivateSlot = 1008; // kArmPrivateSlot in syscall_table.cc
const absent = '_';

const rows = new Map();
const columns = csv ? readCsv(csv) : new Map();
architectures.forEach(({ header, column }, index) => {
  const numbers = readHeader(join(uapi, header));
  if (column === 'arm') numbers.set('sync_file_range2', numbers.get('arm_sync_file_range'));
  for (const [name, number] of numbers) put(name, index, number);
  for (const [name, number] of columns.get(column) ?? []) {
    if (numbers.has(name)) {
      if (numbers.get(name) !== number) {
        console.error(`${column} ${name}: ${numbers.get(name)} in the headers, ${number} in libseccomp`);
      }
    } else if (number < armPrivateSlot) {
      console.error(`${column} ${name} ${number}: from libseccomp alone`);
      put(name, index, number);
    }
  }
  if (column === 'arm')
    for (const [name, k] of Object.entries(armPrivate)) put(name, index, armPrivateSlot + k);
});

const names = [...rows.keys()].sort((a, b) => (a < b ? -1 : 1)); // By bytes: it is searched.
const lines = names.map((name) => `SYSCALL(${[name, ...rows.get(name)].join(', ')})`);
writeFileSync(
  join(root, 'native/core/security/syscall_table.inc'),
  `${[
    '// Made by scripts/syscall-table.mjs. A row: the name, then its number on',
    `// ${architectures.map(({ column }) => column).join(', ')}; _ where there is none.`,
    `// Numbers from ${armPrivateSlot} up are ARM's private calls (0xf0000 and up).`,
    ...lines,
  ].join('\n')}\n`,
);
console.error(`${lines.length} system calls`);

function put(name, index, number) {
  if (number >= armPrivateSlot && !(name in armPrivate))
    throw new Error(`${name}: number ${number} is too large`);
  if (!rows.has(name))
    rows.set(
      name,
      architectures.map(() => absent),
    );
  rows.get(name)[index] = number;
}

// "#define __NR_read 0", "#define __NR_read (__X32_SYSCALL_BIT + 0)".
function readHeader(path) {
  const found = new Map();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const match = /^#define\s+__NR_(\w+)\s+(?:\(\s*\w+\s*\+\s*)?(\d+)\)?\s*$/.exec(line);
    if (match && match[1] !== 'syscalls') found.set(match[1], Number(match[2]));
  }
  return found;
}

function readCsv(path) {
  const [head, ...body] = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return new Map(
    head.slice(1).map((column, index) => [
      column,
      body
        .map((cells) => [cells[0], cells[index + 1]])
        .filter(([, number]) => /^\d+$/.test(number))
        .map(([name, number]) => [name, Number(number)]),
    ]),
  );
}
