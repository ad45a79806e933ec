import { expect, test } from 'vitest';
import type { Engine } from '../support/engine.js';
import { runtime } from '../support/runtime.js';

/** What is podman's alone. */
export function podmanSuite(engine: Engine): void {
  test('the runtime under test is what runs', async () => {
    await using container = await engine.start();
    expect(await container.inspect('{{.OCIRuntime}}')).toBe(runtime);
  });
}
