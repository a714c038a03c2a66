/** Can this camera be trusted right now? Covered, dark, moved, frozen, down: raw conditions with their begin, before any threshold. */
import type { Occupancy } from '../../protocol/event.ts';
import type { FrameObservation, Person, StreamObservation } from '../../protocol/observation.ts';
import type { CameraFaultRule } from '../../protocol/rules.ts';
import type { Box } from '../../protocol/seat.ts';
import type { Instant } from '../../protocol/time.ts';

export const CAMERA_FAULTS = ['covered', 'dark', 'moved', 'frozen', 'down', 'record_down'] as const;
export type CameraFault = (typeof CAMERA_FAULTS)[number];

/** A condition that holds since `since`; `value` and `threshold` are the number that says so. */
export interface Condition {
  readonly sinceMonoMs: number;
  readonly sinceWallMs: number;
  readonly value: number;
  readonly threshold: number;
  readonly unit: string;
  readonly reason?: string;
}

export interface CameraSight {
  readonly cameraId: string;
  readonly startedMonoMs: number;
  readonly startedWallMs: number;
  /** Edge energy of the clear picture, followed slowly. */
  readonly edge?: number;
  /** Last frame on both clocks, and the usual time between frames. */
  readonly frame?: { readonly monoMs: number; readonly wallMs: number; readonly everyMs: number };
  readonly conditions: Partial<Record<CameraFault, Condition>>;
  /** Since when the picture has had no light. */
  readonly unlitMonoMs?: number | undefined;
  /** While it has neither light nor the room's pattern: since when, and what that was taken for (dark.ts). */
  readonly black?: Black | undefined;
  /** Whether anybody sat in the room when this camera last saw clearly; undefined: it has not. */
  readonly company?: Occupancy | undefined;
  /** What a black picture was taken for before a restart, until it is no longer black. */
  readonly was?: Black['taken'] | undefined;
  /** The camera was nudged by so little that everything is followed, as fractions of the picture. */
  readonly offset?: Offset | undefined;
  /** Shape of its picture, as the newest frame has it. */
  readonly aspect?: number | undefined;
}

/** A black picture. */
export interface Black {
  readonly sinceMonoMs: number;
  readonly sinceWallMs: number;
  /** Mean luminance of the newest frame. */
  readonly light: number;
  readonly taken?: 'covered' | 'dark' | undefined;
}

type Offset = NonNullable<FrameObservation['picture']['offset']>;

/** People of a nudged camera's frame, moved to where they would have been before it: zones, habits and floor go on. */
export function registered(frame: FrameObservation): FrameObservation {
  const { offset } = frame.picture;
  if (!offset) return frame;
  const persons = frame.persons.map((person) => movedBy(person, { dx: -offset.dx, dy: -offset.dy }));
  return { ...frame, persons };
}

/** A person or a track, further right and down. */
export function movedBy<T extends Pick<Person, 'box' | 'pose'>>(one: T, { dx, dy }: Offset): T {
  const [x0, y0, x1, y1] = one.box;
  const box: Box = [x0 + dx, y0 + dy, x1 + dx, y1 + dy];
  return {
    ...one,
    box,
    ...(one.pose ? { pose: one.pose.map(([x, y, score]) => [x + dx, y + dy, score] as const) } : {}),
  };
}

/** Mean luminance of a picture of a room without light: what is left is the sensor's noise and what its gain makes of it. */
export const UNLIT = 15;
/** Below this a picture has no edges at all, whatever the reference says. */
const BLANK_EDGE = 0.3;
/** Correlation with the reference picture above which the room's pattern is still there: dim, not covered. */
const PATTERN_KEPT = 0.4;
/** Below this the pattern is gone, though edges are there: another picture altogether. */
const PATTERN_LOST = 0.2;
/** A shift is believed from this correlation on. */
const SHIFT_BELIEVED = 0.3;
/** Without a rule in the pack the picture is judged by these. */
const USUAL = { coveredEdgeFall: 0.7, movedShift: 0.05 };
/** Frames later than this, or than four times their usual distance, make presence unknown. */
const STALE_MS = 3000;
/** Zero change for this long is no longer a repeated frame of a slow camera. */
const STILL_MS = 2000;

export function startSight(cameraId: string, at: Instant): CameraSight {
  return { cameraId, startedMonoMs: at.monoMs, startedWallMs: at.wallMs, conditions: {} };
}

/** A frame came: the picture says whether it shows the room. */
export function seeFrame(sight: CameraSight, frame: FrameObservation, rule: CameraFaultRule | undefined): CameraSight {
  const { picture, at } = frame;
  const fall = rule?.coveredEdgeFall ?? USUAL.coveredEdgeFall;
  const limit = rule?.movedShift ?? USUAL.movedShift;
  const blank = picture.edgeEnergy < BLANK_EDGE;
  const edge = sight.edge ?? picture.edgeEnergy;
  const { dx, dy, confidence } = picture.shift;
  const shift = Math.max(Math.abs(dx), Math.abs(dy));
  // Before the first good picture there is no reference, and nothing can be said against one.
  const compared = confidence > 0 || shift > 0;
  const trusted = edge > 2 * BLANK_EDGE && compared;
  const patternKept = trusted && confidence >= PATTERN_KEPT && shift <= limit;
  const fallen = edge > 0 ? 1 - picture.edgeEnergy / edge : 0;
  const hidden = !patternKept && ((compared && fallen >= fall) || blank);
  const elsewhere = trusted && confidence < PATTERN_LOST;
  const shifted = shift > limit && confidence >= SHIFT_BELIEVED;
  const moved = !hidden && (shifted || elsewhere);
  const black = picture.brightness < UNLIT && (blank || (compared && confidence < PATTERN_KEPT && !shifted));
  // What gain makes of the dark need not have fewer edges than the room.
  const covered = hidden || (black && !moved);
  const frozen = picture.change === 0 && sight.frame !== undefined;
  const next = set(sight, at, {
    covered: covered && { value: Math.max(0, fallen), threshold: fall, unit: '' },
    // While the lens is covered nothing can be said about a shift: it stays as it was.
    ...(covered
      ? {}
      : { moved: moved && { value: elsewhere ? Math.max(shift, limit) : shift, threshold: limit, unit: '' } }),
    frozen: frozen && !covered && !black && { value: 0, threshold: 0, unit: '' },
    down: false,
  });
  const clear = !covered && !moved && patternKept;
  const gap = sight.frame ? at.monoMs - sight.frame.monoMs : 0;
  const everyMs = sight.frame && gap < STALE_MS ? sight.frame.everyMs * 0.8 + gap * 0.2 : (sight.frame?.everyMs ?? 500);
  return {
    ...next,
    offset: picture.offset,
    aspect: frame.aspect,
    unlitMonoMs: picture.brightness < UNLIT ? (sight.unlitMonoMs ?? at.monoMs) : undefined,
    black: black
      ? {
          ...(sight.black ?? { sinceMonoMs: at.monoMs, sinceWallMs: at.wallMs, taken: sight.was }),
          light: picture.brightness,
        }
      : undefined,
    was: black ? sight.was : undefined,
    ...((blank && sight.edge === undefined) || black ? {} : { edge: followEdge(edge, picture.edgeEnergy, clear) }),
    frame: { monoMs: at.monoMs, wallMs: at.wallMs, everyMs },
  };
}

/** A reference taken in the dark or through a veil must rise soon; otherwise it follows the clear picture slowly. */
function followEdge(edge: number, now: number, clear: boolean): number {
  if (now > 1.3 * edge) return edge + (now - edge) * 0.05;
  return clear ? edge + (now - edge) * 0.01 : edge;
}

/** Capture reports on its roles. */
export function hearStream(sight: CameraSight, stream: StreamObservation, downMs: number): CameraSight {
  const silent = stream.silentMs;
  const down = { value: silent, threshold: downMs, unit: 'ms', ...(stream.reason ? { reason: stream.reason } : {}) };
  if (stream.role === 'record') {
    if (stream.state === 'running') return set(sight, stream.at, { record_down: false });
    return stream.state === 'down' ? set(sight, stream.at, { record_down: down }, silent) : sight;
  }
  if (stream.role === 'decode' && stream.state === 'down') return set(sight, stream.at, { down }, silent);
  return sight;
}

/** Time passes: no frame for long is `down` too, whoever reports it or not. */
export function seeTime(sight: CameraSight, at: Instant, downMs: number): CameraSight {
  const silent = at.monoMs - (sight.frame?.monoMs ?? sight.startedMonoMs);
  if (silent < Math.min(downMs, staleAfter(sight))) return sight;
  const reason = sight.conditions.down?.reason;
  return set(
    sight,
    at,
    { down: { value: silent, threshold: downMs, unit: 'ms', ...(reason ? { reason } : {}) } },
    silent,
  );
}

/** True when nothing may be concluded from this camera's pictures at this moment. */
export function isBlind(sight: CameraSight, at: Instant): boolean {
  const { covered, dark, moved, frozen } = sight.conditions;
  if (covered || dark || moved) return true;
  if (frozen && at.monoMs - frozen.sinceMonoMs >= STILL_MS) return true;
  return sight.frame === undefined || at.monoMs - sight.frame.monoMs > staleAfter(sight);
}

/** Frames later than this are no word on what is so now. */
export function staleAfter(sight: Pick<CameraSight, 'frame'>): number {
  return Math.max(STALE_MS, 4 * (sight.frame?.everyMs ?? 0));
}

type Said = Omit<Condition, 'sinceMonoMs' | 'sinceWallMs'>;

function set(
  sight: CameraSight,
  at: Instant,
  said: Partial<Record<CameraFault, Said | false>>,
  agoMs = 0,
): CameraSight {
  const conditions: Partial<Record<CameraFault, Condition>> = { ...sight.conditions };
  for (const [code, now] of Object.entries(said) as [CameraFault, Said | false][]) {
    if (!now) {
      delete conditions[code];
      continue;
    }
    const before = sight.conditions[code];
    conditions[code] = {
      sinceMonoMs: before?.sinceMonoMs ?? at.monoMs - agoMs,
      sinceWallMs: before?.sinceWallMs ?? at.wallMs - agoMs,
      ...now,
    };
  }
  return { ...sight, conditions };
}
