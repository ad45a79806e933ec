import { absolutePath, annotations, nonEmpty, specVersion, strings } from '../checks.js';
import { type Check, integer, object, oneOf, refine, text, validate } from '../validate.js';

/** What the specification lists. */
export const RUNTIME_STATUSES = ['creating', 'created', 'running', 'stopped'] as const;
export type RuntimeStatus = (typeof RUNTIME_STATUSES)[number];

/**
 * What a runtime's `state` prints, and hooks read on their stdin.
 *
 * @see runtime-spec, runtime.md, "State"
 */
export interface RuntimeState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: RuntimeStatus;
  /** As the host sees it. There while `created` and `running`. */
  readonly pid?: number;
  /** Absolute path of the bundle. */
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * What a seccomp listener receives, with the descriptors that `fds` names.
 *
 * @see runtime-spec, config-linux.md, "The Container Process State"
 */
export interface ContainerProcessState {
  readonly ociVersion: string;
  /** Names, each at the index of its descriptor; the notification descriptor is `seccompFd`. */
  readonly fds: readonly string[];
  readonly pid: number;
  /** The configuration's `listenerMetadata`. */
  readonly metadata?: string;
  readonly state: RuntimeState;
}

const pid = integer(0, 2 ** 31 - 1);

export const checkState: Check<RuntimeState> = refine(
  object<RuntimeState>(
    { ociVersion: specVersion, id: nonEmpty, status: oneOf(RUNTIME_STATUSES), bundle: absolutePath },
    { pid, annotations },
  ),
  (state, at) => {
    if ((state.status === 'created' || state.status === 'running') && (state.pid ?? 0) === 0)
      at.report(`required while ${state.status}`, 'pid');
  },
);

export const checkProcessState: Check<ContainerProcessState> = object<ContainerProcessState>(
  { ociVersion: specVersion, fds: strings, pid, state: checkState },
  { metadata: text },
);

/** @throws {@link NsboxError} `ERR_INVALID_CONFIG` */
export function validateState(value: unknown, what = 'state'): RuntimeState {
  return validate(checkState, value, what);
}
