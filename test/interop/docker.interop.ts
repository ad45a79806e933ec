import { describe } from 'vitest';
import { dockerSuite } from './suites/docker.js';
import { everySuite } from './suites/every.js';
import { docker } from './support/docker.js';

const { engine, restart } = docker();
describe('dockerd', () => {
  everySuite(engine);
  dockerSuite({ engine, restart });
});
