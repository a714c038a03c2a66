import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { measureEyes } from '../../../scripts/measure-eyes.ts';

/** Below what was measured, so that it fails when the eyes are broken and not when a figure moves. */
const FLOOR = { found: 0.6, posed: 0.8, poseError: 0.25 };

describe('the eyes on footage with known truth', () => {
  it.for(['default', 'better'] as const)(
    'the %s set finds most people of the front view, and their shoulders',
    async (set, ctx) => {
      const media = process.env.EVALROOM_MEDIA && join(process.env.EVALROOM_MEDIA, 'room-dev');
      if (!media || !existsSync(media)) return ctx.skip('needs EVALROOM_MEDIA with room-dev');
      const modelsFolder = process.env.EVALROOM_MODELS;
      if (set === 'better' && !modelsFolder) return ctx.skip('needs EVALROOM_MODELS');
      const dataFolder = await mkdtemp(join(tmpdir(), 'evalroom-footage-'));
      const figures = await measureEyes({
        media,
        set,
        every: 150,
        dataFolder,
        ...(modelsFolder ? { modelsFolder } : {}),
      });
      await rm(dataFolder, { recursive: true });
      for (const { video, found, posed, poseError } of figures.videos.filter((entry) => entry.video.includes('camA'))) {
        expect(found, video).toBeGreaterThan(FLOOR.found);
        expect(posed, video).toBeGreaterThan(FLOOR.posed);
        expect(poseError, video).toBeLessThan(FLOOR.poseError);
      }
    },
  );
});
