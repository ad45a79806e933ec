import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkImageConfig } from '../../lib/spec/image/config.js';
import { checkIndex } from '../../lib/spec/image/index.js';
import { checkLayout } from '../../lib/spec/image/layout.js';
import { checkManifest } from '../../lib/spec/image/manifest.js';
import { checkConfig } from '../../lib/spec/runtime/config.js';
import { checkFeatures } from '../../lib/spec/runtime/features.js';
import { checkState } from '../../lib/spec/runtime/state.js';
import { type Check, check } from '../../lib/spec/validate.js';
import { fullImageConfig, fullIndex, fullManifest } from '../lib/spec/image/samples.js';
import { configs } from '../lib/spec/runtime/arbitraries.js';
import { fullConfig, fullFeatures, fullState } from '../lib/spec/runtime/samples.js';
import {
  type Disagreement,
  disagreements,
  type Exception,
  loadSchemas,
  type Verdict,
} from '../lib/spec/schemas.js';

const runtime = loadSchemas('runtime-spec');
const image = loadSchemas('image-spec');
const missing = runtime === undefined || image === undefined;

if (missing) console.warn('skipped: no OCI schemas here; `node scripts/oci-schemas.mjs` fetches them');

test('the schemas are there where everything must work', () => {
  expect(missing && process.env.NSBOX_MUST_WORK === '1').toBe(false);
});

/** Where we refuse what runtime-spec's schema lets through: its text says more, or the kernel does. */
const CONFIG_EXCEPTIONS: readonly Exception[] = [
  { path: /^ociVersion$/, reason: 'the text wants SemVer, and we know 1.x' },
  { path: /^root$/, reason: 'the text requires it on Linux' },
  { path: /^root\.path$/, reason: 'an empty path names nothing' },
  { path: /^process\.consoleSize\.(height|width)$/, reason: 'the kernel has 16 bits for each' },
  { path: /^process\.user(\.[ug]id)?$/, reason: 'the text requires the user and both ids' },
  { path: /^process\.args$/, reason: 'the text wants at least the program' },
  { path: /env(\[\])?$/, reason: 'environ(7) is a list of NAME=value' },
  { path: /^process\.cwd$/, reason: 'the text wants an absolute path' },
  {
    path: /^process\.capabilities\.\w+(\[\])?$/,
    reason: 'only names of capabilities(7): a typo must not pass',
  },
  {
    path: /^process\.rlimits\[\]\.(soft|hard)$/,
    reason: 'setrlimit(2) fails on a soft limit above the hard one',
  },
  { path: /^process\.oomScoreAdj$/, reason: 'the kernel takes -1000 to 1000' },
  {
    path: /^process\.scheduler\.(priority|runtime|deadline|period)$/,
    reason: 'sched_setattr(2) takes them by policy',
  },
  { path: /^process\.ioPriority\.priority$/, reason: 'the kernel takes 0 to 7' },
  { path: /^mounts\[\]\.destination$/, reason: 'an empty path names nothing' },
  { path: /^mounts\[\]\.[ug]idMappings$/, reason: 'the text wants both or none' },
  { path: /[ug]idMappings\[\]\.size$/, reason: 'the kernel refuses an empty range' },
  { path: /^hooks\.\w+\[\]\.path$/, reason: 'the text wants an absolute path' },
  { path: /^hooks\.\w+\[\]\.timeout$/, reason: 'beyond 2^53 JSON numbers are not exact' },
  { path: /^linux(\.namespaces)?$/, reason: 'other fields of the sample need its namespaces' },
  { path: /^linux\.namespaces\[\]\.path$/, reason: 'the text wants an absolute path' },
  { path: /^linux\.devices\[\]\.path$/, reason: 'the text wants the full path' },
  { path: /\.(major|minor)$/, reason: 'the kernel has 12 and 20 bits; the text requires them for nodes' },
  { path: /^linux\.cgroupsPath$/, reason: 'an empty path names nothing' },
  { path: /^linux\.resources\.devices\[\]\.(type|access)$/, reason: 'the text lists a, b, c and r, w, m' },
  { path: /^linux\.resources\.memory\.limit$/, reason: 'swap counts memory too, so it cannot be below' },
  { path: /^linux\.resources\.memory\.swappiness$/, reason: 'the text says 0 to 100' },
  { path: /^linux\.resources\.cpu\.burst$/, reason: 'the kernel refuses a burst above the quota' },
  { path: /^linux\.resources\.cpu\.(cpus|mems)$/, reason: 'the kernel takes lists of numbers only' },
  { path: /^linux\.resources\.cpu\.idle$/, reason: 'the text says 0 or 1' },
  {
    path: /^linux\.resources\.blockIO\.weightDevice\[\]\.\w*[wW]eight$/,
    reason: 'the text wants at least one weight',
  },
  { path: /^linux\.resources\.blockIO\.throttle\w+\[\]\.rate$/, reason: 'the text requires it' },
  { path: /^linux\.resources\.network\.priorities\[\]\.name$/, reason: 'an interface has a name' },
  { path: /^linux\.resources\.rdma(\.\w+)*$/, reason: 'the text wants at least one of the two limits' },
  { path: /^linux\.seccomp\.listenerPath$/, reason: 'the text forbids metadata without it' },
  { path: /^linux\.seccomp\.syscalls\[\]\.names\[\]$/, reason: 'a system call has a name' },
  { path: /^linux\.sysctl$/, reason: 'only what belongs to one of the namespaces' },
  { path: /^linux\.(masked|readonly)Paths(\[\])?$/, reason: 'the text wants absolute paths' },
  { path: /^linux\.intelRdt\.closID$/, reason: 'it becomes the name of a directory' },
  {
    path: /^linux\.personality(\.domain|\.flags)?$/,
    reason: 'the text requires the domain and defines no flags',
  },
];

/** What runtime-spec 1.3 brought; older schemas have no opinion. */
const NEW_IN_1_3: readonly Exception[] = [
  { path: /^linux\.netDevices/, reason: 'new in 1.3' },
  { path: /^linux\.memoryPolicy/, reason: 'new in 1.3' },
  { path: /^linux\.intelRdt\.(schemata|enableMonitoring|monitoring)/, reason: 'new in 1.3' },
];

const STATE_EXCEPTIONS: readonly Exception[] = [
  { path: /^ociVersion$/, reason: 'the text wants SemVer, and we know 1.x' },
  { path: /^id$/, reason: 'an empty ID names nothing' },
  { path: /^pid$/, reason: 'the text requires it while running; the kernel has 31 bits' },
  { path: /^bundle$/, reason: 'the text wants an absolute path' },
];

const FEATURES_EXCEPTIONS: readonly Exception[] = [
  { path: /^(ociVersionM\w+|hooks\[\])$/, reason: 'an empty string names nothing' },
];

const IMAGE_EXCEPTIONS: readonly Exception[] = [
  { path: /size$/, reason: 'nothing has a negative or an inexact size' },
  { path: /data$/, reason: 'the text wants base64 of exactly size bytes' },
  { path: /platform/, reason: 'an empty string names nothing; the schema knows it in indexes only' },
  { path: /^mediaType$/, reason: 'a document has the media type of its own kind' },
  { path: /urls\[\]$/, reason: 'an empty string names nothing' },
  { path: /diff_ids(\[\])?$/, reason: 'the text wants digests' },
  { path: /created$/, reason: 'the text wants RFC 3339, which the schema says by format' },
  {
    path: /^config\.(Healthcheck|OnBuild|Shell|StopTimeout)/,
    reason: "Docker's own fields, unknown to the schema",
  },
];

interface Compared {
  readonly name: string;
  readonly verdict: Verdict | undefined;
  readonly checker: Check<unknown>;
  readonly sample: object;
  readonly stricter: readonly Exception[];
  /** Where we accept what the schema refuses. */
  readonly looser?: readonly Exception[];
}

const compared: readonly Compared[] = [
  {
    name: 'config.json',
    verdict: runtime?.('config-schema.json'),
    checker: checkConfig,
    sample: fullConfig(),
    stricter: [...CONFIG_EXCEPTIONS, ...NEW_IN_1_3],
  },
  {
    name: 'state',
    verdict: runtime?.('state-schema.json'),
    checker: checkState,
    sample: fullState(),
    stricter: STATE_EXCEPTIONS,
  },
  {
    name: 'features',
    verdict: runtime?.('features-schema.json'),
    checker: checkFeatures,
    sample: fullFeatures(),
    stricter: [...FEATURES_EXCEPTIONS, ...NEW_IN_1_3],
    looser: [{ path: /./, reason: 'other runtimes may know names that we do not' }],
  },
  {
    name: 'image manifest',
    verdict: image?.('image-manifest-schema.json'),
    checker: checkManifest,
    sample: fullManifest(),
    stricter: IMAGE_EXCEPTIONS,
  },
  {
    name: 'image index',
    verdict: image?.('image-index-schema.json'),
    checker: checkIndex,
    sample: fullIndex(),
    stricter: IMAGE_EXCEPTIONS,
  },
  {
    name: 'image configuration',
    verdict: image?.('config-schema.json'),
    checker: checkImageConfig,
    sample: fullImageConfig(),
    stricter: IMAGE_EXCEPTIONS,
    looser: [{ path: /./, reason: 'Docker writes null for empty lists' }],
  },
  {
    name: 'oci-layout',
    verdict: image?.('image-layout-schema.json'),
    checker: checkLayout,
    sample: { imageLayoutVersion: '1.0.0' },
    stricter: [],
  },
];

describe.skipIf(missing).each(compared)(
  '$name and its published schema',
  ({ verdict, checker, sample, stricter, looser = [] }) => {
    if (verdict === undefined) return;

    test('both accept the sample that has every field', () => {
      expect(check(checker, sample)).toMatchObject({ ok: true });
      expect(verdict(sample)).toBe(true);
    });

    test('both refuse the same mutations of it, in the same place, but for the exceptions', () => {
      expect(unexplained(disagreements(sample, checker, verdict), stricter, looser)).toEqual([]);
    });
  },
);

/** What no exception explains, each case once. */
function unexplained(
  found: readonly Disagreement[],
  stricter: readonly Exception[],
  looser: readonly Exception[] = [],
): readonly string[] {
  const exceptions = { stricter, looser, elsewhere: [] };
  const rest = found.filter(
    ({ kind, path }) => !exceptions[kind].some((exception) => exception.path.test(path)),
  );
  return [...new Set(rest.map(({ kind, path, value }) => `${kind}: ${path}: ${JSON.stringify(value)}`))];
}

describe.skipIf(missing)('config.json', () => {
  const verdict = runtime?.('config-schema.json') ?? (() => false);

  test('no exception has outlived its cause', () => {
    const stricter = disagreements(fullConfig(), checkConfig, verdict).filter(
      ({ kind }) => kind === 'stricter',
    );
    const idle = CONFIG_EXCEPTIONS.filter(
      (exception) => !stricter.some(({ path }) => exception.path.test(path)),
    );
    expect(idle).toEqual([]);
  });

  test('both accept whatever keeps the rules', () => {
    fc.assert(
      fc.property(configs, (config) => {
        expect(check(checkConfig, config)).toMatchObject({ ok: true });
        expect(verdict(config)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('both refuse the same mutations of it', () => {
    fc.assert(
      fc.property(configs, (config) => {
        const found = disagreements(config, checkConfig, verdict);
        expect(unexplained(found, [...CONFIG_EXCEPTIONS, ...NEW_IN_1_3])).toEqual([]);
      }),
      { numRuns: 3, endOnFailure: true },
    );
  });
});
