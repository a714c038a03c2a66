/** The one place where untrusted bytes from the wire become protocol types: refuses with a reason (refusal.ts), never throws for bad bytes. */
import { z } from 'zod';
import type { ClipManifest } from './clip.ts';
import { BEHAVIOURS, type DraftEvent, type EventBody, type RoomEvent } from './event.ts';
import { ORDER_PARTS } from './orders.ts';
import { firstIssue, parseJson, type Refusal, type RefusalCode, refuse, unfitness } from './refusal.ts';
import { type Ack, type Batch, LANES, type Lane, LIMITS, laneOf, PROTOCOL_VERSION, type RoomState } from './stream.ts';
import { NAMED_MAX, WHYS_MAX } from './why.ts';

/**
 * Set when the frame around the events could be read although something in the batch was refused: with it the ingest can
 * store the good events, keep the bad ones as rejected rows and ack past both, so that one pill does not block a stream.
 */
export interface Rescue {
  readonly streamId: string;
  readonly lane: Lane;
  /** Events `firstSeq` … `lastSeq` of the stream, each either in `good` or in `bad`. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly good: readonly RoomEvent[];
  readonly bad: readonly {
    readonly seq: number;
    readonly code: RefusalCode;
    readonly reason: string;
    /** The refused event as JSON with every U+0000 and half surrogate replaced by U+FFFD. */
    readonly json: string;
  }[];
}

export type ParsedBatch = { readonly ok: true; readonly batch: Batch } | (Refusal & { readonly rescue?: Rescue });
export type ParsedAck = { readonly ok: true; readonly ack: Ack } | Refusal;
export type ParsedRoomState = { readonly ok: true; readonly state: RoomState } | Refusal;

/** Shapes that orders-schema.ts shares. */
export const text = (max: number) => z.string().max(max);
export const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
/** Ids given by people in room.yaml (seats) may hold other letters. */
export const name = z.string().min(1).max(200);
/** Within what a Date can show: beyond it every page that formats the time would throw. */
export const wallMs = z.number().min(-8.64e15).max(8.64e15);
const durationMs = z.number().min(-1e12).max(1e12);
const fraction = z.number().min(-10).max(10);
export const count = z.int().min(0);
const seq = z.int().min(1).max(LIMITS.maxSeq);
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const level = z.enum(['notice', 'alarm']);
const role3 = z.enum(['starting', 'running', 'down']);

const instant = z.object({
  wallMs,
  monoMs: z.number().min(0).max(1e15),
  bootId: name,
  clock: z.enum(['sure', 'doubtful']),
  offsetMs: z.exactOptional(durationMs),
});

const clip: z.ZodType<ClipManifest> = z.object({
  clipId: id,
  episodeId: id,
  roomId: id,
  cameraId: id,
  cause: z.enum(['begin', 'escalation', 'end']),
  beginWallMs: wallMs,
  endWallMs: wallMs,
  durationMs,
  files: z
    .array(z.object({ name: z.enum(['clip.mp4', 'overlay.json']), sha256, bytes: count }))
    .min(1)
    .max(4),
});

const episode = z.object({
  kind: z.literal('episode'),
  episodeId: id,
  phase: z.enum(['begin', 'update', 'end']),
  behaviour: z.enum(BEHAVIOURS),
  level,
  seatIds: z.array(name).max(64),
  sourceId: z.exactOptional(name),
  beganWallMs: wallMs,
  from: text(64),
  to: text(64),
  durationMs,
  rule: z.object({ pack: name, packVersion: name, ruleId: name, citation: text(2000) }),
  figures: z
    .array(z.object({ name, value: z.number(), threshold: z.exactOptional(z.number()), unit: text(32) }))
    .max(64),
  sentence: z.object({ zh: text(1000), en: text(1000) }),
  transcript: z.exactOptional(
    z.object({ language: text(35), engine: name, text: text(4000), hit: z.tuple([count, count]) }),
  ),
  wordsRemoved: z.exactOptional(
    z.object({ afterDays: z.number().min(0).max(36_500), wallMs, by: z.enum(['box', 'cloud']) }),
  ),
  fault: z.exactOptional(text(200)),
  sessionId: z.exactOptional(id),
});

const boot = z.object({
  kind: z.literal('boot'),
  agentVersion: name,
  rulePack: z.object({ name, version: name }),
  modelSet: text(500),
  configSha256: sha256,
});

const gap = z.object({
  kind: z.literal('gap'),
  sourceId: name,
  role: z.enum(['decode', 'record', 'audio']),
  fromWallMs: wallMs,
  toWallMs: wallMs,
  reason: text(1000),
});

const body: z.ZodType<EventBody> = z.discriminatedUnion('kind', [
  episode,
  z.object({ kind: z.literal('clip'), episodeId: id, clip }),
  boot,
  gap,
]);

const draft: z.ZodType<DraftEvent> = z.object({ at: instant, body });

const event: z.ZodType<RoomEvent> = z.object({
  eventId: z.uuid(),
  streamId: id,
  seq,
  roomId: id,
  at: instant,
  body,
});

const envelope = z.object({
  v: z.literal(PROTOCOL_VERSION),
  streamId: id,
  lane: z.enum(LANES),
  events: z.array(z.looseObject({ seq })).min(1).max(LIMITS.batchEvents),
});

const ackShape: z.ZodType<Ack> = z.object({
  v: z.literal(PROTOCOL_VERSION),
  streamId: id,
  through: z.int().min(0).max(LIMITS.maxSeq),
  eventId: z.exactOptional(id),
  chain: z.exactOptional(z.int().min(0).max(0xffff_ffff)),
  quarantined: z.exactOptional(text(500)),
});

const point = z.tuple([fraction, fraction]);
const metres = z.tuple([z.number().min(-1e4).max(1e4), z.number().min(-1e4).max(1e4)]);
const polygon = z.array(point).max(256);

/** A room's layout, as its state carries it and as orders replace parts of it. */
export const layout = z.object({
  roomId: id,
  name,
  centre: text(200),
  timeZone: name,
  seats: z
    .array(
      z.object({
        seatId: name,
        name,
        views: z.array(z.object({ cameraId: id, zone: polygon, desk: z.exactOptional(polygon) })).max(16),
        floor: z.exactOptional(metres),
      }),
    )
    .max(64),
  zones: z.array(z.object({ zoneId: name, kind: z.enum(['door', 'window', 'other']), cameraId: id, polygon })).max(64),
  doorLines: z.array(z.object({ cameraId: id, line: z.tuple([point, point]), inside: point })).max(16),
  floor: z
    .array(z.object({ cameraId: id, points: z.array(z.object({ image: point, floor: metres })).max(64) }))
    .max(16),
  roster: z.array(z.object({ seatId: name, expertId: name, name: z.exactOptional(text(200)) })).max(64),
});

/** What a page does not know the code of it tells in the words beside it. */
const whys = z
  .array(
    z.object({
      code: text(64),
      named: z.exactOptional(z.record(text(32), text(NAMED_MAX))),
      of: z.exactOptional(text(64)),
    }),
  )
  .max(WHYS_MAX);
const rate = z.number().min(0).max(1000);
/** Of one stage; a clock that jumps must not make a state unreadable, so it is no tighter than durations are. */
const spentMs = z.number().min(0).max(1e12);
const health = z.object({
  cameras: z
    .array(
      z.object({
        cameraId: id,
        decode: role3,
        record: role3,
        audio: z.enum(['starting', 'running', 'down', 'none']),
        analysedFps: rate,
        drops: count,
        inferenceMs: z.number().min(0),
        rates: z.exactOptional(z.object({ detections: rate, regions: rate, poses: rate, strained: z.boolean() })),
        stages: z.exactOptional(
          z.object({
            decodedFps: rate,
            lagMs: z.exactOptional(spentMs),
            detectorMs: spentMs,
            poseMs: spentMs,
            decideMs: spentMs,
            blind: count,
          }),
        ),
        nudged: z.exactOptional(z.object({ dx: z.number().min(-1).max(1), dy: z.number().min(-1).max(1) })),
        floor: z.exactOptional(z.enum(['sure', 'doubtful'])),
        fault: z.exactOptional(text(500)),
        why: z.exactOptional(whys),
      }),
    )
    .max(32),
  ears: z
    .array(
      z.object({
        microphoneId: id,
        language: text(35),
        state: z.enum(['hearing', 'deaf']),
        reason: z.exactOptional(text(500)),
        why: z.exactOptional(whys),
        slow: z.exactOptional(z.literal(true)),
        unconfirmed: z.exactOptional(z.literal(true)),
        fault: z.exactOptional(text(64)),
        rmsDb: z.number(),
        rtf: z.exactOptional(z.number().min(0).max(1e6)),
        dropped: z.exactOptional(count),
        restarts: z.exactOptional(count),
      }),
    )
    .max(64),
  outbox: z.object({ events: count, oldestMs: z.number(), full: z.boolean() }),
  clipsWaiting: count,
  disk: z.object({ freeBytes: z.number().min(0), low: z.boolean() }),
  modelSet: text(500),
  rssBytes: z.number().min(0),
});

const stateShape: z.ZodType<RoomState> = z.object({
  v: z.literal(PROTOCOL_VERSION),
  roomId: id,
  at: instant,
  layout,
  seats: z
    .array(
      z.object({
        seatId: name,
        occupancy: z.enum(['yes', 'no', 'unknown']),
        sinceWallMs: wallMs,
        state: text(64),
        level: z.exactOptional(level),
      }),
    )
    .max(64),
  rulePack: z.object({ name, version: name }),
  orders: z.exactOptional(
    z.object({
      revision: count,
      refused: z.array(z.object({ part: z.enum(ORDER_PARTS), code: text(64), reason: text(500) })).max(8),
    }),
  ),
  proposals: z.exactOptional(
    z
      .array(
        z.object({
          cameraId: id,
          watchedMs: z.number().min(0).max(1e12),
          seats: z.array(z.object({ zone: polygon, share: z.number().min(0).max(1) })).max(64),
        }),
      )
      .max(32),
  ),
  health,
});

/** JSON of a refused event that any database can store. */
function storable(value: unknown): string {
  try {
    return JSON.stringify(value)
      .replaceAll(/\\u0000/g, '\\ufffd')
      .replaceAll(/\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, '\\ufffd')
      .slice(0, LIMITS.eventBytes);
  } catch {
    return '"nested too deep to be written out"';
  }
}

function parseEvent(
  value: unknown,
  roomId: string,
  streamId: string,
  lane: Lane,
): { ok: true; event: RoomEvent } | Refusal {
  const unfit = unfitness(value);
  if (unfit) return refuse(unfit.code, unfit.reason);
  const parsed = event.safeParse(value);
  if (!parsed.success) return refuse('bad_shape', firstIssue(parsed.error));
  const found = parsed.data;
  if (found.roomId !== roomId) return refuse('wrong_room', 'the event names another room than its topic');
  if (found.streamId !== streamId) return refuse('wrong_stream', 'the event names another stream than its batch');
  if (laneOf(found.body) !== lane) return refuse('wrong_lane', `a ${found.body.kind} in lane ${lane}`);
  if (found.body.kind === 'clip' && found.body.clip.roomId !== roomId)
    return refuse('wrong_room', 'the clip names another room than its topic');
  return { ok: true, event: found };
}

/**
 * A batch published on `topics.events(topicRoomId, topicLane)`. Every event carries the topic's room and the batch's
 * stream, seqs rise by one, eventIds differ. What cannot be stored is refused; `rescue` tells what can be saved of it.
 */
export function parseBatch(bytes: Uint8Array, topicRoomId: string, topicLane?: Lane): ParsedBatch {
  const json = parseJson(bytes, LIMITS.batchBytes);
  if (!json.ok) return json;
  const frame = envelope.safeParse(json.value);
  if (!frame.success) {
    const atSeq = frame.error.issues[0]?.path.at(-1) === 'seq';
    return refuse(atSeq ? 'bad_seq' : 'bad_shape', firstIssue(frame.error));
  }
  const { streamId, lane, events } = frame.data;
  if (topicLane !== undefined && topicLane !== lane) return refuse('wrong_lane', `lane ${lane} on topic ${topicLane}`);
  const firstSeq = events[0]!.seq;
  for (const [index, item] of events.entries())
    if (item.seq !== firstSeq + index)
      return refuse('bad_seq', `events.${index}.seq: ${item.seq} after ${firstSeq + index - 1}`);

  const good: RoomEvent[] = [];
  const bad: Rescue['bad'][number][] = [];
  const known = new Set<string>();
  for (const item of events) {
    let result = parseEvent(item, topicRoomId, streamId, lane);
    if (result.ok && known.has(result.event.eventId))
      result = refuse('duplicate_event', 'the same eventId twice in one batch');
    if (result.ok) {
      known.add(result.event.eventId);
      good.push(result.event);
    } else bad.push({ seq: item.seq, code: result.code, reason: result.reason, json: storable(item) });
  }
  const first = bad[0];
  if (!first) return { ok: true, batch: { v: PROTOCOL_VERSION, streamId, lane, events: good } };
  return {
    ...refuse(first.code, `seq ${first.seq}: ${first.reason}`),
    rescue: { streamId, lane, firstSeq, lastSeq: firstSeq + events.length - 1, good, bad },
  };
}

/** An ack from the ingest, as the agent reads it. */
export function parseAck(bytes: Uint8Array): ParsedAck {
  const json = parseJson(bytes, 4096);
  if (!json.ok) return json;
  const parsed = ackShape.safeParse(json.value);
  return parsed.success ? { ok: true, ack: parsed.data } : refuse('bad_shape', firstIssue(parsed.error));
}

/** A room's volatile state published on `topics.state(topicRoomId)`. */
export function parseRoomState(bytes: Uint8Array, topicRoomId: string): ParsedRoomState {
  const json = parseJson(bytes, LIMITS.stateBytes);
  if (!json.ok) return json;
  const unfit = unfitness(json.value);
  if (unfit) return refuse(unfit.code, unfit.reason);
  const parsed = stateShape.safeParse(json.value);
  if (!parsed.success) return refuse('bad_shape', firstIssue(parsed.error));
  if (parsed.data.roomId !== topicRoomId || parsed.data.layout.roomId !== topicRoomId)
    return refuse('wrong_room', 'the state names another room than its topic');
  return { ok: true, state: parsed.data };
}

/**
 * The JSON of a draft as the room keeps and sends it, or why the ingest would refuse it: found before it is accepted. What
 * is written is what was checked, so a field that is not ours does not travel.
 */
export function draftJson(candidate: DraftEvent): { readonly ok: true; readonly json: string } | Refusal {
  const parsed = draft.safeParse(candidate);
  if (!parsed.success) {
    const unfit = unfitness(candidate);
    return unfit ? refuse(unfit.code, unfit.reason) : refuse('bad_shape', firstIssue(parsed.error));
  }
  const json = JSON.stringify(parsed.data);
  // Our types bound depth and numbers. A text that is unfit is written with an escape, as some that are fit are too.
  const unfit = json.includes('\\u') ? unfitness(parsed.data) : undefined;
  return unfit ? refuse(unfit.code, unfit.reason) : { ok: true, json };
}
