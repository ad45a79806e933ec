import type { ContainerStats } from '../runtime/stats.js';

/** What a sandbox uses. Absent: this kernel does not count it, or the sandbox's group has no such controller. */
export interface SandboxStats extends ContainerStats {}
