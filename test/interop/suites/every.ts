import { describe } from 'vitest';
import type { Engine } from '../support/engine.js';
import { execSuite } from './exec.js';
import { filesystemSuite } from './filesystem.js';
import { imagesSuite } from './images.js';
import { lifecycleSuite } from './lifecycle.js';
import { limitsSuite } from './limits.js';
import { networkSuite } from './network.js';
import { runSuite } from './run.js';
import { securitySuite } from './security.js';
import { terminalSuite } from './terminal.js';

/** All that is the same for podman and docker. */
export function everySuite(engine: Engine): void {
  describe('run', () => runSuite(engine));
  describe('files', () => filesystemSuite(engine));
  describe('security', () => securitySuite(engine));
  describe('exec', () => execSuite(engine));
  describe('terminals', () => terminalSuite(engine));
  describe('life', () => lifecycleSuite(engine));
  describe('images', () => imagesSuite(engine));
  describe('networks', () => networkSuite(engine));
  if (engine.hasGroups) describe('limits', () => limitsSuite(engine));
}
