// Puts the published JSON schemas of runtime-spec and image-spec into build/oci-schemas, for the
// conformance tests. Debian unstable packages them; apt fetches and verifies them into a directory of
// our own, so neither root nor a change to the machine's sources is needed. Without the network the
// packages that happen to be installed serve, unless they are too old.

import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'build', 'oci-schemas');
const gocode = 'usr/share/gocode/src/github.com/opencontainers';
const packages = {
  'runtime-spec': 'golang-github-opencontainers-specs-dev',
  'image-spec': 'golang-github-opencontainers-image-spec-dev',
};

const work = mkdtempSync(join(tmpdir(), 'oci-schemas-'));
try {
  const unpacked = unpackNewest(work) ?? '/';
  rmSync(target, { recursive: true, force: true });
  const found = Object.keys(packages).filter((spec) => copySchemas(join(unpacked, gocode, spec), spec));
  if (found.length < 2) {
    console.error(
      `schemas found: ${found.join(', ') || 'none'}; install ${Object.values(packages).join(' ')}`,
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function unpackNewest(directory) {
  try {
    const apt = aptIn(directory);
    apt('apt-get', '--quiet', 'update');
    apt('apt-get', '--quiet', 'download', ...Object.values(packages));
    const unpacked = join(directory, 'unpacked');
    for (const file of readdirSync(directory).filter((name) => name.endsWith('.deb')))
      apt('dpkg-deb', '--extract', file, unpacked);
    return unpacked;
  } catch (error) {
    console.error(
      `no schemas from Debian unstable (${error.message.split('\n')[0]}); trying what is installed`,
    );
    return undefined;
  }
}

/** An apt that knows Debian unstable only, and writes in `directory` only. */
function aptIn(directory) {
  for (const name of ['lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(join(directory, name), { recursive: true });
  writeFileSync(join(directory, 'status'), '');
  writeFileSync(
    join(directory, 'sources.list'),
    'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main\n',
  );
  writeFileSync(
    join(directory, 'apt.conf'),
    [
      `Dir::Etc::sourcelist "${directory}/sources.list";`,
      `Dir::Etc::sourceparts "${directory}/parts";`,
      `Dir::State::lists "${directory}/lists";`,
      `Dir::State::status "${directory}/status";`,
      `Dir::Cache "${directory}/cache";`,
      'Acquire::Languages "none";',
      'APT::Sandbox::User "";',
    ].join('\n'),
  );
  const env = { ...process.env, APT_CONFIG: join(directory, 'apt.conf') };
  return (command, ...args) =>
    execFileSync(command, args, {
      cwd: directory,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 120_000,
    });
}

function copySchemas(source, spec) {
  const from = join(source, 'schema');
  if (!existsSync(from)) return false;
  // The tests' exceptions are those of 1.2 and later.
  if (
    spec === 'runtime-spec' &&
    !readFileSync(join(from, 'config-schema.json'), 'utf8').includes('execCPUAffinity')
  ) {
    console.error('runtime-spec: the schemas here are older than 1.2');
    return false;
  }
  const files = readdirSync(from).filter((name) => name.endsWith('.json'));
  for (const name of files) cpSync(join(from, name), join(target, spec, name));
  console.log(`${spec}: ${files.length} schemas`);
  return files.length > 0;
}
