/** Events as agents send them, for the benchmarks of the path: episodes of left seats that begin, are told anew and end. */
import { randomUUID } from 'node:crypto';
import type { EpisodeBody, Phase, RoomEvent } from '../../protocol/event.ts';
import { type Batch, LIMITS, PROTOCOL_VERSION } from '../../protocol/stream.ts';

const PHASES: readonly Phase[] = ['begin', 'update', 'update', 'end'];

/** One step of an episode of `roomId`: four of them in a row are one episode. */
export function episodeBody(episodeId: string, step: number, wallMs: number): EpisodeBody {
  const phase = PHASES[step % PHASES.length]!;
  const seconds = 10 + 20 * (step % PHASES.length);
  return {
    kind: 'episode',
    episodeId,
    phase,
    behaviour: 'left_seat',
    level: seconds > 30 ? 'alarm' : 'notice',
    seatIds: ['3'],
    sourceId: 'cam-a',
    beganWallMs: wallMs - seconds * 1000,
    from: 'LEAVING',
    to: 'AWAY',
    durationMs: seconds * 1000,
    rule: { pack: 'zh-CN', packVersion: '1', ruleId: 'left_seat', citation: '评标期间不得擅自离开评标席位' },
    figures: [{ name: 'absence', value: seconds, threshold: 10, unit: 's' }],
    sentence: { zh: `3号席离席 ${seconds} 秒`, en: `Seat 3 has been away for ${seconds} s` },
  };
}

/** `count` events of one new stream of lane `alert`, seq from 1. */
export function roomEvents(roomId: string, count: number, wallMs: number): RoomEvent[] {
  const streamId = `s-${randomUUID()}`;
  const bootId = randomUUID();
  let episodeId = '';
  return Array.from({ length: count }, (_, i) => {
    if (i % PHASES.length === 0) episodeId = randomUUID();
    return {
      eventId: randomUUID(),
      streamId,
      seq: i + 1,
      roomId,
      at: { wallMs, monoMs: 1000 + i, bootId, clock: 'sure' },
      body: episodeBody(episodeId, i, wallMs),
    };
  });
}

/** The payloads in which an agent sends them, `size` events in each. */
export function payloads(
  events: readonly RoomEvent[],
  size: number = LIMITS.batchEvents,
): { readonly lastSeq: number; readonly bytes: Buffer }[] {
  const found: { lastSeq: number; bytes: Buffer }[] = [];
  for (let from = 0; from < events.length; from += size) {
    const some = events.slice(from, from + size);
    const batch: Batch = { v: PROTOCOL_VERSION, streamId: some[0]!.streamId, lane: 'alert', events: some };
    found.push({ lastSeq: some.at(-1)!.seq, bytes: Buffer.from(JSON.stringify(batch)) });
  }
  return found;
}
