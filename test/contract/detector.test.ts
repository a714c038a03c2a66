/** What every person detector promises, run on the scripted one and on the real ones. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { loadManifest, weightFile } from '../../models/manifest.ts';
import { createBlazePose, findLiteRt } from '../../models/pose/blazepose.ts';
import { createCenterNet } from '../../models/pose/centernet.ts';
import type { PersonDetector, Picture } from '../../models/pose/detector.ts';
import { createScripted } from '../../models/pose/scripted.ts';
import { createYolox } from '../../models/pose/yolox.ts';
import type { Box } from '../../protocol/seat.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

async function fileOf(name: string, folder: string): Promise<string> {
  const { weights } = await loadManifest();
  return weightFile(weights.find((weight) => weight.name === name)!, folder);
}

const DRIVERS = [
  {
    name: 'scripted',
    open: async () =>
      createScripted({
        steps: [
          {
            from: 0,
            persons: [
              { box: [0.1, 0.2, 0.2, 0.6], score: 0.6 },
              { box: [0.5, 0.2, 0.6, 0.6], score: 0.9 },
            ],
          },
        ],
      }),
    reason: async () => undefined,
  },
  {
    name: 'centernet',
    open: async () => createCenterNet({ file: await fileOf('centernet-graph', ROOT) }),
    reason: async () => undefined,
  },
  {
    name: 'blazepose',
    open: async () => createBlazePose({ file: await fileOf('blazepose-detector', ROOT) }),
    reason: async () => (findLiteRt() ? undefined : 'needs @litertjs/core'),
  },
  {
    name: 'yolox-nano',
    open: async () => createYolox({ file: await fileOf('yolox-nano', process.env.EVALROOM_MODELS!) }),
    reason: async () => {
      const folder = process.env.EVALROOM_MODELS;
      return folder && existsSync(await fileOf('yolox-nano', folder))
        ? undefined
        : 'needs yolox_nano.onnx in EVALROOM_MODELS';
    },
  },
] as const;

/** A frame with five seated people, from the footage of the tests. */
function roomPicture(ctx: TestContext): Picture {
  const media = process.env.EVALROOM_MEDIA;
  const video = media
    ? join(media, 'room-dev', 'S1_camA.mp4')
    : globSync(join(ROOT, 'test/fixtures/room/**/S*_camA*.mp4'))[0];
  if (!video || !existsSync(video)) ctx.skip('needs footage: EVALROOM_MEDIA or test/fixtures/room');
  const [width, height] = [640, 360];
  const args = ['-v', 'error', '-ss', '2', '-i', video!, '-frames:v', '1', '-vf', `scale=${width}:${height}`];
  const rgb = execFileSync('ffmpeg', [...args, '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'], { maxBuffer: 1e7 });
  return { width, height, rgb };
}

describe.each(DRIVERS)('the person detector $name', ({ name, open, reason }) => {
  let detector: PersonDetector;
  let missing: string | undefined;
  beforeAll(async () => {
    missing = await reason();
    if (!missing) detector = await open();
  });
  afterAll(() => detector?.close());

  const promise = (title: string, run: (ctx: TestContext) => Promise<void>) =>
    it(title, async (ctx) => {
      if (missing) ctx.skip(missing);
      await run(ctx);
    });

  promise('has the name that observations carry', async () => {
    expect(detector.name).toBe(name);
  });

  promise('refuses bytes that are not the size told', async () => {
    const picture = { width: 8, height: 8, rgb: new Uint8Array(8 * 8 * 3 - 1) };
    await expect(detector.detect(picture)).rejects.toMatchObject({ kind: 'InvalidInput', code: 'picture_size' });
  });

  promise('gives real boxes in fractions of the picture, best first', async (ctx) => {
    const found = await detector.detect(name === 'scripted' ? grey() : roomPicture(ctx));
    const persons = found.filter(({ label }) => label === 'person');
    expect(persons.length).toBeGreaterThanOrEqual(2);
    for (const { box, score } of found) {
      const [x0, y0, x1, y1] = box;
      expect(x1).toBeGreaterThan(x0);
      expect(y1).toBeGreaterThan(y0);
      expect(Math.min(x0, y0)).toBeGreaterThan(-0.2);
      expect(Math.max(x1, y1)).toBeLessThan(1.2);
      expect(score).toBeGreaterThan(0);
      expect(score).toBeLessThanOrEqual(1);
    }
    const scores = found.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  promise('looks into a region only, in fractions of the whole all the same', async (ctx) => {
    const region: Box = [0, 0, 0.45, 1];
    const found = await detector.detect(name === 'scripted' ? grey() : roomPicture(ctx), region);
    expect(found.length).toBeGreaterThanOrEqual(1);
    for (const { box } of found) expect(box[2]).toBeLessThan(0.5);
  });

  promise('answers several at once as it answers one after the other', async (ctx) => {
    const picture = name === 'scripted' ? grey() : roomPicture(ctx);
    const left: Box = [0, 0, 0.6, 1];
    const alone = [await detector.detect(picture, left), await detector.detect(picture)];
    expect(await Promise.all([detector.detect(picture, left), detector.detect(picture)])).toEqual(alone);
  });

  promise('sees nobody where nobody is', async (ctx) => {
    if (name === 'scripted') ctx.skip('the script does not look at the picture');
    expect(await detector.detect(grey())).toEqual([]);
  });
});

function grey(): Picture {
  return { width: 320, height: 180, rgb: new Uint8Array(320 * 180 * 3).fill(120) };
}
