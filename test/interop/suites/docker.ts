import { expect, test } from 'vitest';
import type { Engine } from '../support/engine.js';
import { RUNTIME_NAME } from '../support/docker.js';

/** What is dockerd's alone. */
export function dockerSuite(engine: Engine): void {
  test('the runtime under test is what runs', async () => {
    await using container = await engine.start();
    expect(await container.inspect('{{.HostConfig.Runtime}}')).toBe(RUNTIME_NAME);
    expect(await engine.ok(['info', '--format', '{{.DefaultRuntime}}'])).toBe(RUNTIME_NAME);
  });
}
