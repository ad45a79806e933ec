import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { isRoot } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { Runtime } from '../support/runtime.js';
import { test, testOurs, testOursRoot } from '../support/test.js';
import { prepareCalls, resetCalls } from '../support/wrapped.js';

test('annotations: state tells them as they are', async () => {
  await using runtime = new Runtime();
  const annotations = { 'com.example.key': 'a value with "quotes" and ü', 'empty.value': '' };
  const container = await runtime.pause((config) => {
    config.annotations = annotations;
  });
  expect((await container.state()).annotations).toEqual(annotations);
});

testOurs('annotations: what is no text is refused', async () => {
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.annotations = { key: 5 as unknown as string };
  });
  expect(result.code).not.toBe(0);
});

testOurs('annotation run.oci.pidfd_receiver: the socket gets a descriptor of the first process', async () => {
  await using runtime = new Runtime();
  const path = `${runtime.folder}/pidfd.sock`;
  const script =
    'import socket,sys,array,os\ns=socket.socket(socket.AF_UNIX);s.bind(sys.argv[1]);s.listen(1);c,_=s.accept()\nm,a,_,_=c.recvmsg(100,socket.CMSG_SPACE(4))\n' +
    'f=array.array("i",a[0][2][:4])[0]\nprint([l for l in open("/proc/self/fdinfo/%d"%f) if l.startswith("Pid")][0].split()[1],flush=True)';
  const child: ChildProcess = spawn('/usr/bin/python3', ['-I', '-c', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  try {
    await eventually(() => existsSync(path), Boolean, 5000);
    const container = await runtime.create((config) => {
      config.annotations = { 'run.oci.pidfd_receiver': path };
    });
    await eventually(
      () => said,
      (text) => text.includes('\n'),
      5000,
    );
    expect(Number(said)).toBe(container.pid);
  } finally {
    child.kill('SIGKILL');
  }
});

testOursRoot('annotation run.oci.keep_original_groups: the caller’s groups stay', async () => {
  onTestFinished(resetCalls);
  prepareCalls('exec setpriv --groups 4321,4322 "$@"');
  await using runtime = new Runtime();
  const groups = "sed -n 's/^Groups:\\t//p' /proc/self/status";
  const kept = await runtime.sh(groups, (config) => {
    config.annotations = { 'run.oci.keep_original_groups': '1' };
  });
  expect(kept.trim()).toBe('4321 4322');
  expect((await runtime.sh(groups)).trim()).toBe('');
  expect(isRoot).toBe(true);
});

testOurs('linux.intelRdt: where the machine has no resctrl the start is refused', async () => {
  if (existsSync('/sys/fs/resctrl/schemata')) return;
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.linux.intelRdt = { closID: 'group', l3CacheSchema: 'L3:0=f' };
  });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toMatch(/intelRdt|resctrl/i);
});
