import { type Installation, installation } from '../../sandbox/installation.js';
import { print } from '../output/print.js';
import { type Row, table } from '../output/table.js';

/** `nsbox info`: what is installed, and what a sandbox is like when nothing is said. */
export async function info({ json }: { readonly json?: boolean }): Promise<number> {
  const facts = installation();
  await print(json ? `${JSON.stringify(facts, null, 2)}\n` : asTables(facts));
  return 0;
}

function asTables({ defaults, ...facts }: Installation): string {
  const row = (name: string, text: string): Row => ({ mark: 'info', name, text });
  const installed = [
    row('version', facts.version),
    row('node', facts.node),
    row('kernel', `Linux ${facts.kernel}, ${facts.architecture}`),
    row('package', facts.package),
    row('addon', facts.addon),
    row('nsbox-runtime', facts.runtime),
  ];
  const closed = [
    row('network', `${defaults.network}: a loopback interface of its own`),
    row('environment', 'PATH and HOME, and what --env names'),
    row('capabilities', defaults.capabilities.map((name) => name.replace(/^CAP_/, '')).join(' ')),
    row('new privileges', 'none: set-user-ID bits have no effect'),
    row('seccomp', `${defaults.seccompAllowed} system calls allowed, all others EPERM`),
    row('hidden', defaults.hidden.join(' ')),
    row('masked', defaults.maskedPaths.join(' ')),
  ];
  return `${table('Installed', installed)}\n${table('A sandbox, when nothing is said', closed)}`;
}
