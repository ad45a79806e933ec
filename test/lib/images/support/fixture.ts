import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ContentStore } from '../../../../lib/images/content/store.js';
import type { Image } from '../../../../lib/images/image.js';
import { type PullOptions, pull } from '../../../../lib/images/pull.js';
import { type PushOptions, push } from '../../../../lib/images/push.js';
import { RegistryClient, type RegistryOptions } from '../../../../lib/images/registry/client.js';
import type { Descriptor } from '../../../../lib/spec/image/descriptor.js';
import { TemporaryDirectory } from '../../../support/temporary.js';

/** Patience for a registry that is a few microseconds away. */
export const QUICK: RegistryOptions = { stallMs: 5000, retry: { attempts: 3, firstPauseMs: 5 } };

/** A user of images: a home, a store in it, and a client that looks for nothing elsewhere. */
export class ImageUser implements AsyncDisposable {
  readonly client: RegistryClient;

  private constructor(
    readonly home: TemporaryDirectory,
    readonly store: ContentStore,
    options: RegistryOptions,
  ) {
    const env = { PATH: process.env.PATH, HOME: home.path, ...options.env };
    this.client = new RegistryClient({ ...QUICK, ...options, env });
  }

  /** @param files - below the home directory */
  static async make(
    options: RegistryOptions = {},
    files: Readonly<Record<string, string>> = {},
  ): Promise<ImageUser> {
    const home = new TemporaryDirectory();
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(home.join(name)), { recursive: true });
      writeFileSync(home.join(name), content, { mode: 0o700 });
    }
    return new ImageUser(home, await ContentStore.open(home.join('store')), options);
  }

  pull(name: string, options: Partial<PullOptions> = {}): Promise<Image> {
    return pull(name, { store: this.store, client: this.client, ...options });
  }

  push(name: string, options: Partial<PushOptions> = {}): Promise<Descriptor> {
    return push(name, { store: this.store, client: this.client, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.home[Symbol.asyncDispose]();
  }
}

/** A `config.json` of docker's with a password. */
export function authFile(registry: string, login: string): string {
  return JSON.stringify({ auths: { [registry]: { auth: Buffer.from(login).toString('base64') } } });
}
