import { absolutePath, annotations, nonEmpty } from '../../spec/checks.js';
import type { RuntimeState } from '../../spec/runtime/state.js';
import { type Check, integer, object, oneOf, parse, text } from '../../spec/validate.js';

/** The specification's four, and `paused`. */
export const CONTAINER_STATUSES = ['creating', 'created', 'running', 'paused', 'stopped'] as const;
export type ContainerStatus = (typeof CONTAINER_STATUSES)[number];

/** What a container is doing: {@link RuntimeState}, with what `nsbox-runtime state` tells beside it. */
export interface ContainerState extends Omit<RuntimeState, 'status'> {
  readonly status: ContainerStatus;
  readonly rootfs: string;
  readonly created: Date;
  /** The id of the user who made it. */
  readonly owner: number;
}

interface Printed {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: ContainerStatus;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly owner: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const checkPrinted: Check<Printed> = object<Printed>(
  {
    ociVersion: nonEmpty,
    id: nonEmpty,
    pid: integer(0, 2 ** 31 - 1),
    status: oneOf(CONTAINER_STATUSES),
    bundle: absolutePath,
    rootfs: text,
    created: text,
    owner: text,
  },
  { annotations },
);

export function parseContainerState(json: string): ContainerState {
  const { pid, created, owner, ...rest } = parse(checkPrinted, json, 'state');
  return { ...rest, ...(pid > 0 && { pid }), created: new Date(created), owner: Number(owner) };
}
