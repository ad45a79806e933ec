import { type ErrorCode, NsboxError } from '../../errors.js';
import type { ImageRoot, ImageWish } from '../../sandbox/image.js';
import { failureOf } from '../failure.js';

/** Pulls and unpacks what `nsbox run` is to stand on, and shows it on stderr. */
export async function obtain(wish: ImageWish, _how: { readonly quiet: boolean }): Promise<ImageRoot> {
  const { obtainImage } = await import('../../sandbox/image-obtain.js');
  try {
    return await obtainImage(wish);
  } catch (error) {
    throw explained(wish, error);
  }
}

const WITHOUT_IT = ['ERR_NOT_FOUND', 'ERR_PERMISSION', 'ERR_IO', 'ERR_TIMEOUT'];

/** The error with what can be done without the image beside what it says itself. */
function explained({ image = '' }: ImageWish, error: unknown): unknown {
  const { code, message, hint } = failureOf(error);
  if (!WITHOUT_IT.includes(code)) return error;
  const ways = `a program of this machine runs with: nsbox run -- ${image}`;
  const options = { cause: error, hint: hint === undefined ? ways : `${hint}; ${ways}` };
  return new NsboxError(code as ErrorCode, message, options);
}
