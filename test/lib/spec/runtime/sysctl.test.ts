import { expect, test } from 'vitest';
import { sysctlNamespace, sysctlPath } from '../../../../lib/spec/runtime/sysctl.js';

test.each([
  ['net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
  ['net/ipv4/conf/eth0.1/forwarding', 'net/ipv4/conf/eth0.1/forwarding'],
  ['net.ipv4.conf.eth0/1.forwarding', 'net/ipv4/conf/eth0.1/forwarding'],
  ['vm', 'vm'],
])('%s is %s', (name, path) => {
  expect(sysctlPath(name)).toBe(path);
});

test.each([
  ['net.core.somaxconn', 'network'],
  ['kernel/msgmax', 'ipc'],
  ['fs.mqueue.queues_max', 'ipc'],
  ['kernel.domainname', 'uts'],
  ['user.max_user_namespaces', 'user'],
  ['kernel.core_pattern', undefined],
  ['vm.swappiness', undefined],
  ['network.a', undefined],
])('%s belongs to %s', (name, namespace) => {
  expect(sysctlNamespace(name)).toBe(namespace);
});
