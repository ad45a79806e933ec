/** Containers for Node.js: the public library. */
export { type ErrorCode, NsboxError, type NsboxErrorOptions } from './errors.js';
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
