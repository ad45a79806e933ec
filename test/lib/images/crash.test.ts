import { randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Images } from '../../../lib/images/images.js';
import { isLong, isSlow } from '../../support/mode.js';
import { eventually } from '../../support/polling.js';
import { TemporaryDirectory } from '../../support/temporary.js';
import { QUICK } from './support/fixture.js';
import { startImageServer, type Trick } from './support/image-server.js';
import { makeImage } from './support/images.js';
import { bundle, Worker } from './support/workers.js';

const KILLS = isLong ? 300 : isSlow ? 3 : 20;
const IMAGE = makeImage({
  files: { a: randomBytes(400_000), b: randomBytes(300_000), c: randomBytes(200_000), d: 'small' },
});

/** Blobs come in pieces, so that there are moments in the middle of them. */
const slowly: Trick = (request, response, blob) => {
  if (blob === undefined || blob.bytes.length < 50_000) return false;
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const { length } = blob.bytes;
  const range = { 'content-range': `bytes ${start}-${length - 1}/${length}` };
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': length - start, ...(start > 0 && range) });
  void (async () => {
    for (let at = start; at < length && !response.destroyed; at += 40_000) {
      response.write(blob.bytes.subarray(at, at + 40_000));
      await sleep(1);
    }
    response.end();
  })();
  return true;
};

describe('kills at random moments', () => {
  test(
    'of two processes that pull and remove the same image leave nothing wrong',
    async () => {
      await using folder = new TemporaryDirectory();
      await using server = await startImageServer(IMAGE, slowly);
      const program = await bundle('worker', folder);
      const name = `${server.name}/some/app:1`;
      const path = folder.join('store');
      await using images = await Images.open({ path, registries: QUICK });
      let other = await Worker.start(program, path, name);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const next = await Worker.start(program, path, name);
        await sleep(Math.random() * 120);
        await other.kill();
        expect(other.stderr()).toBe('');
        // The other goes on meanwhile.
        expect(await images.verify()).toMatchObject({ damaged: [], incomplete: [] });
        other = next;
      }
      await other.kill();
      expect(other.stderr()).toBe('');
      const image = await images.pull(name);
      expect(await images.verify()).toMatchObject({ damaged: [], incomplete: [] });
      expect(image.manifest.layers).toHaveLength(4);
      await images.remove(name);
      await images.prune();
      expect(await images.verify()).toMatchObject({ checked: 0 });
    },
    KILLS * 10_000,
  );

  test('let the next pull go on where they stopped', async () => {
    await using folder = new TemporaryDirectory();
    const layer = IMAGE.blobs[1];
    let wasSent = (): void => {};
    const sent = new Promise<void>((resolve) => {
      wasSent = resolve;
    });
    const ranges: (string | undefined)[] = [];
    // The first time only so much of the layer comes, and no more.
    const half: Trick = (request, response, blob) => {
      if (blob !== layer || layer === undefined) return false;
      ranges.push(request.headers.range);
      if (ranges.length > 1) return false;
      response.writeHead(200, { 'content-length': layer.bytes.length });
      response.write(layer.bytes.subarray(0, 200_000), () => wasSent());
      return true;
    };
    await using server = await startImageServer(IMAGE, half);
    const name = `${server.name}/some/app:1`;
    const path = folder.join('store');
    await using images = await Images.open({ path, registries: QUICK });
    {
      await using worker = await Worker.start(await bundle('worker', folder), path, name);
      await sent;
      await hasWritten(path, 200_000);
      await worker.kill();
    }
    await images.pull(name);
    expect(ranges).toEqual([undefined, 'bytes=200000-']);
    expect(await images.verify()).toMatchObject({ damaged: [], incomplete: [] });
  });
});

async function hasWritten(path: string, size: number): Promise<void> {
  const folder = `${path}/.nsbox/ingest`;
  await eventually(
    () =>
      readdirSync(folder).map((name) => statSync(`${folder}/${name}`, { throwIfNoEntry: false })?.size ?? 0),
    (sizes) => sizes.includes(size),
    15_000,
  );
}
