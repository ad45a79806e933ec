import { NsboxError } from '../errors.js';
import { CloneFlag, type NativeBox, type OnMessage, ReplyKind } from '../native/contract.js';
import { fromNative } from '../native/errors.js';
import { addon } from '../native/load.js';
import { runtimeDescriptor } from '../native/runtime-binary.js';
import { monotonicMs } from '../util/clock.js';
import type { Plan } from './plan.js';

/** An init that waits for its plan. */
export interface Init {
  readonly native: NativeBox;
  /** Says who is told of its messages. */
  receive(listener: OnMessage): void;
}

/** What an init is born with; two plans that agree in it may take the same. */
interface Birth {
  readonly namespaces: number;
  readonly prepared: number;
  /** Whose process it is: a program may change that in between. */
  readonly identity: string;
}

// A program that starts one container after another always finds the next init ready: started ahead, in namespaces that
// are the same for everybody. Who starts one only never has a second process.
const KEEP_MS = 5000;
const OFTEN_MS = 1000;
let spare: (Init & { readonly birth: Birth; isGone: boolean }) | undefined;
let expiry: NodeJS.Timeout | undefined;
let refilling = false;
let lastStart = Number.NEGATIVE_INFINITY;

/**
 * An init for this plan.
 *
 * @throws {@link NsboxError} `ERR_PERMISSION` where this user may make no namespaces, `ERR_START_FAILED`
 */
export function takeInit(plan: Plan): Init {
  const birth = birthOf(plan);
  const now = monotonicMs();
  const often = now - lastStart < OFTEN_MS;
  lastStart = now;
  const taken = takeSpare(birth) ?? startInit(birth, 0);
  taken.native.ref();
  if (often) refill(birth);
  return taken;
}

function birthOf({ config, idMaps }: Plan): Birth {
  const isNew = (type: string): boolean =>
    config.linux?.namespaces?.some((one) => one.type === type && one.path === undefined) ?? false;
  return {
    identity: `${process.geteuid?.()}:${process.getegid?.()}:${process.getgroups?.()}`,
    namespaces: CloneFlag.newPid | (idMaps === 'none' ? 0 : CloneFlag.newUser),
    prepared:
      (isNew('network') ? CloneFlag.newNet : 0) |
      (isNew('ipc') ? CloneFlag.newIpc : 0) |
      (isNew('uts') ? CloneFlag.newUts : 0),
  };
}

function takeSpare(birth: Birth): Init | undefined {
  const ready = spare;
  if (!ready || ready.isGone || !isSame(ready.birth, birth)) return undefined;
  spare = undefined;
  clearTimeout(expiry);
  return ready;
}

function isSame(a: Birth, b: Birth): boolean {
  return a.namespaces === b.namespaces && a.prepared === b.prepared && a.identity === b.identity;
}

// Not in the call that starts a container, whose caller waits, but in a later turn of the event loop.
function refill(birth: Birth): void {
  if (spare || refilling) return;
  refilling = true;
  setImmediate(() => {
    refilling = false;
    try {
      const init = startInit(birth, birth.prepared);
      const ready = Object.assign(init, { birth, isGone: false });
      init.receive((kind) => {
        // It failed to prepare, or was killed: the next start is an ordinary one, and tells why.
        if (kind === ReplyKind.closed || kind === ReplyKind.failed) ready.isGone = true;
      });
      init.native.unref();
      spare = ready;
      expiry = setTimeout(dropSpare, KEEP_MS).unref();
    } catch {
      // As above.
    }
  }).unref();
}

/** Ends the init that waits, if there is one. */
export function dropSpare(): void {
  const ready = spare;
  spare = undefined;
  clearTimeout(expiry);
  ready?.native.kill(9);
}

function startInit({ namespaces }: Birth, prepared: number): Init {
  let listener: OnMessage = () => {};
  try {
    const native = new (addon().NativeBox)(runtimeDescriptor(), namespaces, prepared, (...message) =>
      listener(...message),
    );
    return {
      native,
      receive: (next) => {
        listener = next;
      },
    };
  } catch (error) {
    throw startError(error);
  }
}

function startError(error: unknown): NsboxError {
  const native = fromNative(error, 'start the sandbox', 'ERR_START_FAILED');
  if (native.code !== 'ERR_PERMISSION') return native;
  return new NsboxError('ERR_PERMISSION', native.message, {
    cause: error,
    hint: 'user namespaces may be switched off for this user; see `nsbox doctor`',
  });
}
