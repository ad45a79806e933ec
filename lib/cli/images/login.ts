import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { NsboxError } from '../../errors.js';
import { login as loginTo, logout as logoutOf } from '../../sandbox/images.js';
import { say } from '../failure.js';
import { print } from '../output/print.js';

export interface LoginFlags {
  readonly username?: string;
  readonly password?: string;
  readonly passwordStdin?: boolean;
}

const DOCKER_HUB = 'docker.io';

/** `nsbox login`: asks what is not given, and keeps what the registry takes. */
export async function login(registry: string | undefined, flags: LoginFlags): Promise<number> {
  const { username, password } = await credentials(flags);
  const place = await loginTo(registry ?? DOCKER_HUB, { username, password });
  await print(`Login succeeded; kept in ${place}\n`);
  return 0;
}

/** `nsbox logout`. */
export async function logout(registry: string | undefined): Promise<number> {
  const others = await logoutOf(registry ?? DOCKER_HUB);
  await print(`Removed the login of ${registry ?? DOCKER_HUB}\n`);
  for (const file of others) say(`another program knows it still: ${file}`);
  return 0;
}

async function credentials(
  flags: LoginFlags,
): Promise<{ readonly username: string; readonly password: string }> {
  if (flags.passwordStdin) {
    if (flags.username === undefined) throw invalid('--password-stdin wants --username');
    return { username: flags.username, password: (await text(process.stdin)).replace(/\r?\n$/, '') };
  }
  if (flags.password !== undefined)
    say('a password on the command line is to be seen by all', 'use --password-stdin');
  return {
    username: flags.username ?? (await ask('Username: ', false)),
    password: flags.password ?? (await ask('Password: ', true)),
  };
}

async function ask(question: string, isSecret: boolean): Promise<string> {
  if (!process.stdin.isTTY) throw invalid('there is no terminal to ask at');
  const silent = new Writable({ write: (_, __, done) => done() });
  const reader = createInterface({
    input: process.stdin,
    output: isSecret ? silent : process.stderr,
    terminal: true,
  });
  if (isSecret) process.stderr.write(question);
  try {
    return await reader.question(isSecret ? '' : question);
  } finally {
    reader.close();
    if (isSecret) process.stderr.write('\n');
  }
}

function invalid(message: string): NsboxError {
  return new NsboxError('ERR_INVALID_ARGUMENT', message, {
    hint: 'give --username, and the password on stdin with --password-stdin',
  });
}
