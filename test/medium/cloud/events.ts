/** Makes well-formed events, batches and clips for the cloud's tests. */
import { randomUUID } from 'node:crypto';
import type { Delivery, Rejection } from '../../../cloud/store/store.ts';
import type { ClipFile } from '../../../protocol/clip.ts';
import type { EpisodeBody, EventBody, Level, Phase, RoomEvent } from '../../../protocol/event.ts';
import { type Batch, type Lane, laneOf, PROTOCOL_VERSION } from '../../../protocol/stream.ts';

export const WALL = 1_760_000_000_000;

export function episodeBody(episodeId: string, phase: Phase = 'begin', level: Level = 'notice'): EpisodeBody {
  return {
    kind: 'episode',
    episodeId,
    phase,
    behaviour: 'left_seat',
    level,
    seatIds: ['3'],
    sourceId: 'cam-a',
    beganWallMs: WALL - 10_000,
    from: 'LEAVING',
    to: 'AWAY',
    durationMs: 10_000,
    rule: { pack: 'demo', packVersion: '1', ruleId: 'left_seat', citation: '评标期间不得擅自离席' },
    figures: [{ name: 'absence', value: 10, threshold: 10, unit: 's' }],
    sentence: { zh: '3号席离席 10秒', en: 'Seat 3 away 10 s' },
  };
}

export function gapBody(): EventBody {
  return { kind: 'gap', sourceId: 'cam-a', role: 'decode', fromWallMs: WALL, toWallMs: WALL + 1, reason: 'none' };
}

export function clipBody(episodeId: string, clipId: string, roomId: string, files: readonly ClipFile[]): EventBody {
  return {
    kind: 'clip',
    episodeId,
    clip: {
      clipId,
      episodeId,
      roomId,
      cameraId: 'cam-a',
      cause: 'begin',
      beginWallMs: WALL - 20_000,
      endWallMs: WALL,
      durationMs: 20_000,
      files,
    },
  };
}

export function roomEvent(streamId: string, seq: number, body: EventBody, roomId = 'room-1'): RoomEvent {
  return {
    eventId: randomUUID(),
    streamId,
    seq,
    roomId,
    at: { wallMs: WALL + seq, monoMs: seq, bootId: 'boot-1', clock: 'sure' },
    body,
  };
}

export function delivery(good: readonly RoomEvent[], over: Partial<Delivery> = {}): Delivery {
  const first = good[0];
  return {
    roomId: first?.roomId ?? 'room-1',
    streamId: first?.streamId ?? 's1',
    lane: first ? laneOf(first.body) : 'alert',
    good,
    bad: [],
    ...over,
  };
}

export const rejection = (seq: number): Rejection => ({ seq, code: 'bad_text', reason: 'U+0000', json: '{}' });

export function batchBytes(events: readonly RoomEvent[], lane: Lane = laneOf(events[0]!.body)): Buffer {
  const batch: Batch = { v: PROTOCOL_VERSION, streamId: events[0]!.streamId, lane, events };
  return Buffer.from(JSON.stringify(batch));
}
