import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { NsboxError } from '../../errors.js';

/** What a registry is to be verified with, and what we show it. */
export interface Certificates {
  readonly authorities: readonly string[];
  readonly clients: readonly { readonly certificate: string; readonly key: string }[];
}

/** Where a machine keeps the authorities that its administrator trusts: Debian's and Fedora's place. */
const SYSTEM = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

/**
 * Reads the directory that is named after the registry, of those that podman and docker read: `*.crt` are authorities,
 * `*.cert` with `*.key` what we show. The first of the directories that is there counts.
 *
 * @see containers-certs.d(5)
 */
export async function readCertificates(authority: string, env: NodeJS.ProcessEnv): Promise<Certificates> {
  for (const folder of foldersFor(authority, env)) {
    const names = await readdir(folder).catch(() => undefined);
    if (names !== undefined) return await readFolder(folder, names.sort());
  }
  return { authorities: [], clients: [] };
}

function foldersFor(authority: string, env: NodeJS.ProcessEnv): string[] {
  const config = env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), '.config');
  return [join(config, 'containers'), '/etc/containers', '/etc/docker'].map((place) =>
    join(place, 'certs.d', authority),
  );
}

async function readFolder(folder: string, names: readonly string[]): Promise<Certificates> {
  const read = (name: string): Promise<string> => readOne(join(folder, name));
  const clients = names.filter((name) => name.endsWith('.cert'));
  return {
    authorities: await Promise.all(names.filter((name) => name.endsWith('.crt')).map(read)),
    clients: await Promise.all(
      clients.map(async (name) => ({
        certificate: await read(name),
        key: await read(name.replace(/cert$/, 'key')),
      })),
    ),
  };
}

async function readOne(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new NsboxError('ERR_IO', `read the certificate ${path}: ${String(cause)}`, { cause });
  }
}

/** What all connections to one registry use; made once, because reading the system's list takes its time. */
export async function secureContext(
  { authorities, clients }: Certificates,
  env: NodeJS.ProcessEnv,
): Promise<SecureContext> {
  const ca = [...rootCertificates, ...(await systemAuthorities(env)), ...authorities];
  try {
    return createSecureContext({
      ca,
      cert: clients.map(({ certificate }) => certificate),
      key: clients.map(({ key }) => key),
    });
  } catch (cause) {
    throw new NsboxError('ERR_INVALID_CONFIG', `a certificate cannot be used: ${String(cause)}`, { cause });
  }
}

async function systemAuthorities(env: NodeJS.ProcessEnv): Promise<string[]> {
  for (const path of env.SSL_CERT_FILE === undefined ? SYSTEM : [env.SSL_CERT_FILE]) {
    const bundle = await readFile(path, 'utf8').catch(() => undefined);
    if (bundle !== undefined) return [bundle];
  }
  return [];
}
