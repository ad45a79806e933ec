import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { TemporaryDirectory } from '../../../support/temporary.js';

/** Debian's `docker-registry` on loopback. */
export class Registry implements AsyncDisposable {
  private constructor(
    /** `127.0.0.1:port`. */
    readonly name: string,
    private readonly child: ChildProcess,
    private readonly folder: TemporaryDirectory,
  ) {}

  /** @param more - sections of its configuration, as lines of YAML; `http` has them below itself */
  static async start(more: { readonly http?: string; readonly top?: string } = {}): Promise<Registry> {
    const folder = new TemporaryDirectory();
    const name = `127.0.0.1:${await freePort()}`;
    const config = [
      'version: 0.1',
      'log: { level: info, accesslog: { disabled: true } }',
      `storage: { filesystem: { rootdirectory: ${folder.join('data')} }, delete: { enabled: true } }`,
      `http:\n  addr: ${name}\n  secret: tests\n${more.http ?? ''}`,
      more.top ?? '',
    ];
    writeFileSync(folder.join('config.yml'), config.join('\n'));
    const child = spawn('docker-registry', ['serve', folder.join('config.yml')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // It would send traces to an address of its own.
      env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
    });
    await listening(child);
    return new Registry(name, child, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null) await gone;
    await this.folder[Symbol.asyncDispose]();
  }
}

function listening(child: ChildProcess): Promise<void> {
  let log = '';
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk) => {
      log += chunk;
      if (log.includes('listening on')) resolve();
    });
    child.once('error', reject);
    child.once('exit', (status) => reject(new Error(`docker-registry ended with ${status}: ${log}`)));
  });
}

export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Whether all of these programs are installed. */
export function hasPrograms(...programs: readonly string[]): boolean {
  try {
    for (const program of programs) execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program]);
    return true;
  } catch {
    return false;
  }
}

export const NO_REGISTRY = 'docker-registry, skopeo, umoci or openssl is not installed';
export const hasRegistry = hasPrograms('docker-registry', 'skopeo', 'umoci', 'openssl');

/** An authority, and what it has signed, as files `ca.crt`, `server.crt`, `client.crt` with their `.key`s. */
export function makeCertificates(folder: TemporaryDirectory): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const request = (name: string, ...more: readonly string[]): void => {
    const files = ['-keyout', folder.join(`${name}.key`), '-out', folder.join(`${name}.crt`)];
    execFileSync(
      'openssl',
      ['req', '-x509', ...key, ...files, '-subj', `/CN=${name}`, '-days', '2', ...more],
      {
        stdio: 'pipe',
      },
    );
  };
  const signed = ['-CA', folder.join('ca.crt'), '-CAkey', folder.join('ca.key')];
  request('ca');
  for (const name of ['server', 'client'])
    request(
      name,
      ...signed,
      '-addext',
      'subjectAltName=IP:127.0.0.1,DNS:registry.test',
      '-addext',
      'basicConstraints=CA:false',
    );
}
