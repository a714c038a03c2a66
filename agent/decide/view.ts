/** What people see of the room's machine: seats, boxes over the live picture, faults. */
import type { Level, Occupancy } from '../../protocol/event.ts';
import type { Keypoint } from '../../protocol/observation.ts';
import type { Box } from '../../protocol/seat.ts';
import { FORGET_MS } from './camera.ts';
import type { LeftSeat } from './left-seat.ts';
import type { Ears } from './microphone-fault.ts';
import { faultsOf, type PoorSound } from './poor-sound.ts';
import type { Scene } from './scene.ts';
import { widened, widthOf } from './shape.ts';
import { CAMERA_FAULTS, movedBy } from './sight.ts';

/** What the page, the overlay and the state topic draw. */
export interface RoomView {
  readonly seats: readonly {
    readonly seatId: string;
    readonly occupancy: Occupancy;
    readonly sinceWallMs: number;
    /** UNKNOWN, SEATED, LEAVING, AWAY or RETURNED. */
    readonly state: string;
    readonly level?: Level;
  }[];
  readonly tracks: readonly {
    readonly trackId: number;
    readonly cameraId: string;
    readonly box: Box;
    readonly pose?: readonly Keypoint[];
    readonly seatId?: string;
  }[];
  readonly faults: readonly { readonly sourceId: string; readonly fault: string; readonly sinceWallMs: number }[];
  /** Cameras that were nudged so little that zones and people are moved along: by these fractions of the picture. */
  readonly nudged: readonly { readonly cameraId: string; readonly dx: number; readonly dy: number }[];
}

/** `rules`: the states of the rules by their names. */
export function viewOf(rules: Readonly<Record<string, unknown>>, scene: Scene): RoomView {
  const left = rules.left_seat as readonly LeftSeat[];
  return {
    seats: scene.seats.map(({ seatId, occupancy, sinceWallMs }) => {
      const rule = left.find((s) => s.seatId === seatId);
      const level = rule?.episode && rule.episode.endedMonoMs === undefined ? rule.episode.level : undefined;
      return { seatId, occupancy, sinceWallMs, state: rule?.state ?? 'UNKNOWN', ...(level ? { level } : {}) };
    }),
    tracks: scene.cameras.flatMap((c) =>
      c.tracks
        .filter((t) => t.confirmed && t.seenMonoMs === c.sight.frame?.monoMs)
        .map((t) => widened(t, 1 / widthOf(c.sight.aspect)))
        .map((t) => (c.sight.offset ? movedBy(t, c.sight.offset) : t))
        .map((t) => {
          const owns = c.owners.find((o) => o.trackId === t.trackId)?.seatId;
          return {
            trackId: t.trackId,
            cameraId: c.cameraId,
            box: t.box,
            ...(t.pose ? { pose: t.pose } : {}),
            ...(owns === undefined ? {} : { seatId: owns }),
          };
        }),
    ),
    nudged: scene.cameras.flatMap(({ cameraId, sight }) => (sight.offset ? [{ cameraId, ...sight.offset }] : [])),
    faults: [
      ...scene.cameras.flatMap(({ cameraId: sourceId, sight }) =>
        CAMERA_FAULTS.flatMap((fault) => {
          const condition = sight.conditions[fault];
          const lasts = condition && scene.at.monoMs - condition.sinceMonoMs >= FORGET_MS;
          return lasts ? [{ sourceId, fault, sinceWallMs: condition.sinceWallMs }] : [];
        }),
      ),
      ...(rules.microphone_fault as Ears).watches
        .filter((w) => w.holds)
        .map((w) => ({ sourceId: w.microphoneId, fault: w.fault, sinceWallMs: w.sinceWallMs })),
      ...faultsOf(rules.poor_sound as readonly PoorSound[]),
    ],
  };
}
