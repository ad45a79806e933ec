import { NsboxError } from '../errors.js';
import { type Digest, isDigest } from './digest.js';
import { quote } from './validate.js';

/** An image's name in full. */
export interface Reference {
  /** Host of the registry, with its port if it has one. */
  readonly domain: string;
  /** Repository in the registry: `library/node`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_DOMAIN = 'docker.io';
const OFFICIAL = 'library/';
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]{1,5})?$`);
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const IMAGE_ID = /^[a-f0-9]{64}$/;
const LONGEST_NAME = 255;
const LONGEST = 1024;

/**
 * Reads an image's name as Docker does: without a registry it is Docker Hub's, and without tag and
 * digest it is `latest`.
 *
 * @example parseReference('node:24') // { domain: 'docker.io', path: 'library/node', tag: '24' }
 * @throws {@link NsboxError} `ERR_INVALID_ARGUMENT`
 */
export function parseReference(value: string): Reference {
  if (value === '') throw invalid(value, 'it is empty');
  if (value.length > LONGEST) throw invalid(value, `it is longer than ${LONGEST} characters`);
  if (IMAGE_ID.test(value)) throw invalid(value, 'it is an image ID, not a name');
  const { name, tag, digest } = split(value);
  const { domain, path } = splitName(name);
  if (!DOMAIN.test(domain)) throw invalid(value, `${quote(domain)} is not a registry`);
  if (path.toLowerCase() !== path) throw invalid(value, 'the repository has upper-case letters');
  if (!PATH.test(path)) throw invalid(value, `${quote(path)} is not a repository`);
  if (domain.length + 1 + path.length > LONGEST_NAME)
    throw invalid(value, `the name is longer than ${LONGEST_NAME}`);
  if (tag !== undefined && !TAG.test(tag)) throw invalid(value, `${quote(tag)} is not a tag`);
  if (digest === undefined) return { domain, path, tag: tag ?? 'latest' };
  if (!isDigest(digest)) throw invalid(value, `${quote(digest)} is not a digest`);
  return tag === undefined ? { domain, path, digest } : { domain, path, tag, digest };
}

function split(value: string): { readonly name: string; readonly tag?: string; readonly digest?: string } {
  const at = value.indexOf('@');
  const named = at < 0 ? value : value.slice(0, at);
  const digest = at < 0 ? {} : { digest: value.slice(at + 1) };
  // A colon before the last slash belongs to the registry's port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  if (colon < 0) return { name: named, ...digest };
  return { name: named.slice(0, colon), tag: named.slice(colon + 1), ...digest };
}

// The first part is a registry if it could not be a part of Docker Hub's names.
function splitName(name: string): { readonly domain: string; readonly path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isRegistry = /[.:[]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  const domain = isRegistry ? first : DEFAULT_DOMAIN;
  const path = isRegistry ? name.slice(slash + 1) : name;
  if (domain !== DEFAULT_DOMAIN && domain !== 'index.docker.io') return { domain, path };
  return { domain: DEFAULT_DOMAIN, path: path.includes('/') ? path : `${OFFICIAL}${path}` };
}

/** The name in full: `docker.io/library/node:24`. */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The name as people write it: `node:24`. */
export function shortReference(reference: Reference): string {
  const { domain, path } = reference;
  const full = formatReference(reference);
  if (domain !== DEFAULT_DOMAIN) return full;
  const rest = full.slice(DEFAULT_DOMAIN.length + 1);
  const official = path.startsWith(OFFICIAL) && !path.slice(OFFICIAL.length).includes('/');
  return official ? rest.slice(OFFICIAL.length) : rest;
}

function invalid(value: string, reason: string): NsboxError {
  return new NsboxError('ERR_INVALID_ARGUMENT', `not an image name: ${quote(value)}: ${reason}`, {
    hint: 'write it as name, name:tag, registry.example/name:tag or name@sha256:…',
  });
}
