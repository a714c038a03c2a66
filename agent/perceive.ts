/** From the frames of one camera to observations: the newest frame goes to the eyes, late ones are dropped and counted. */
import type { Logger } from 'pino';
import type { Camera, Frame } from '../hardware/camera.ts';
import type { Motion } from '../models/motion.ts';
import { createPictureWatch, type PictureWatch } from '../models/picture.ts';
import type { Eyes } from '../models/pose/eyes.ts';
import { boxOfPose, withoutMiniatures } from '../models/pose/refine.ts';
import { createPoseSchedule } from '../models/pose/schedule.ts';
import { EvalroomError, Unavailable } from '../protocol/errors.ts';
import type { FrameObservation } from '../protocol/observation.ts';
import type { RoomLayout } from '../protocol/room.ts';
import { type Box, bounds } from '../protocol/seat.ts';
import type { Clock, MonoMs } from '../protocol/time.ts';
import { createAttention } from './attention.ts';
import { createHeadMemory } from './blur.ts';
import { confirm, createCloserLook } from './closer.ts';
import { createRate, RATE_MS } from './rate.ts';
import { encodeSnapshot } from './snapshot.ts';
import { tilesFor } from './tiles.ts';

export interface PerceiveOptions {
  readonly camera: Pick<Camera, 'cameraId' | 'frames'>;
  readonly eyes: Eyes;
  readonly layout: RoomLayout;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Parts of the picture to be looked into besides the whole while something is going on there, such as
   * `doorRegions()`; default none.
   */
  readonly regions?: readonly Box[];
  /** Heads are blurred in stills; default not. */
  readonly blurHeads?: boolean;
}

export interface PerceiveHealth {
  /** Observations per second over the last ten seconds. */
  readonly analysedFps: number;
  /** Frames that were never looked at because newer ones came while the eyes were busy. */
  readonly drops: number;
  /** Frames that gave no observation because the eyes were down or failed. */
  readonly blind: number;
  /** Mean time of the eyes per frame over the last ten seconds. */
  readonly inferenceMs: number;
  /** Of that, finding people and finding their limbs. */
  readonly detectorMs: number;
  readonly poseMs: number;
  /** Frames per second that the decoder gave, those included that were never looked at. */
  readonly decodedFps: number;
  /** How old pictures were when they came, mean of the last ten seconds; absent where the camera's part does not know it. */
  readonly lagMs?: number;
  /** How often the detector ran on the whole picture and on regions, and poses made, each per second of the last ten. */
  readonly detectionsPerSecond: number;
  readonly regionsPerSecond: number;
  readonly posesPerSecond: number;
  /** Frames are dropped again and again: one pose a frame, for who waited longest. */
  readonly strained: boolean;
  /** Monotonic ms of the last observation, 0 before the first. */
  readonly lastMonoMs: MonoMs;
  /** Why the last frame gave no observation; gone after the next good one. */
  readonly reason?: string;
}

export interface Perceive {
  /**
   * One observation per frame that was looked at, in order. To be iterated once. Ends when the camera's frames end.
   * Holds no queue: while the reader is busy nothing is looked at, and the camera keeps its newest frame only.
   */
  observations(): AsyncIterable<FrameObservation>;
  health(): PerceiveHealth;
  /** JPEG of a frame not older than ten seconds while frames come, with the time of that frame. */
  snapshot(): { readonly jpeg: Uint8Array; readonly atMonoMs: MonoMs } | undefined;
  /** Heads around that time, where they are to be hidden; undefined: nobody knows where they were. */
  headsNear(monoMs: MonoMs): readonly Box[] | undefined;
  /** The picture against which the camera's shift is measured. */
  readonly watch: Pick<PictureWatch, 'reference' | 'setReference'>;
  /** Looks by other seats and regions from now on; a frame that is being looked at gives no observation. */
  relay(layout: RoomLayout, regions: readonly Box[]): void;
  close(): Promise<void>;
}

const SNAPSHOT_EVERY_MS = 10_000;
/** Share of the cells of a person's box whose change makes a new pose worth while: a hand, not a flicker of the codec. */
const STIRS = 0.01;
/** Poses for one frame while the eyes are strained. */
const STRAINED_POSES = 1;
/** Model sets whose detector looks in parts of the picture anyway. */
const TILED = /^blazepose/;

/** Assigns only; work begins when `observations()` is iterated. */
export function createPerceive({
  camera,
  eyes,
  layout,
  clock,
  log,
  regions = [],
  blurHeads,
}: PerceiveOptions): Perceive {
  const { cameraId } = camera;
  let watch = createPictureWatch({ seats: zonesOf(layout, cameraId) });
  const schedule = createPoseSchedule();
  let attention = createAttention({ regions, zones: zonesOf(layout, cameraId).map(({ zone }) => zone) });
  let closer = createCloserLook({ zones: zonesOf(layout, cameraId).map(({ zone }) => zone) });
  let tiles = tilesFor(zonesOf(layout, cameraId).map(({ zone }) => zone));
  const stop = new AbortController();
  const spent = { detector: createRate(clock), pose: createRate(clock) };
  const decoded = createRate(clock);
  const lag = createRate(clock);
  let lagKnown = false;
  const seen = createRate(clock);
  const work = { detections: createRate(clock), regions: createRate(clock), poses: createRate(clock) };
  const still = createStill(clock, log.child({ cameraId }));
  const heads = blurHeads ? createHeadMemory() : undefined;
  let drops = 0;
  let blind = 0;
  let analysed = 0;
  let lastFrame = -1;
  let cameMs: MonoMs | undefined;
  let lastMonoMs = 0;
  let reason: string | undefined;

  function count(frame: Frame): void {
    // Numbers begin anew with each capture run, and the run's first frame is number 0.
    const again = frame.frame <= lastFrame;
    const missed = again ? frame.frame : frame.frame - lastFrame - 1;
    if (again) analysed = 0;
    drops += missed;
    lastFrame = frame.frame;
    // After a long look: of what came meanwhile only the share of the last ten seconds counts.
    const now = clock.monoMs();
    // Since when those before the first one came, nobody knows.
    decoded.add(cameMs === undefined ? 1 : 1 + missed * Math.min(1, RATE_MS / Math.max(1, now - cameMs)));
    cameMs = now;
    lagKnown = frame.lagMs !== undefined;
    if (frame.lagMs !== undefined) lag.add(frame.lagMs);
  }

  async function see(frame: Frame, motion: Motion): Promise<Pick<FrameObservation, 'persons' | 'inferenceMs'>> {
    const nowMs = frame.at.monoMs;
    const plan = attention.plan(frame, motion);
    // A script goes on while its picture stands still.
    if (plan.repeat && eyes.modelSet !== 'scripted')
      return { persons: schedule.carry(plan.repeat, nowMs), inferenceMs: 0 };
    // Eyes whose models could not be used never open: that is a blind room, not one that may end.
    if (eyes.modelSet === 'none')
      throw new Unavailable('eyes_down', 'the models of the eyes can not be used (evalroom models verify says why)');
    // That of npm's set looks in parts of its own.
    const parts = plan.strained || TILED.test(eyes.modelSet) ? [] : tiles;
    const regions = [...parts, ...plan.regions];
    let poses = 0;
    const look = await eyes.look(frame, {
      wantPose: (found) => {
        const wanted = schedule.plan(found, {
          nowMs,
          stirs: (box) => motion.within(box) > STIRS,
          ...(plan.strained ? { perFrame: STRAINED_POSES } : {}),
        });
        poses = wanted.length;
        return wanted;
      },
      // A busy machine has no time for it, and a script tells everybody who is there.
      closer: (found) => {
        const boxes = plan.strained || eyes.modelSet === 'scripted' ? [] : closer.plan(found, nowMs);
        poses += boxes.length;
        return boxes;
      },
      regions,
      frame: frame.frame,
    });
    const inferenceMs = look.detectorMs + look.poseMs;
    spent.detector.add(look.detectorMs);
    spent.pose.add(look.poseMs);
    work.detections.add(1);
    work.regions.add(regions.length);
    work.poses.add(poses);
    const aspect = frame.width / frame.height;
    const cleaned = withoutMiniatures(look.persons, aspect);
    const persons = schedule.carry(cleaned, nowMs);
    const { besides, confirmed } = closer.found(look.closer, persons, (pose, last) => {
      // A miniature here is worse than elsewhere: its small box would take the track of who sits there.
      const [whole] = last ? withoutMiniatures([{ box: last, score: 0, pose }, ...persons], aspect) : [{ pose }];
      return whole?.pose && boxOfPose(whole.pose, aspect);
    });
    attention.saw(frame, [...confirm(cleaned, confirmed), ...besides]);
    return { persons: [...confirm(persons, confirmed), ...besides], inferenceMs };
  }

  async function observe(frame: Frame): Promise<FrameObservation | undefined> {
    const lookedBy = watch;
    const { picture, patches, motion } = watch.look(frame);
    if (!heads) still.offer(frame);
    try {
      const { persons, inferenceMs } = await see(frame, motion);
      reason = undefined;
      heads?.saw(persons, frame.at.monoMs, frame.width / frame.height);
      if (watch !== lookedBy) return undefined;
      lastMonoMs = clock.monoMs();
      seen.add(1);
      return {
        kind: 'frame',
        cameraId,
        at: frame.at,
        ...(frame.lagMs === undefined ? {} : { lagMs: frame.lagMs }),
        frame: analysed++,
        aspect: frame.width / frame.height,
        persons,
        picture,
        patches,
        modelSet: eyes.modelSet,
        inferenceMs,
      };
    } catch (error) {
      if (!(error instanceof EvalroomError) || error.kind === 'Bug') throw error;
      // The eyes log their own falls; here it is only counted, and seen in health().
      blind += 1;
      reason = error.message;
      attention.forget();
      return undefined;
    } finally {
      if (heads && still.isDue()) still.offer({ ...frame, ...heads.blurred(frame, frame.at.monoMs) });
    }
  }

  return {
    async *observations() {
      for await (const frame of camera.frames()) {
        if (stop.signal.aborted) return;
        count(frame);
        const observation = await observe(frame);
        if (stop.signal.aborted) return;
        if (observation) yield observation;
      }
    },
    health: () => ({
      analysedFps: seen.perSecond(),
      drops,
      blind,
      inferenceMs: spent.detector.mean() + spent.pose.mean(),
      detectorMs: spent.detector.mean(),
      poseMs: spent.pose.mean(),
      decodedFps: decoded.perSecond(),
      ...(lagKnown ? { lagMs: lag.mean() } : {}),
      detectionsPerSecond: work.detections.perSecond(),
      regionsPerSecond: work.regions.perSecond(),
      posesPerSecond: work.poses.perSecond(),
      strained: attention.strained(),
      lastMonoMs,
      ...(reason === undefined ? {} : { reason }),
    }),
    snapshot: () => still.latest(),
    headsNear: (monoMs) => heads?.near(monoMs),
    watch: { reference: () => watch.reference(), setReference: (reference) => watch.setReference(reference) },
    relay(next, around) {
      const zones = zonesOf(next, cameraId);
      watch = createPictureWatch({ seats: zones });
      attention = createAttention({ regions: around, zones: zones.map(({ zone }) => zone) });
      closer = createCloserLook({ zones: zones.map(({ zone }) => zone) });
      tiles = tilesFor(zones.map(({ zone }) => zone));
    },
    async close() {
      stop.abort();
    },
  };
}

/** The seats' zones as this camera sees them. */
function zonesOf(layout: RoomLayout, cameraId: string) {
  return layout.seats.flatMap(({ seatId, views }) =>
    views.filter((view) => view.cameraId === cameraId).map(({ zone }) => ({ seatId, zone })),
  );
}

/** Regions around the doors that this camera sees, half as large again: people just coming in are small and half hidden. */
export function doorRegions(layout: RoomLayout, cameraId: string): Box[] {
  return layout.zones
    .filter((zone) => zone.kind === 'door' && zone.cameraId === cameraId)
    .map(({ polygon }) => {
      const [x0, y0, x1, y1] = bounds(polygon);
      const [w, h] = [(x1 - x0) / 4, (y1 - y0) / 4];
      return [Math.max(0, x0 - w), Math.max(0, y0 - h), Math.min(1, x1 + w), Math.min(1, y1 + h)] as const;
    });
}

/** Keeps the latest still: one every ten seconds. */
function createStill(clock: Clock, log: Logger) {
  let latest: { readonly jpeg: Uint8Array; readonly atMonoMs: MonoMs } | undefined;
  let madeMs = Number.NEGATIVE_INFINITY;
  let failing = false;
  const isDue = () => clock.monoMs() - madeMs >= SNAPSHOT_EVERY_MS;
  return {
    isDue,
    offer(frame: Frame) {
      if (!isDue()) return;
      madeMs = clock.monoMs();
      try {
        latest = { jpeg: encodeSnapshot(frame), atMonoMs: frame.at.monoMs };
        failing = false;
      } catch (error) {
        // A camera without stills is watched all the same.
        if (!failing) log.warn({ err: error }, 'no snapshot could be made');
        failing = true;
      }
    },
    latest: () => latest,
  };
}
