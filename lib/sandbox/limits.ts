import { NsboxError } from '../errors.js';
import { type CgroupParent, Controller } from '../native/contract.js';
import type { LinuxResources } from '../spec/runtime/resources.js';
import { parseCpus, parseSize } from '../util/units.js';
import type { SandboxLimits } from './options.js';
import { invalid } from './options.js';

const CPU_PERIOD_US = 100_000;
const SMALLEST_MEMORY = 512 * 1024;

/** The limits as OCI's `linux.resources`; undefined when there are none. */
export function resourcesOf(
  limits: SandboxLimits | undefined,
  swapIsCounted: boolean,
): LinuxResources | undefined {
  if (!limits || Object.values(limits).every((value) => value === undefined)) return undefined;
  const memory = memoryOf(limits, swapIsCounted);
  const cpu = cpuOf(limits);
  return {
    ...(memory && { memory }),
    ...(cpu && { cpu }),
    ...(limits.pids !== undefined && { pids: { limit: wholeFrom(limits.pids, 1, 'limits.pids') } }),
  };
}

function memoryOf(limits: SandboxLimits, swapIsCounted: boolean): LinuxResources['memory'] {
  if (limits.memory === undefined) {
    if (limits.memorySwap !== undefined) throw invalid('limits.memorySwap: wants limits.memory beside it');
    return undefined;
  }
  const limit = parseSize(limits.memory, 'limits.memory');
  if (limit < SMALLEST_MEMORY) throw invalid(`limits.memory: expected at least 512k, got ${limit} bytes`);
  if (limits.memorySwap === undefined) return swapIsCounted ? { limit, swap: limit } : { limit };
  const swap = parseSize(limits.memorySwap, 'limits.memorySwap');
  if (swap < limit)
    throw invalid('limits.memorySwap: is memory and swap together, so not less than limits.memory');
  return { limit, swap };
}

function cpuOf(limits: SandboxLimits): LinuxResources['cpu'] {
  if (limits.cpus === undefined && limits.cpuShares === undefined && limits.cpuset === undefined)
    return undefined;
  if (limits.cpuset !== undefined && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(limits.cpuset))
    throw invalid(
      `limits.cpuset: expected numbers and ranges, as '0-1,3', got ${JSON.stringify(limits.cpuset)}`,
    );
  return {
    ...(limits.cpus !== undefined && {
      quota: Math.max(1000, Math.round(parseCpus(limits.cpus, 'limits.cpus') * CPU_PERIOD_US)),
      period: CPU_PERIOD_US,
    }),
    ...(limits.cpuShares !== undefined && { shares: wholeFrom(limits.cpuShares, 2, 'limits.cpuShares') }),
    ...(limits.cpuset !== undefined && { cpus: limits.cpuset }),
  };
}

function wholeFrom(value: number, least: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw invalid(`${what}: expected a whole number from ${least}, got ${String(value)}`);
}

/** The controllers without which the limits cannot be set. */
export function controllersOf(limits: SandboxLimits | undefined): readonly (keyof typeof Controller)[] {
  if (!limits) return [];
  return [
    ...(limits.memory !== undefined ? (['memory'] as const) : []),
    ...(limits.pids !== undefined ? (['pids'] as const) : []),
    ...(limits.cpus !== undefined || limits.cpuShares !== undefined ? (['cpu'] as const) : []),
    ...(limits.cpuset !== undefined ? (['cpuset'] as const) : []),
  ];
}

/** The same as bits of {@link Controller}. */
export function controllerMask(limits: SandboxLimits | undefined): number {
  return controllersOf(limits).reduce((mask, name) => mask | Controller[name], 0);
}

/**
 * Refuses limits that this machine or user cannot set.
 *
 * @throws {@link NsboxError} `ERR_LIMIT_UNAVAILABLE`, with the remedy as its hint
 */
export function requireControllers(groups: CgroupParent, limits: SandboxLimits): void {
  for (const name of controllersOf(limits)) {
    const has = groups.entries().some(({ controllers }) => (controllers & Controller[name]) !== 0);
    if (has) continue;
    const why = groups.missing().find(({ controller }) => controller === name);
    throw unavailable(name, why?.text);
  }
}

/** The error of a limit that cannot be set. */
export function unavailable(
  controller: string,
  why = 'this machine has no such cgroup controller',
): NsboxError {
  return new NsboxError(
    'ERR_LIMIT_UNAVAILABLE',
    `limits: the cgroup controller "${controller}" cannot be used: ${why}`,
    {
      hint: DELEGATE,
    },
  );
}

const DELEGATE =
  'as an ordinary user, start with a delegated group: systemd-run --user --scope -p Delegate=yes COMMAND; or run as root; or leave the limits out';
