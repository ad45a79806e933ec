import { expect, test } from 'vitest';
import { validateFeatures } from '../../../../lib/spec/runtime/features.js';

test('the features of another runtime pass, names we do not know included', () => {
  const features = {
    ociVersionMin: '1.0.0',
    ociVersionMax: '1.3.0',
    hooks: ['createRuntime', 'later'],
    mountOptions: ['ro', 'rro'],
    linux: {
      namespaces: ['pid', 'later'],
      capabilities: ['CAP_LATER'],
      cgroup: { v1: true, v2: true, systemd: false },
      seccomp: { enabled: true, actions: ['SCMP_ACT_ALLOW'], knownFlags: [] },
      intelRdt: { enabled: true, schemata: true, monitoring: false },
      memoryPolicy: { modes: ['MPOL_BIND'], flags: [] },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: { 'org.example': '1' },
  };
  expect(validateFeatures(features)).toEqual(features);
});

test('wrong types are refused', () => {
  expect(() => validateFeatures({ ociVersionMin: '1.0.0', linux: { cgroup: { v1: 'yes' } } })).toThrow(
    'features is not valid:\nociVersionMax: required, but missing\nlinux.cgroup.v1: expected true or false, got a string',
  );
});
