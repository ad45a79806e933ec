const shared = require('../../vitest.config.cjs');

// These run in a machine that scripts/test-interop.mjs makes for each client, so `npm test` does not see them.

/** @type {import('vitest/config').ViteUserConfig} */
module.exports = {
  ...shared,
  test: {
    ...shared.test,
    name: 'interop',
    include: ['test/interop/*.interop.ts'],
    globalSetup: [],
    setupFiles: [],
    // One daemon, one network: the tests of a client go one after another.
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
};
