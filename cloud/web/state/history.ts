/** The last ten minutes of a room, kept by the page itself from the states it hears: what the strips are drawn from. */
import type { Occupancy } from '../../../protocol/event.ts';
import type { RoomState } from '../../../protocol/stream.ts';

export const STRIP_MS = 10 * 60_000;
/** Longer than this without a state and the line was broken: nothing is drawn over the hole. */
export const SILENT_MS = 10_000;

export interface Span {
  readonly fromWallMs: number;
  readonly toWallMs: number;
  readonly occupancy: Occupancy;
}

/** One second of a camera's figures, for the charts of the devices page. */
export interface Sample {
  readonly wallMs: number;
  readonly cameras: Readonly<Record<string, { readonly fps: number; readonly ms: number; readonly drops: number }>>;
}

export interface RoomHistory {
  readonly heardFromWallMs: number;
  readonly heardToWallMs: number;
  readonly seats: ReadonlyMap<string, readonly Span[]>;
  readonly samples: readonly Sample[];
}

/** Adds a state; times are the room's own wall clock. A state older than the newest one known changes nothing. */
export function addState(history: RoomHistory | undefined, state: RoomState): RoomHistory {
  const now = state.at.wallMs;
  if (history && now < history.heardToWallMs) {
    // A clock that was set back would freeze the strip for as long as the step: begin anew beyond a small disorder.
    if (history.heardToWallMs - now < SILENT_MS) return history;
    return addState(undefined, state);
  }
  const broken = history !== undefined && now - history.heardToWallMs > SILENT_MS;
  const seats = new Map<string, readonly Span[]>();
  for (const { seatId, occupancy, sinceWallMs } of state.seats)
    seats.set(seatId, extend(history?.seats.get(seatId) ?? [], occupancy, sinceWallMs, now, broken));
  const cameras: Record<string, { fps: number; ms: number; drops: number }> = {};
  for (const camera of state.health.cameras)
    cameras[camera.cameraId] = { fps: camera.analysedFps, ms: camera.inferenceMs, drops: camera.drops };
  const kept = (history?.samples ?? []).filter((sample) => sample.wallMs > now - STRIP_MS);
  return {
    heardFromWallMs: history?.heardFromWallMs ?? now,
    heardToWallMs: now,
    seats,
    samples: [...kept, { wallMs: now, cameras }],
  };
}

function extend(
  spans: readonly Span[],
  occupancy: Occupancy,
  sinceWallMs: number,
  now: number,
  broken: boolean,
): Span[] {
  const oldest = now - STRIP_MS;
  const last = spans.at(-1);
  const kept = spans.filter((span) => span.toWallMs > oldest);
  if (last && last.occupancy === occupancy && !broken) {
    kept.pop();
    return [...kept, { ...last, fromWallMs: Math.max(last.fromWallMs, oldest), toWallMs: now }];
  }
  // The room says since when: a change is drawn where it happened, not where it was heard; across a hole, only as far
  // back as the room itself vouches for.
  const from = Math.min(now, Math.max(oldest, sinceWallMs));
  const trimmed = kept
    .filter((span) => span.fromWallMs < from)
    .map((span) =>
      span.toWallMs > from || !broken ? { ...span, toWallMs: broken ? Math.min(span.toWallMs, from) : from } : span,
    );
  return [...trimmed, { fromWallMs: from, toWallMs: now, occupancy }];
}
