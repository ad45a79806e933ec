import { type ErrorCode, NsboxError } from '../../errors.js';
import type { ImageRoot, ImageWish } from '../../sandbox/image.js';
import { obtainImage } from '../../sandbox/image-obtain.js';
import { failureOf } from '../failure.js';
import { pullStep, unpackStep } from '../images/pull.js';
import { shortDigest } from '../images/titles.js';
import { Bars } from '../output/bars.js';

/** Pulls and unpacks what `nsbox run` is to stand on, and shows it on stderr. */
export async function obtain(wish: ImageWish, { quiet }: { readonly quiet: boolean }): Promise<ImageRoot> {
  // Where nobody looks, nothing is said: stderr is the command's.
  const bars = new Bars(process.stderr, quiet || !process.stderr.isTTY);
  try {
    return await obtainImage(wish, {
      onPull: (step) => bars.set(shortDigest(step.digest), pullStep(step)),
      onUnpack: (step) => bars.set(shortDigest(step.digest), unpackStep(step)),
    });
  } catch (error) {
    throw explained(wish, error);
  } finally {
    bars.finish();
  }
}

const WITHOUT_IT = ['ERR_NOT_FOUND', 'ERR_PERMISSION', 'ERR_IO', 'ERR_TIMEOUT'];

/** The error with what can be done without the image beside what it says itself. */
function explained({ image = '' }: ImageWish, error: unknown): unknown {
  const { code, message, hint } = failureOf(error);
  if (!WITHOUT_IT.includes(code)) return error;
  const ways = `a program of this machine runs with: nsbox run -- ${image}; an image of a file comes with: nsbox load -i FILE`;
  const options = { cause: error, hint: hint === undefined ? ways : `${hint}; ${ways}` };
  return new NsboxError(code as ErrorCode, message, options);
}
