/** Between one segment of a camera and the next: whether something was not recorded, so that it is said though no clip ever needs it. */
import type { SegmentFile } from '../../hardware/camera.ts';
import type { Clock, MonoMs } from '../../protocol/time.ts';
import { HOLE_MS, type Missing, NOTHING_RECORDED } from './clip.ts';
import type { RingSegment } from './ring.ts';

/** Filing may have been late by so much. */
const LATE_MS = 10_000;

/** Asked once for each segment, when it is filed; `before` is the camera's newest until then, also of a former life of the agent. */
export type FindHole = (cameraId: string, before: RingSegment | undefined, file: SegmentFile) => Missing | undefined;

export function createHoles(clock: Pick<Clock, 'monoMs'>): FindHole {
  const filed = new Map<string, MonoMs>();
  return (cameraId, before, { beginWallMs, anew }) => {
    const nowMonoMs = clock.monoMs();
    const lastMonoMs = filed.get(cameraId);
    filed.set(cameraId, nowMonoMs);
    const holeMs = before ? beginWallMs - before.endWallMs : 0;
    // A wall clock that was set forward looks like a hole, but so much time has not passed.
    const isStep = lastMonoMs !== undefined && holeMs > nowMonoMs - lastMonoMs + LATE_MS;
    if (!before || isStep) return undefined;
    const fromWallMs = before.endWallMs;
    const toWallMs = Math.max(fromWallMs, Math.round(beginWallMs));
    // Told however short it is: where recording began anew is where somebody may ask what is missing.
    if (anew !== undefined) return { fromWallMs, toWallMs, reason: anew };
    return holeMs > HOLE_MS ? { fromWallMs, toWallMs, reason: NOTHING_RECORDED } : undefined;
  };
}
