import { describe } from 'vitest';
import { everySuite } from './suites/every.js';
import { podmanSuite } from './suites/podman.js';
import { podman } from './support/podman.js';

const engine = podman();
describe(`podman${engine.options.isRootless ? ' of an ordinary user' : ''}`, () => {
  everySuite(engine);
  podmanSuite(engine);
});
