import { NsboxError } from '../../errors.js';
import type { Digest } from '../../spec/digest.js';
import type { Descriptor } from '../../spec/image/descriptor.js';
import { parseIndex } from '../../spec/image/index.js';
import { formatReference, type Reference } from '../../spec/reference.js';
import { type Credentials, findCredentials } from './credentials.js';
import { download } from './download.js';
import { foreignPlaces } from './foreign.js';
import { authorityOf } from './host.js';
import { listReferrers, listRepositories, listTags, referrersTag } from './listing.js';
import { type FetchedManifest, MANIFEST_TYPES, readManifest } from './manifest.js';
import { fromFirst, placesOf, type Repository, streamFromFirst } from './mirrors.js';
import { type RetryPolicy, withRetries } from './retry.js';
import { Session } from './session.js';
import { readSettings, type Settings } from './settings.js';
import { Transport } from './transport.js';
import { type BlobReader, beginUpload, sendBlob, type Upload, type UploadOptions } from './upload.js';

export interface RegistryOptions {
  /** Where credentials, certificates and proxies are looked for. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Registries, `host` or `host:port`, that may be plain HTTP or have a certificate that nobody vouches for. */
  readonly insecure?: readonly string[];
  /** Instead of those that `docker login` or `podman login` has left. */
  readonly credentials?: Credentials;
  /** How long a registry may say nothing. Default: 30 s. */
  readonly stallMs?: number;
  readonly retry?: Partial<RetryPolicy>;
}

/** What a request for a repository may take. */
interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

type Access = 'pull' | 'pull,push';

/** Where most blobs fit into one request; a cut of a larger one costs no more than a piece. */
const CHUNK = 64 * 1024 * 1024;

/**
 * Speaks to registries by the distribution-spec 1.1. One client keeps its connections and tokens for as long as it lives;
 * dispose of it.
 */
export class RegistryClient implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #retry: RetryPolicy;
  readonly #env: NodeJS.ProcessEnv;
  readonly #settings: Settings;
  readonly #sessions = new Map<string, Promise<Session>>();

  constructor(private readonly options: RegistryOptions = {}) {
    this.#env = options.env ?? process.env;
    this.#settings = readSettings(this.#env);
    const insecure = new Set([...(options.insecure ?? []), ...this.#settings.insecure].map(authorityOf));
    this.#retry = { attempts: 4, firstPauseMs: 300, ...options.retry };
    this.#transport = new Transport({
      env: this.#env,
      stallMs: options.stallMs ?? 30_000,
      isInsecure: (authority) => insecure.has(authority) || insecure.has(authority.replace(/:\d+$/, '')),
    });
  }

  /** The manifest or index that a reference names, verified; a mirror's where one has it. */
  async manifest(
    reference: Reference,
    options: CallOptions & Partial<Pick<Descriptor, 'size' | 'mediaType'>> = {},
  ): Promise<FetchedManifest> {
    return await fromFirst(placesOf(reference, this.#settings), options.signal, (place) =>
      this.#manifest({ ...reference, ...place }, options),
    );
  }

  async #manifest(
    reference: Reference,
    options: CallOptions & Partial<Pick<Descriptor, 'size' | 'mediaType'>>,
  ): Promise<FetchedManifest> {
    const what = `manifest of ${formatReference(reference)}`;
    const session = await this.#session(reference);
    const request = {
      method: 'GET',
      target: `/v2/${reference.path}/manifests/${reference.digest ?? reference.tag ?? 'latest'}`,
      scope: scopeOf(reference, 'pull'),
      accept: [200],
      headers: { accept: MANIFEST_TYPES.join(', ') },
      signal: options.signal,
      what,
    } as const;
    const expected = { ...options, ...(reference.digest && { digest: reference.digest }) };
    const read = async (): Promise<FetchedManifest> =>
      await readManifest(what, await session.sendOnce(request), expected);
    return await withRetries(read, this.#retry, options.signal);
  }

  /** A blob's bytes from `offset` on; cuts are mended, the digest is for who stores it to verify. */
  blob(
    repository: Repository,
    blob: Descriptor,
    { signal, offset = 0 }: CallOptions & { readonly offset?: number } = {},
  ): AsyncIterable<Uint8Array> {
    const own = placesOf(repository, this.#settings).map(
      (place) => (position: number) =>
        this.#blob(place, blob, { signal, position, target: `/v2/${place.path}/blobs/${blob.digest}` }),
    );
    const foreign = foreignPlaces(blob).map(
      (target) => (position: number) => this.#blob(repository, blob, { signal, position, target }),
    );
    return streamFromFirst([...own, ...foreign], signal, offset);
  }

  async #blob(
    repository: Repository,
    blob: Descriptor,
    { signal, position, target }: CallOptions & { readonly position: number; readonly target: string | URL },
  ): Promise<AsyncIterable<Uint8Array>> {
    const session = await this.#session(repository);
    const task = { session, retry: this.#retry, target, scope: scopeOf(repository, 'pull'), blob, signal };
    return download({ ...task, what: blobName(repository, blob.digest) }, position);
  }

  /** Whether a repository has a blob. */
  async hasBlob(repository: Repository, digest: Digest, options: CallOptions = {}): Promise<boolean> {
    const session = await this.#session(repository);
    const answer = await session.send({
      method: 'HEAD',
      target: `/v2/${repository.path}/blobs/${digest}`,
      // Only who pushes asks.
      scope: scopeOf(repository, 'pull,push'),
      accept: [200, 404],
      signal: options.signal,
      what: blobName(repository, digest),
    });
    answer.discard();
    return answer.status === 200;
  }

  /** Takes a blob over from another repository of the same registry; gives whether the registry did. */
  async mountBlob(
    to: Repository,
    blob: Descriptor,
    from: string,
    options: CallOptions = {},
  ): Promise<boolean> {
    const upload = await this.#upload(to, blob, options);
    const scope = `${upload.scope} repository:${from}:pull`;
    return (await beginUpload({ ...upload, scope }, from)) === undefined;
  }

  /** Sends a blob, in pieces where it is large; begun anew after failures that may pass. */
  async putBlob(
    repository: Repository,
    blob: Descriptor,
    read: BlobReader,
    options: Partial<UploadOptions> = {},
  ): Promise<void> {
    const upload = await this.#upload(repository, blob, options);
    const send = async (): Promise<void> => {
      const location = await beginUpload(upload);
      if (location !== undefined) await sendBlob(upload, location, read);
    };
    await withRetries(send, this.#retry, options.signal);
  }

  /** Gives a manifest or index its tag, or its digest where the reference has no tag. */
  async putManifest(
    reference: Reference,
    { descriptor, bytes }: FetchedManifest,
    options: CallOptions = {},
  ): Promise<void> {
    const session = await this.#session(reference);
    const answer = await session.send({
      method: 'PUT',
      target: `/v2/${reference.path}/manifests/${reference.tag ?? descriptor.digest}`,
      scope: scopeOf(reference, 'pull,push'),
      accept: [201, 204],
      headers: { 'content-type': descriptor.mediaType },
      body: bytes,
      signal: options.signal,
      what: `push of ${formatReference(reference)}`,
    });
    answer.discard();
  }

  /** The tags of a repository. */
  async *tags(repository: Repository, options: CallOptions = {}): AsyncGenerator<string> {
    const listing = { target: `/v2/${repository.path}/tags/list`, scope: scopeOf(repository, 'pull') };
    const what = `tags of ${repository.domain}/${repository.path}`;
    yield* listTags({ session: await this.#session(repository), ...listing, what, signal: options.signal });
  }

  /** The repositories of a registry, where it tells. */
  async *repositories(domain: string, options: CallOptions = {}): AsyncGenerator<string> {
    const listing = {
      target: '/v2/_catalog',
      scope: 'registry:catalog:*',
      what: `repositories of ${domain}`,
    };
    const session = await this.#session({ domain, path: '' });
    yield* listRepositories({ session, ...listing, signal: options.signal });
  }

  /** What in a repository says something about a manifest: signatures, attestations. */
  async referrers(
    repository: Repository,
    digest: Digest,
    options: CallOptions = {},
  ): Promise<readonly Descriptor[]> {
    const listing = {
      target: `/v2/${repository.path}/referrers/${digest}`,
      scope: scopeOf(repository, 'pull'),
    };
    const what = `referrers of ${repository.domain}/${repository.path}@${digest}`;
    const session = await this.#session(repository);
    const found = await listReferrers({ session, ...listing, what, signal: options.signal });
    return found ?? (await this.#taggedReferrers(repository, digest, options));
  }

  async #taggedReferrers(
    { domain, path }: Repository,
    digest: Digest,
    options: CallOptions,
  ): Promise<readonly Descriptor[]> {
    try {
      const { bytes } = await this.manifest({ domain, path, tag: referrersTag(digest) }, options);
      return parseIndex(bytes.toString('utf8'), `referrers of ${digest}`).manifests;
    } catch (error) {
      if (error instanceof NsboxError && error.code === 'ERR_NOT_FOUND') return [];
      throw error;
    }
  }

  /**
   * Whether a registry takes the credentials that this client was made with, or asks for none.
   *
   * @throws {@link NsboxError} `ERR_PERMISSION` where it does not
   */
  async check(domain: string, options: CallOptions = {}): Promise<void> {
    const session = await this.#session({ domain, path: '' });
    const what = `log in to ${domain}`;
    const request = { method: 'GET', target: '/v2/', scope: '', accept: [200], what } as const;
    (await session.send({ ...request, signal: options.signal })).discard();
  }

  async #upload(repository: Repository, blob: Descriptor, options: Partial<UploadOptions>): Promise<Upload> {
    const session = await this.#session(repository);
    const scope = scopeOf(repository, 'pull,push');
    const what = `push of ${blobName(repository, blob.digest)}`;
    return { chunkSize: CHUNK, ...options, session, path: repository.path, scope, blob, what };
  }

  // Podman's credentials may be a repository's own, so its session is.
  #session({ domain, path }: Repository): Promise<Session> {
    const key = `${domain}/${path}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const made = this.#open(domain, path);
    this.#sessions.set(key, made);
    return made;
  }

  async #open(domain: string, path: string): Promise<Session> {
    // What a caller gives is for the registry that it names, and no mirror's business.
    const isMirror = [...this.#settings.mirrors.values()].flat().some((mirror) => mirror.domain === domain);
    const given = isMirror ? undefined : this.options.credentials;
    const credentials = given ?? (await findCredentials(domain, path, this.#env));
    return new Session({ domain, transport: this.#transport, credentials, retry: this.#retry });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }
}

function scopeOf({ path }: Repository, access: Access): string {
  return `repository:${path}:${access}`;
}

function blobName({ domain, path }: Repository, digest: Digest): string {
  return `blob ${digest} of ${domain}/${path}`;
}
