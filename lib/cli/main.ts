import { Sandbox } from '../sandbox/sandbox.js';
const dash = process.argv.indexOf('--');
const child = Sandbox.run(process.argv.slice(dash + 1), { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit', reject: false });
child.then((r) => { process.exitCode = r.exitCode ?? 1; }, (e) => { console.error(e); process.exitCode = 125; });
