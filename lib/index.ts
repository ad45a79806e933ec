/** Containers for Node.js: the public library. */
export { type ErrorCode, NsboxError, type NsboxErrorOptions } from './errors.js';
export { type AbortOptions, Container } from './runtime/oci/container.js';
export type { ContainerEvent } from './runtime/oci/events.js';
export type {
  ContainerCreateOptions,
  ContainerExecOptions,
  ContainerRunOptions,
  ContainerSource,
} from './runtime/oci/options.js';
export type { CgroupManager, StateOptions } from './runtime/oci/place.js';
export type { ContainerProcess, ContainerProcessOptions, ContainerResult } from './runtime/oci/process.js';
export type { ContainerState, ContainerStatus } from './runtime/oci/state.js';
export type { ContainerStdio, StdioOptions } from './runtime/oci/streams.js';
export type { ContainerStats } from './runtime/stats.js';
export type { Change, ChangeSelection } from './sandbox/changes.js';
export type { Argument } from './sandbox/command.js';
export type { ExecOptions } from './sandbox/exec-options.js';
export type { DirectoryEntry, FileStat, SandboxFiles } from './sandbox/files.js';
export type {
  RunOptions,
  SandboxLimits,
  SandboxMount,
  SandboxOptions,
  SandboxSecurity,
} from './sandbox/options.js';
export type { OutputLine, Process, WebStreams } from './sandbox/process.js';
export { CommandError, type Result } from './sandbox/result.js';
export { type Exec, Sandbox } from './sandbox/sandbox.js';
export type { ForkOptions, Snapshot } from './sandbox/snapshot.js';
export type { SandboxStats } from './sandbox/stats.js';
