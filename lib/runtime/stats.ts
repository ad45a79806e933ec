import type { NativeStats } from '../native/contract.js';

/** What a container uses. Absent: this kernel does not count it, or the container has no group with such a controller. */
export interface ContainerStats {
  readonly memory: {
    /** Bytes, files that it wrote and caches included. */
    readonly current?: number;
    readonly peak?: number;
    readonly limit?: number;
    readonly swap?: number;
    readonly oomKills?: number;
  };
  readonly cpu: {
    readonly usageMs?: number;
    readonly userMs?: number;
    readonly systemMs?: number;
    readonly throttledMs?: number;
  };
  readonly pids: { readonly current?: number; readonly peak?: number; readonly limit?: number };
}

// Numbers that stand for "no limit" are larger than any machine's memory.
const NO_LIMIT = 2 ** 60;

export function statsOf({ memory, cpu, pids }: NativeStats): ContainerStats {
  const ms = (name: string, ns: number | undefined) => (ns === undefined ? {} : { [name]: ns / 1e6 });
  const limit = (value: number | undefined) =>
    value === undefined || value >= NO_LIMIT ? {} : { limit: value };
  const { limit: memoryLimit, limitHits: _, ...memoryRest } = memory;
  const { limit: pidsLimit, ...pidsRest } = pids;
  return {
    memory: { ...memoryRest, ...limit(memoryLimit) },
    cpu: {
      ...ms('usageMs', cpu.usageNs),
      ...ms('userMs', cpu.userNs),
      ...ms('systemMs', cpu.systemNs),
      ...ms('throttledMs', cpu.throttledNs),
    },
    pids: { ...pidsRest, ...limit(pidsLimit) },
  };
}
