import { basename } from 'node:path';

/** The runtime under test, where every user of this machine may execute it: see scripts/test-interop.mjs. */
export const runtime = process.env.NSBOX_INTEROP_RUNTIME ?? '';
export const runtimeName = basename(runtime);

if (runtime === '') throw new Error('these tests are run by `npm run test:interop`');
