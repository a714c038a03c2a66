import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { createPerceive, doorRegions } from '../../../agent/perceive.ts';
import type { Frame } from '../../../hardware/camera.ts';
import { createEyes, type Eyes, type LookOptions } from '../../../models/pose/eyes.ts';
import { Bug, Unavailable } from '../../../protocol/errors.ts';
import type { FrameObservation, Keypoint } from '../../../protocol/observation.ts';
import type { RoomLayout } from '../../../protocol/room.ts';

const layout: RoomLayout = {
  roomId: 'r',
  name: 'r',
  centre: 'c',
  timeZone: 'Asia/Shanghai',
  seats: [
    {
      seatId: '1',
      name: '1',
      views: [
        {
          cameraId: 'cam',
          zone: [
            [0, 0],
            [0.5, 0],
            [0.5, 1],
          ],
        },
        {
          cameraId: 'other',
          zone: [
            [0, 0],
            [1, 0],
            [1, 1],
          ],
        },
      ],
    },
    {
      seatId: '2',
      name: '2',
      views: [
        {
          cameraId: 'other',
          zone: [
            [0, 0],
            [1, 0],
            [1, 1],
          ],
        },
      ],
    },
  ],
  zones: [
    {
      zoneId: 'd',
      kind: 'door',
      cameraId: 'cam',
      polygon: [
        [0, 0.2],
        [0.2, 0.2],
        [0.2, 0.6],
        [0, 0.6],
      ],
    },
    {
      zoneId: 'w',
      kind: 'window',
      cameraId: 'cam',
      polygon: [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    },
  ],
  doorLines: [],
  floor: [],
  roster: [],
};
const log = pino({ level: 'silent' });

/** Eyes that see one person, take `tookMs`, and are down for the frames named. */
function fakeEyes({ down = [] as number[], broken = false } = {}) {
  const asked: LookOptions[] = [];
  const eyes: Eyes = {
    modelSet: 'fake',
    async start() {},
    async look(_picture, options = {}) {
      asked.push(options);
      if (broken) throw new Bug('wrong_answer', 'cannot be');
      if (down.includes(options.frame ?? -1)) throw new Unavailable('eyes_down', 'the detector thread crashed');
      const box = [0.1, 0.1, 0.2, 0.5] as const;
      options.wantPose?.([{ box, score: 0.9 }]);
      return { persons: [{ box, score: 0.9 }], phones: [], closer: [], detectorMs: 20, poseMs: 30 };
    },
    health: () => ({
      state: 'running',
      restarts: 0,
      detector: { state: 'running', restarts: 0, cpuMs: 0, runs: 0 },
      pose: { state: 'running', restarts: 0, cpuMs: 0, runs: 0 },
    }),
    async close() {},
  };
  return { eyes, asked };
}

function setUp(numbers: readonly number[], { eyes }: { eyes: Eyes }, stepMs = 500) {
  const clock = virtualClock();
  async function* frames(): AsyncGenerator<Frame> {
    for (const frame of numbers) {
      await clock.advance(stepMs);
      const rgb = new Uint8Array(64 * 36 * 3).map((_, i) => (i * 31 + frame) % 251);
      yield { width: 64, height: 36, rgb, at: clock.now(), frame };
    }
  }
  const perceive = createPerceive({ camera: { cameraId: 'cam', frames }, eyes, layout, clock, log });
  return { perceive, clock };
}

async function all(observations: AsyncIterable<FrameObservation>): Promise<FrameObservation[]> {
  const list: FrameObservation[] = [];
  for await (const observation of observations) list.push(observation);
  return list;
}

describe('perceive', () => {
  it('has a picture whose seats are small looked at in parts, too, from the moment that they are drawn', async () => {
    const small = [
      [0, 0],
      [0.08, 0],
      [0.08, 0.3],
    ] as const;
    const seats = [{ seatId: '1', name: '1', views: [{ cameraId: 'cam', zone: small }] }];
    const fake = fakeEyes();
    const { perceive } = setUp([1, 2], fake);
    for await (const _ of perceive.observations()) perceive.relay({ ...layout, seats }, []);
    expect(fake.asked.map(({ regions }) => regions?.length)).toEqual([0, 2]);
  });

  it('measures shifts against the picture of now once a person has said that it is right', async () => {
    const clock = virtualClock();
    const { eyes } = fakeEyes();
    const [width, height] = [320, 180];
    /** A wall of blocks that differ, seen from so many pixels further left. */
    const wall = (left: number) => {
      const rgb = new Uint8Array(width * height * 3);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const [i, j] = [Math.floor((x + left) / 16), Math.floor(y / 16)];
          rgb.fill((i * 73 + j * 151 + i * j * 37) % 230, (y * width + x) * 3, (y * width + x) * 3 + 3);
        }
      return rgb;
    };
    let perceive: ReturnType<typeof createPerceive>;
    async function* frames(): AsyncGenerator<Frame> {
      for (const [frame, left] of [0, 0, 48, 48, 48].entries()) {
        await clock.advance(500);
        if (frame === 4) {
          perceive.relay(layout, []);
          perceive.watch.setReference(undefined);
        }
        yield { width, height, rgb: wall(left), at: clock.now(), frame };
      }
    }
    perceive = createPerceive({ camera: { cameraId: 'cam', frames }, eyes, layout, clock, log });
    const shifts = (await all(perceive.observations())).map(({ picture }) => Math.abs(picture.shift.dx));
    expect(shifts[1]).toBe(0);
    expect(shifts[3]).toBeGreaterThan(0.1);
    expect(shifts[4]).toBe(0);
  });

  it('looks by another layout from the next frame on, and keeps silent about the one it was looking at', async () => {
    const fake = fakeEyes();
    const { perceive } = setUp([0, 1, 2], fake);
    const [first] = layout.seats;
    const seen: string[] = [];
    const look = fake.eyes.look;
    fake.eyes.look = async (picture, options) => {
      if (options?.frame === 1) perceive.relay({ ...layout, seats: [{ ...first!, seatId: '7' }] }, []);
      return look(picture, options);
    };
    for await (const { at, patches } of perceive.observations())
      seen.push(`${at.monoMs} ${patches.map(({ seatId }) => seatId).join()}`);
    expect(seen).toEqual(['1500 1', '2500 7']);
  });

  it('gives one observation per frame, with the time of the frame and the seats of this camera', async () => {
    const fake = fakeEyes();
    const { perceive } = setUp([0, 1], fake);
    const observations = await all(perceive.observations());
    expect(observations.map(({ frame, at }) => [frame, at.monoMs])).toEqual([
      [0, 1_500],
      [1, 2_000],
    ]);
    expect(observations[0]).toMatchObject({ kind: 'frame', cameraId: 'cam', modelSet: 'fake', inferenceMs: 50 });
    expect(observations[0]!.persons).toHaveLength(1);
    expect(observations[0]!.patches.map(({ seatId }) => seatId)).toEqual(['1']);
    expect(observations[1]!.picture.change).toBeGreaterThan(0);
    await perceive.close();
  });

  it('counts the frames that the camera dropped meanwhile, and begins anew with a new capture run', async () => {
    const { perceive } = setUp([0, 1, 4, 5, 2, 3], fakeEyes());
    const observations = await all(perceive.observations());
    expect(perceive.health().drops).toBe(2 + 2);
    // Since the first one two and a half seconds: ten frames came, six of them were looked at.
    expect(perceive.health()).toMatchObject({ decodedFps: 4, analysedFps: 2.4 });
    expect(observations.map(({ frame }) => frame)).toEqual([0, 1, 2, 3, 0, 1]);
    await perceive.close();
  });

  it('takes no frame from before its first one for a rate of now', async () => {
    const { perceive } = setUp([30_000, 30_001], fakeEyes());
    await all(perceive.observations());
    expect(perceive.health().decodedFps).toBeLessThanOrEqual(2);
    await perceive.close();
  });

  it('gives nothing while the eyes are down, but counts it and says why until it is over', async () => {
    const { perceive } = setUp([0, 1, 2, 3], fakeEyes({ down: [1, 2] }));
    const seen: number[] = [];
    for await (const { at } of perceive.observations()) {
      seen.push(at.monoMs);
      if (seen.length === 1) expect(perceive.health()).toMatchObject({ blind: 0 });
    }
    expect(seen).toEqual([1_500, 3_000]);
    expect(perceive.health()).toMatchObject({ blind: 2, drops: 0 });
    expect(perceive.health().reason).toBeUndefined();
    await perceive.close();
  });

  it('is blind and goes on where the models of the eyes could not be used at all', async () => {
    // As a box with a truncated model file: the eyes reject at their start, and the room is watched without them.
    const eyes = createEyes({ dataFolder: '/nonexistent', clock: virtualClock(), log });
    const { perceive } = setUp([0, 1, 2], { eyes });
    expect(await all(perceive.observations())).toEqual([]);
    expect(perceive.health()).toMatchObject({ blind: 3, reason: expect.stringContaining('models of the eyes') });
    await perceive.close();
  });

  it('keeps the reason while it lasts', async () => {
    const { perceive } = setUp([0, 1], fakeEyes({ down: [1] }));
    await all(perceive.observations());
    expect(perceive.health().reason).toContain('crashed');
    await perceive.close();
  });

  it('does not swallow a fault of our own', async () => {
    const { perceive } = setUp([0], fakeEyes({ broken: true }));
    await expect(all(perceive.observations())).rejects.toMatchObject({ kind: 'Bug' });
    await perceive.close();
  });

  it('measures frames per second and time per frame over the last ten seconds', async () => {
    const { perceive, clock } = setUp(
      Array.from({ length: 60 }, (_, i) => i),
      fakeEyes(),
    );
    await all(perceive.observations());
    expect(perceive.health().analysedFps).toBeCloseTo(2, 1);
    expect(perceive.health().inferenceMs).toBe(50);
    const { detectorMs, poseMs, lagMs } = perceive.health();
    expect(detectorMs).toBeGreaterThan(0);
    expect(poseMs).toBeGreaterThan(0);
    expect(detectorMs + poseMs).toBe(50);
    expect(lagMs).toBeUndefined();
    await clock.advance(20_000);
    expect(perceive.health()).toMatchObject({ analysedFps: 0, inferenceMs: 0 });
    await perceive.close();
  });

  it('repeats in a still picture whom the closer look found, no pose that was thrown away, and no pose as new', async () => {
    const clock = virtualClock();
    const fake = fakeEyes();
    /** Upright, its shoulders so wide, its nose at (x, y). */
    const pose = (x: number, y: number, wide: number) =>
      Array.from({ length: 17 }, (_, i): Keypoint => {
        if (i === 5) return [x + wide / 2, y + wide, 1];
        if (i === 6) return [x - wide / 2, y + wide, 1];
        return i === 0 ? [x, y, 1] : [x, y + 2 * wide, 0];
      });
    const box = [0.1, 0.1, 0.3, 0.7] as const;
    const other = [0.7, 0.1, 0.9, 0.7] as const;
    fake.eyes.look = async (_picture, { wantPose, closer } = {}) => {
      const found = [
        { box, score: 0.9 },
        { box: other, score: 0.9 },
      ];
      wantPose?.(found);
      closer?.(found);
      return {
        persons: [
          { ...found[0]!, pose: pose(0.2, 0.2, 0.1) },
          { ...found[1]!, pose: pose(0.8, 0.2, 0.01) },
        ],
        phones: [],
        closer: [pose(0.5, 0.3, 0.1)],
        detectorMs: 1,
        poseMs: 1,
      };
    };
    async function* frames(): AsyncGenerator<Frame> {
      const rgb = new Uint8Array(64 * 36 * 3).map((_, i) => (i * 31) % 251);
      for (let frame = 0; frame < 3; frame++) {
        await clock.advance(500);
        yield { width: 64, height: 36, rgb, at: clock.now(), frame };
      }
    }
    const perceive = createPerceive({ camera: { cameraId: 'cam', frames }, eyes: fake.eyes, layout, clock, log });
    const seen = await all(perceive.observations());
    const told = seen.map(({ persons }) => persons.map((one) => (one.pose ? (one.poseAgeMs ?? 0) : 'no pose')));
    expect(told).toEqual([
      [0, 'no pose', 0],
      [500, 'no pose', 500],
      [1000, 'no pose', 1000],
    ]);
    expect(seen.map(({ inferenceMs }) => inferenceMs)).toEqual([2, 0, 0]);
  });

  it('looks at nothing more once it is closed', async () => {
    const fake = fakeEyes();
    const { perceive } = setUp([0, 1, 2], fake);
    for await (const _ of perceive.observations()) await perceive.close();
    expect(fake.asked).toHaveLength(1);
  });
});

describe('doorRegions', () => {
  it('are the doors of this camera with room around them, inside the picture', () => {
    const [region, ...others] = doorRegions(layout, 'cam');
    expect(others).toEqual([]);
    expect(region!.map((value) => Math.round(value * 100) / 100)).toEqual([0, 0.1, 0.25, 0.7]);
    expect(doorRegions(layout, 'other')).toEqual([]);
  });
});
