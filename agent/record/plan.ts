/** After the outbox: which clips an accepted event asks for. Pure: (state, event) -> [state, requests]. */
import type { ClipCause } from '../../protocol/clip.ts';
import { type DraftEvent, type EpisodeBody, isAddition, type Level } from '../../protocol/event.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import type { MonoMs, WallMs } from '../../protocol/time.ts';

/** A wish for a clip; its span is at most MAX_CLIP_MS. */
export interface ClipRequest {
  readonly clipId: string;
  readonly episodeId: string;
  readonly cameraId: string;
  readonly cause: ClipCause;
  readonly fromWallMs: WallMs;
  readonly toWallMs: WallMs;
  /** When the span is over, on the monotonic clock of `bootId`. */
  readonly dueMonoMs: MonoMs;
  readonly bootId: string;
}

/** Level of every open episode: an escalation is a change of it. */
export interface PlanState {
  readonly levels: ReadonlyMap<string, Level>;
}
export const NOTHING_PLANNED: PlanState = { levels: new Map() };

export const MAX_CLIP_MS = 60_000;
/** Discipline asks for at least ten seconds before the first evidence. */
export const BEFORE_MS = 10_000;
export const AFTER_MS = 5000;
/** What an escalation and an end show of the time before them. */
const RUN_UP_MS = 20_000;
/** Room inside MAX_CLIP_MS for whole segments on both sides of the span. */
const SLACK_MS = 8000;
/** Beyond this many open episodes the oldest level is forgotten: at worst one clip too many. */
const MAX_OPEN = 1000;

/** Clips for one event. `newId` gives clip ids; `recorded` are cameras that have segments, drawn in the layout or not. */
export function plan(
  state: PlanState,
  event: DraftEvent,
  {
    layout,
    recorded,
    newId,
  }: { readonly layout: RoomLayout; readonly recorded: readonly string[]; readonly newId: () => string },
): [PlanState, ClipRequest[]] {
  const body = event.body;
  if (body.kind !== 'episode') return [state, []];
  const known = state.levels.get(body.episodeId);
  const levels = new Map(state.levels);
  levels.delete(body.episodeId);
  if (body.phase !== 'end') levels.set(body.episodeId, body.level);
  for (const oldest of levels.keys()) {
    if (levels.size <= MAX_OPEN) break;
    levels.delete(oldest);
  }
  const next = { levels };

  const cause = causeOf(body, known);
  const cameraId = cameraFor(body, layout, recorded);
  if (!cause || cameraId === undefined) return [next, []];
  const requests = spans(cause, body, event.at.wallMs).map(
    ([fromWallMs, toWallMs]): ClipRequest => ({
      clipId: newId(),
      episodeId: body.episodeId,
      cameraId,
      cause,
      fromWallMs,
      toWallMs,
      dueMonoMs: event.at.monoMs + Math.max(0, toWallMs - event.at.wallMs),
      bootId: event.at.bootId,
    }),
  );
  return [next, requests];
}

function causeOf(body: EpisodeBody, known: Level | undefined): ClipCause | undefined {
  // More words of what is over are nothing to see.
  if (isAddition(body)) return undefined;
  if (body.phase === 'end') return 'end';
  // An episode whose begin was not seen (after a restart) begins here as far as clips are concerned.
  if (body.phase === 'begin' || known === undefined) return 'begin';
  return known === 'notice' && body.level === 'alarm' ? 'escalation' : undefined;
}

function spans(cause: ClipCause, body: EpisodeBody, atWallMs: WallMs): [WallMs, WallMs][] {
  const now: [WallMs, WallMs] = [atWallMs - RUN_UP_MS, atWallMs + AFTER_MS];
  if (cause !== 'begin') return [now];
  // A clock that was set back makes the behaviour begin in the future: then the event is all that is known.
  const beganWallMs = Math.min(body.beganWallMs, atWallMs);
  const fromWallMs = beganWallMs - BEFORE_MS;
  if (now[1] - fromWallMs <= MAX_CLIP_MS - SLACK_MS) return [[fromWallMs, now[1]]];
  // The behaviour began long before it counted: one clip shows how it began, one how it stood when it counted.
  return [[fromWallMs, beganWallMs + RUN_UP_MS], now];
}

/** The camera that shows it: the source itself, else the best view of the first seat, else the one that sees most seats. */
export function cameraFor(body: EpisodeBody, layout: RoomLayout, recorded: readonly string[]): string | undefined {
  const views = layout.seats.flatMap((seat) => seat.views.map((view) => ({ seatId: seat.seatId, ...view })));
  const drawn = [...views, ...layout.zones, ...layout.doorLines, ...layout.floor].map((part) => part.cameraId);
  const cameras = new Set([...drawn, ...recorded]);
  // An audio track carries its camera's id. A camera that is at fault shows its own last pictures.
  const faulty = body.behaviour === 'camera_fault' || body.behaviour === 'microphone_fault';
  if (body.sourceId !== undefined && (cameras.has(body.sourceId) || faulty)) return body.sourceId;
  const seat = views.find((view) => body.seatIds.includes(view.seatId));
  if (seat) return seat.cameraId;
  const counted = new Map<string, number>();
  for (const { cameraId } of views) counted.set(cameraId, (counted.get(cameraId) ?? 0) + 1);
  const most = [...counted].sort((a, b) => b[1] - a[1])[0]?.[0];
  return most ?? [...cameras][0];
}
