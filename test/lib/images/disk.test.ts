import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Images } from '../../../lib/images/images.js';
import { isRoot } from '../../support/mode.js';
import { skipOnThisMachineUnless } from '../../support/skip.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { QUICK } from './support/fixture.js';
import { startImageServer } from './support/image-server.js';
import { makeImage } from './support/images.js';

describe('a disk that is full', () => {
  test('is told of, and when there is room the pull goes on', async (context) => {
    skipOnThisMachineUnless(context, isRoot, 'only root can mount a small disk');
    await using folder = new TemporaryDirectory();
    const mount = (...options: readonly string[]): unknown =>
      execFileSync('mount', [...options, '-t', 'tmpfs', 'tmpfs', folder.path]);
    mount('-o', 'size=400k');
    try {
      const image = makeImage({ files: { large: randomBytes(600_000) } });
      const layer = image.blobs[1]?.descriptor.digest;
      await using server = await startImageServer(image);
      await using images = await Images.open({ path: folder.join('store'), registries: QUICK });
      const name = `${server.name}/some/app:1`;
      await expect(images.pull(name)).rejects.toMatchObject({
        code: 'ERR_NO_SPACE',
        hint: expect.stringContaining('NSBOX_DATA'),
      });
      expect(await images.list()).toEqual([]);
      mount('-o', 'remount,size=2m');
      await images.pull(name);
      const asked = server.asked.filter((line) => line.includes(`${layer}`));
      expect(asked).toHaveLength(2);
      expect(await images.verify()).toMatchObject({ damaged: [], incomplete: [] });
    } finally {
      execFileSync('umount', [folder.path]);
    }
  });
});
