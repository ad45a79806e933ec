import { nonEmpty, strings } from './checks.js';
import { array, type Check, integer, nullable, object, text } from './validate.js';

/**
 * The error codes of the distribution-spec, "Error Codes". Registries add their own, so a received
 * code is any string.
 */
export const REGISTRY_ERROR_CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
] as const;
export type RegistryErrorCode = (typeof REGISTRY_ERROR_CODES)[number];

/** The body of a registry's refusal. */
export interface RegistryErrors {
  readonly errors: readonly RegistryError[];
}

export interface RegistryError {
  /** One of {@link REGISTRY_ERROR_CODES}, or the registry's own. */
  readonly code: string;
  readonly message?: string;
}

/** @see distribution-spec, "Listing Tags" */
export interface TagList {
  readonly name: string;
  /** Null from some registries while there are none. */
  readonly tags?: readonly string[];
}

/** Not in the specification, but in most registries. */
export interface RepositoryList {
  readonly repositories: readonly string[];
}

/** What a token server answers: Docker's token authentication, which registries share. */
export interface TokenResponse {
  readonly token?: string;
  /** OAuth 2's name for the same. */
  readonly access_token?: string;
  /** In seconds. */
  readonly expires_in?: number;
  /** RFC 3339. */
  readonly issued_at?: string;
  readonly refresh_token?: string;
}

export const checkRegistryErrors: Check<RegistryErrors> = object<RegistryErrors>(
  { errors: array(object<RegistryError>({ code: nonEmpty }, { message: nullable(text) })) },
  {},
);

export const checkTagList: Check<TagList> = object<TagList>({ name: text }, { tags: nullable(strings) });

export const checkRepositoryList: Check<RepositoryList> = object<RepositoryList>(
  { repositories: strings },
  {},
);

export const checkTokenResponse: Check<TokenResponse> = object<TokenResponse>(
  {},
  {
    token: nonEmpty,
    access_token: nonEmpty,
    expires_in: nullable(integer(0, Number.MAX_SAFE_INTEGER)),
    issued_at: nullable(text),
    refresh_token: nullable(text),
  },
);
