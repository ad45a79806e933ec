import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TemporaryDirectory } from '../../../support/temporary.js';
import { Server } from './server.js';

/** The login that a token server knows. */
export const LOGIN = 'ali:open sesame';

/** Gives tokens as Docker's token authentication has them, signed with `server.key`; to who has no login, for pulls alone. */
export async function startTokenServer(certificates: TemporaryDirectory): Promise<Server> {
  return await Server.start((request, response) => {
    const scopes = new URL(request.url ?? '', 'http://x').searchParams.getAll('scope');
    const isKnown = request.headers.authorization === `Basic ${Buffer.from(LOGIN).toString('base64')}`;
    if (request.headers.authorization !== undefined && !isKnown) {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end('{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}');
      return;
    }
    const token = makeToken(certificates, scopes, isKnown);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: 60 }));
  });
}

function makeToken(certificates: TemporaryDirectory, scopes: readonly string[], isKnown: boolean): string {
  const now = Math.floor(Date.now() / 1000);
  const access = scopes.map((scope) => {
    const [type, name, actions = ''] = scope.split(':');
    return { type, name, actions: actions.split(',').filter((one) => isKnown || one === 'pull') };
  });
  const certificate = new X509Certificate(readFileSync(certificates.join('server.crt')));
  const head = { typ: 'JWT', alg: 'ES256', x5c: [certificate.raw.toString('base64')] };
  const times = { iat: now, nbf: now - 10, exp: now + 60 };
  const claims = { iss: 'tests', sub: 'ali', aud: 'the registry', jti: randomUUID(), access, ...times };
  const text = [head, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const key = createPrivateKey(readFileSync(certificates.join('server.key')));
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/** The registry's side of it. */
export function tokenConfig(server: Server, certificates: TemporaryDirectory): string {
  const options = [
    `realm: "http://${server.name}/token"`,
    'service: the registry',
    'issuer: tests',
    `rootcertbundle: ${certificates.join('ca.crt')}`,
  ];
  return `auth:\n  token:\n${options.map((line) => `    ${line}\n`).join('')}`;
}
