import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { expect } from 'vitest';
import { Treasure } from '../support/attack.js';
import { Runtime } from '../support/runtime.js';
import { testOursRoot } from '../support/test.js';

testOursRoot('a mount on a place that criu would read as another is refused at a checkpoint', async () => {
  await using runtime = new Runtime();
  const treasure = new Treasure(runtime);
  mkdirSync(`${runtime.folder}/source`);
  // The place is an image's: a link of its own leads the mount there.
  for (const [target, link] of [
    ['/a]:/b', undefined],
    ['/way', `/x]:${treasure.path}`],
  ] as const) {
    const bundle = runtime.bundle((config) => {
      config.process.args = ['sleep', '1000'];
      config.mounts.push({
        destination: target,
        type: 'bind',
        source: `${runtime.folder}/source`,
        options: ['bind'],
      });
    });
    if (link !== undefined) {
      mkdirSync(bundle.inside(link), { recursive: true });
      symlinkSync(link, bundle.inside('way'));
    }
    const id = runtime.id();
    await runtime.ok(['create', '--bundle', bundle.path, id]);
    await runtime.ok(['start', id]);
    const images = `${runtime.folder}/images-${id}`;
    const result = await runtime.call(['checkpoint', '--image-path', images, '--leave-running', id]);
    expect(result.code).not.toBe(0);
    if (link === undefined) expect(result.stderr).toContain('criu cannot be told');
    expect(existsSync(`${images}/mountpoints-1.img`)).toBe(false);
    await runtime.ok(['delete', '--force', id]);
  }
  treasure.expectUntouched();
});
