import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NsboxError } from '../errors.js';
import { imageDirectory } from '../images/content/place.js';
import { OverlaySnapshotter } from '../snapshots/overlay.js';
import type { Root } from '../snapshots/snapshotter.js';
import type { Digest } from '../spec/digest.js';
import type { ImageExecution } from '../spec/image/config.js';
import { formatReference, parseReference } from '../spec/reference.js';
import type { SandboxOptions } from './options.js';

/** The image that a sandbox was made from. */
export interface SandboxImage {
  /** In full: `docker.io/library/debian:12`. */
  readonly name: string;
  /** Of its manifest. */
  readonly digest: Digest;
  /** What it says of how to run it: entrypoint, environment, labels, ports, health check. */
  readonly config: ImageExecution;
}

/** What a root's record keeps beside its layers. */
export interface ImageNote {
  readonly digest: Digest;
  readonly config: ImageExecution;
}

/** Which image a sandbox is to have. */
export type ImageWish = Pick<SandboxOptions, 'image' | 'pull' | 'platform'>;

/** An unpacked image for sandboxes to stand on. Nobody removes it while it has users. */
export class ImageRoot {
  readonly image: SandboxImage;
  /** Directories of this machine, topmost first. */
  readonly lowers: readonly string[];
  readonly #root: Root;
  #users = 1;

  constructor(name: string, root: Root) {
    // Written by this library, beside the layers themselves.
    const { digest, config } = root.note as ImageNote;
    this.image = { name, digest, config };
    this.lowers = root.lowers;
    this.#root = root;
  }

  /** One more user, who has to release it too. */
  share(): this {
    this.#users += 1;
    return this;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#root.release();
  }
}

/** The word for this machine's own files, where an image could be named. */
export const HOST = 'host';

/** Whether a sandbox is to stand on an image. */
export function wantsImage({ image }: ImageWish): boolean {
  return image !== undefined && image !== HOST;
}

/** The image in full, where it is named and not told by its ID. */
export function imageTitle(image: string): string {
  return nameOrUndefined(image) ?? image;
}

/**
 * The image, if it is in the store and unpacked: at once, and by reading two files. Whatever else there is to do, or to
 * say, is for `obtainImage`.
 */
export function findImage(wish: ImageWish): ImageRoot | undefined {
  if (wish.image === undefined || wish.pull === 'always') return undefined;
  const name = nameOrUndefined(wish.image);
  const digest = name === undefined ? undefined : taggedDigest(name);
  if (name === undefined || digest === undefined) return undefined;
  const root = new OverlaySnapshotter().find(rootName(digest, wish.platform));
  return root && new ImageRoot(name, root);
}

/** What a root is called: the digest that its image's name stands for, and the platform, where one was asked for. */
export function rootName(digest: Digest, platform: string | undefined): string {
  return platform === undefined ? digest : `${digest}+${platform}`;
}

function nameOrUndefined(image: string): string | undefined {
  try {
    return formatReference(parseReference(image));
  } catch {
    return undefined;
  }
}

const REF_NAME = 'org.opencontainers.image.ref.name';

// The index of the image layout, whose every entry the library has checked when it wrote it; others may write it too, and
// what is odd is left to those who check it in full.
function taggedDigest(name: string): Digest | undefined {
  let index: { readonly manifests?: unknown };
  try {
    index = JSON.parse(readFileSync(join(imageDirectory(), 'index.json'), 'utf8'));
  } catch {
    return undefined;
  }
  if (!Array.isArray(index.manifests)) return undefined;
  const found = index.manifests.find((entry) => entry?.annotations?.[REF_NAME] === name);
  return typeof found?.digest === 'string' ? found.digest : undefined;
}

/** The command that an image's own and a user's words make together, as Docker has it. */
export function imageCommand(
  { name, config }: SandboxImage,
  given: readonly string[],
  entrypoint: readonly string[] | undefined,
): string[] {
  const first = entrypoint ?? config.Entrypoint ?? [];
  // Another entrypoint has nothing to do with the image's own arguments.
  const own = entrypoint === undefined ? (config.Cmd ?? []) : [];
  const command = [...first, ...(given.length > 0 ? given : own)];
  if (command.length > 0 && command[0] !== '') return command;
  throw new NsboxError('ERR_INVALID_ARGUMENT', `${name} names no command, and none is given`, {
    hint: 'name one after the image',
  });
}
