// CommonJS, because Vite bundles any other configuration into a file beside it, and the checkout may be read-only: the
// virtual machine's is, and an ordinary user's may be root's.
const { join } = require('node:path');

const slow = process.env.NSBOX_VM === '1';
const seconds = slow ? 180 : 20;

/** @type {import('vitest/config').ViteUserConfig} */
module.exports = {
  // Node 20 has no `await using`.
  oxc: { target: 'es2022' },
  // The library as a user imports it, by its package's name: built, and loaded by Node itself.
  resolve: { alias: { nsbox: join(__dirname, 'dist/index.js') } },
  test: {
    name: process.geteuid?.() === 0 ? 'root' : 'rootless',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/suite.ts'],
    setupFiles: ['test/support/file.ts'],
    server: { deps: { external: [/\/dist\//] } },
    cache: false,
    testTimeout: seconds * 1000,
    hookTimeout: seconds * 1000,
  },
};
