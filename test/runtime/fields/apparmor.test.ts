import { readFileSync } from 'node:fs';
import { expect, type TestContext } from 'vitest';
import { skipUnlessInMachine } from '../../support/skip.js';
import { type Config, Runtime } from '../support/runtime.js';
import { testOurs as test } from '../support/test.js';

// The machine's own: it allows everything but what is named "apparmor-denied".
const PROFILE = 'nsbox-test';
const CONFINED = `${PROFILE} (enforce)`;
const LABEL = 'cat /proc/self/attr/current';
const TRY_DENIED = 'echo x >/tmp/allowed && echo allowed; echo x >/tmp/apparmor-denied || echo denied';

function needAppArmor(context: TestContext): void {
  skipUnlessInMachine(context, isOn(), 'AppArmor is not at work here');
  skipUnlessInMachine(context, process.env.NSBOX_VM === '1', `the profile ${PROFILE} is the machine’s own`);
}

function isOn(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').trim() === 'Y';
  } catch {
    return false;
  }
}

function confine(config: Config): void {
  config.process.apparmorProfile = PROFILE;
}

test('process.apparmorProfile: the program is confined by it, and what is executed later', async (context) => {
  needAppArmor(context);
  await using runtime = new Runtime();
  expect(await runtime.sh(`${LABEL}; ${TRY_DENIED} 2>/dev/null`, confine)).toBe(
    `${CONFINED}\nallowed\ndenied`,
  );
  const container = await runtime.pause(confine);
  expect(readFileSync(`/proc/${container.pid}/attr/current`, 'utf8').trim()).toBe(CONFINED);
  expect(await container.sh(`${LABEL}; ${TRY_DENIED} 2>/dev/null`)).toBe(`${CONFINED}\nallowed\ndenied`);
});

test('process.apparmorProfile: without noNewPrivileges, and in a user namespace', async (context) => {
  needAppArmor(context);
  await using runtime = new Runtime();
  const said = await runtime.sh(LABEL, (config) => {
    confine(config);
    config.process.noNewPrivileges = false;
    if (config.linux.namespaces.some(({ type }) => type === 'user')) return;
    config.linux.namespaces.push({ type: 'user' });
    config.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }];
    config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }];
  });
  expect(said).toBe(CONFINED);
});

test('process.apparmorProfile: without it, the program is as free as its starter', async (context) => {
  needAppArmor(context);
  await using runtime = new Runtime();
  expect(await runtime.sh(`${LABEL}; ${TRY_DENIED}`)).toBe('unconfined\nallowed');
});

test('exec --apparmor: that program alone is confined', async (context) => {
  needAppArmor(context);
  await using runtime = new Runtime();
  const container = await runtime.pause();
  expect(await container.sh(LABEL, ['--apparmor', PROFILE])).toBe(CONFINED);
  expect(await container.sh(LABEL)).toBe('unconfined');
});

test('process.apparmorProfile: one that is not loaded is an error, of run and of exec', async (context) => {
  needAppArmor(context);
  await using runtime = new Runtime();
  const result = await runtime.run((config) => {
    config.process.apparmorProfile = 'nsbox-no-such-profile';
  });
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/AppArmor profile nsbox-no-such-profile/i);
  expect(runtime.states()).toEqual([]);
  const container = await runtime.pause();
  const executed = await container.exec(['true'], ['--apparmor', 'nsbox-no-such-profile']);
  expect(executed.code).toBe(255);
  expect(executed.stderr).toMatch(/AppArmor profile nsbox-no-such-profile/i);
  expect(await container.status()).toBe('running');
});
