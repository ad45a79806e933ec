import { CAPABILITIES, type Capability } from '../spec/runtime/linux-names.js';

/** Docker's default set: enough for most images, and nothing that reaches out of a container. */
export const DEFAULT_CAPABILITIES: readonly Capability[] = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

/** The set as the kernel's bit mask: capability n is bit n. */
export function capabilityMask(names: readonly Capability[]): bigint {
  let mask = 0n;
  for (const name of names) mask |= 1n << BigInt(CAPABILITIES.indexOf(name));
  return mask;
}
