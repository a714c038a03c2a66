/** One suite over every outbox: in memory and in SQLite. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type VirtualClock, virtualClock } from '../../agent/clock.ts';
import { memoryOutbox } from '../../agent/store/memory.ts';
import type { Outbox } from '../../agent/store/outbox.ts';
import { openOutbox } from '../../agent/store/sqlite.ts';
import type { ClipManifest } from '../../protocol/clip.ts';
import type { DraftEvent, EpisodeBody, Phase } from '../../protocol/event.ts';
import type { Clock, Instant } from '../../protocol/time.ts';

const log = pino({ level: 'silent' });
let folder: string;
let clock: VirtualClock;
let outbox: Outbox;

const kinds: [string, (quotas?: { events?: number; clipBytes?: number }) => Outbox][] = [
  [
    'memory',
    ({ events = 1000, clipBytes = 1e6 } = {}) =>
      memoryOutbox({ roomId: 'room-1', clock, quotaEvents: events, quotaClipBytes: clipBytes }),
  ],
  [
    'sqlite',
    ({ events = 1000, clipBytes = 1e6 } = {}) =>
      openOutbox({
        path: join(folder, 'outbox.db'),
        roomId: 'room-1',
        clock,
        log,
        quotaEvents: events,
        quotaClipBytes: clipBytes,
        ballastBytes: 65_536,
      }),
  ],
];

const episode = (at: Instant, episodeId: string, phase: Phase): DraftEvent => ({
  at,
  body: {
    kind: 'episode',
    episodeId,
    phase,
    behaviour: 'left_seat',
    level: 'notice',
    seatIds: ['3'],
    beganWallMs: at.wallMs,
    from: 'SEATED',
    to: 'AWAY',
    durationMs: 0,
    rule: { pack: 'demo', packVersion: '1', ruleId: 'left_seat', citation: '' },
    figures: [],
    sentence: { zh: '离席', en: 'left' },
  },
});
const gap = (at: Instant): DraftEvent => ({
  at,
  body: { kind: 'gap', sourceId: 'cam-a', role: 'record', fromWallMs: 1, toWallMs: 2, reason: 'x' },
});
const manifest = (clipId: string, clock: Clock, bytes = 1000): ClipManifest => ({
  clipId,
  episodeId: 'ep-1',
  roomId: 'room-1',
  cameraId: 'cam-a',
  cause: 'begin',
  beginWallMs: clock.wallMs(),
  endWallMs: clock.wallMs() + 1000,
  durationMs: 1000,
  files: [{ name: 'clip.mp4', sha256: 'a'.repeat(64), bytes }],
});

describe.each(kinds)('outbox: %s', (_name, open) => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-outbox-'));
    clock = virtualClock();
    outbox = open();
  });
  afterEach(() => {
    outbox.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const begin = (n = 1) => outbox.accept(Array.from({ length: n }, (_, i) => episode(clock.now(), `ep-${i}`, 'begin')));
  const alert = () => outbox.streams().find((stream) => stream.lane === 'alert' && stream.current)!;

  it('numbers each lane from 1 without holes, and gives back what was accepted', () => {
    const accepted = outbox.accept([
      episode(clock.now(), 'a', 'begin'),
      gap(clock.now()),
      episode(clock.now(), 'b', 'begin'),
    ]);
    expect(accepted.map((event) => event.seq)).toEqual([1, 1, 2]);
    expect(new Set(accepted.map((event) => event.streamId)).size).toBe(2);
    expect(outbox.events(alert().streamId, 0, 10)).toEqual([accepted[0], accepted[2]]);
    expect(outbox.events(alert().streamId, 1, 10)).toEqual([accepted[2]]);
    expect(outbox.events(alert().streamId, 0, 1)).toEqual([accepted[0]]);
    expect(accepted.every((event) => event.roomId === 'room-1')).toBe(true);
    expect(outbox.accept([])).toEqual([]);
  });

  it('deletes by ack alone, and only what was sent', () => {
    begin(5);
    const { streamId } = alert();
    expect(outbox.ack({ streamId, through: 3 })).toBe('beyond_sent');
    expect(outbox.stats().events).toBe(5);
    outbox.sent(streamId, 3);
    expect(outbox.ack({ streamId, through: 4 })).toBe('beyond_sent');
    expect(outbox.ack({ streamId, through: 3 })).toBe('progress');
    expect(outbox.ack({ streamId, through: 2 })).toBe('no_progress');
    expect(outbox.ack({ streamId: 's-other', through: 2 })).toBe('unknown_stream');
    expect(outbox.events(streamId, 0, 10).map((event) => event.seq)).toEqual([4, 5]);
    expect(alert()).toMatchObject({ lastSeq: 5, through: 3 });
  });

  it('deletes nothing where the cloud has another event at that place, and goes on in a new stream', () => {
    begin(5);
    const { streamId } = alert();
    outbox.sent(streamId, 5);
    const events = outbox.events(streamId, 0, 10);
    const eventId = events[2]!.eventId;
    expect(outbox.ack({ streamId, through: 2, eventId: events[1]!.eventId })).toBe('progress');
    expect(outbox.ack({ streamId, through: 4, eventId })).toBe('other_event');
    // The last one is ours, one before it is not: what a copy has sent and what we have sent, side by side.
    const ids = events.map((event) => event.eventId);
    const mixed = crc32([...ids.slice(0, 2), 'another', ids[3]].join(''));
    expect(outbox.ack({ streamId, through: 4, eventId: ids[3]!, chain: mixed })).toBe('other_event');
    expect(outbox.stats().events).toBe(3);
    expect(outbox.ack({ streamId, through: 1, eventId: 'another' })).toBe('no_progress');
    expect(outbox.ack({ streamId, through: 9 })).toBe('beyond_sent');
    expect(outbox.ack({ streamId, through: 9, eventId: 'of a copy' })).toBe('other_event');
    expect(outbox.events(streamId, 0, 10)).toEqual(events.slice(2));
    expect(outbox.quarantine(streamId, 'other_event')).toBe(3);
    expect(alert().streamId).not.toBe(streamId);
    expect(outbox.events(alert().streamId, 0, 10).map((event) => event.eventId)).toEqual(ids.slice(2));
    const next = alert().streamId;
    outbox.sent(next, 3);
    for (const to of [4, 5]) {
      const told = { streamId: next, through: to - 2, eventId: ids[to - 1]!, chain: crc32(ids.slice(2, to).join('')) };
      expect(outbox.ack(told)).toBe('progress');
      expect(outbox.events(next, 0, 10)).toHaveLength(5 - to);
    }
  });

  it('gives a stream up of which the cloud has more than may be sent, or deletes what it can prove', () => {
    const ids = begin(230).map((event) => event.eventId);
    const { streamId } = alert();
    const copy = { streamId, through: 201, eventId: 'of a copy', chain: 1 };
    // Not yet all that may go out: such an ack is not to be explained.
    outbox.sent(streamId, 150);
    expect(outbox.ack(copy)).toBe('beyond_sent');
    outbox.sent(streamId, 200);
    expect(outbox.ack({ streamId, through: 201 })).toBe('beyond_sent');
    expect(outbox.ack(copy)).toBe('other_event');
    expect(outbox.ack({ ...copy, through: 500 })).toBe('other_event');
    expect(outbox.ack({ streamId, through: 201, eventId: ids[200]! })).toBe('other_event');
    expect(outbox.stats().events).toBe(230);
    const proven = { streamId, through: 201, eventId: ids[200]!, chain: crc32(ids.slice(0, 201).join('')) };
    expect(outbox.ack(proven)).toBe('progress');
    expect(outbox.stats().events).toBe(29);
  });

  it('never counts sent beyond what was accepted', () => {
    begin(2);
    const { streamId } = alert();
    outbox.sent(streamId, 99);
    begin(2);
    expect(outbox.ack({ streamId, through: 4 })).toBe('beyond_sent');
  });

  it('accepts all drafts or none, and says Full at the quota', () => {
    outbox.close();
    rmSync(folder, { recursive: true, force: true });
    outbox = open({ events: 10 });
    begin(8);
    expect(() => begin(3)).toThrow(expect.objectContaining({ kind: 'Full', code: 'outbox_full' }));
    expect(outbox.stats().events).toBe(8);
    begin(2);
    expect(outbox.stats()).toMatchObject({ events: 10, full: true });
    outbox.sent(alert().streamId, 10);
    outbox.ack({ streamId: alert().streamId, through: 10 });
    expect(outbox.stats()).toMatchObject({ events: 0, full: false, oldestMs: 0 });
    begin(1);
  });

  it('refuses as a bug what no ingest would take, the whole transaction with it', () => {
    const bad = episode(clock.now(), 'ep-x', 'begin');
    const poison = { ...bad, body: { ...bad.body, to: 'a\u0000' } } as DraftEvent;
    expect(() => outbox.accept([bad, poison])).toThrow(expect.objectContaining({ kind: 'Bug', code: 'draft_unfit' }));
    expect(outbox.stats().events).toBe(0);
    expect(outbox.openEpisodes()).toEqual([]);
    expect(begin(1)[0]?.seq).toBe(1);
  });

  it('remembers the newest event of every open episode', () => {
    begin(3);
    const update = episode(clock.now(), 'ep-1', 'update');
    outbox.accept([update, episode(clock.now(), 'ep-0', 'end')]);
    expect(outbox.openEpisodes().map(({ body }) => body.kind === 'episode' && [body.episodeId, body.phase])).toEqual([
      ['ep-1', 'update'],
      ['ep-2', 'begin'],
    ]);
  });

  it('knows the age of the oldest event', async () => {
    begin(1);
    await clock.advance(5000);
    clock.step(-3_600_000);
    expect(outbox.stats().oldestMs).toBe(5000);
  });

  it('lets new events overtake a backlog, and forgets drained streams', () => {
    begin(3);
    const old = alert().streamId;
    outbox.rollOver('alert');
    expect(alert().streamId).not.toBe(old);
    const [fresh] = begin(1);
    expect(fresh).toMatchObject({ seq: 1, streamId: alert().streamId });
    const listed = outbox
      .streams()
      .filter((stream) => stream.lane === 'alert')
      .map((stream) => stream.streamId);
    expect(listed).toEqual([alert().streamId, old]);
    outbox.sent(old, 3);
    expect(outbox.ack({ streamId: old, through: 3 })).toBe('progress');
    expect(outbox.streams().map((stream) => stream.streamId)).not.toContain(old);
    expect(outbox.ack({ streamId: old, through: 3 })).toBe('unknown_stream');
  });

  it('does not open a new stream for an empty one', () => {
    const before = alert().streamId;
    outbox.rollOver('alert');
    expect(alert().streamId).toBe(before);
  });

  it('moves what a quarantined stream still holds, eventIds kept, and reports it', () => {
    const accepted = begin(5);
    const old = alert().streamId;
    outbox.sent(old, 5);
    outbox.ack({ streamId: old, through: 2 });
    expect(outbox.quarantine(old, 'seq 2 came twice')).toBe(3);
    const moved = outbox.events(alert().streamId, 0, 10);
    expect(moved.map((event) => event.seq)).toEqual([1, 2, 3]);
    expect(moved.map((event) => event.eventId)).toEqual(accepted.slice(2).map((event) => event.eventId));
    const routine = outbox.streams().find((stream) => stream.lane === 'routine')!;
    expect(outbox.events(routine.streamId, 0, 10)[0]?.body).toMatchObject({ kind: 'gap', sourceId: 'outbox' });
    expect(outbox.stats().events).toBe(4);
    expect(outbox.quarantine('s-other', 'x')).toBe(0);
    begin(1);
    expect(alert().lastSeq).toBe(4);
  });

  it('moves an old quarantined stream behind the current one', () => {
    begin(2);
    const old = alert().streamId;
    outbox.rollOver('alert');
    begin(2);
    expect(outbox.quarantine(old, 'x')).toBe(2);
    expect(outbox.events(alert().streamId, 0, 10).map((event) => event.seq)).toEqual([1, 2, 3, 4]);
  });

  it('takes a clip from cut to acked with its event', () => {
    const { clips } = outbox;
    clips.add(manifest('clip-1', clock), '/clips/clip-1');
    clips.add(manifest('clip-2', clock), '/clips/clip-2');
    expect(clips.list('cut').map((row) => row.manifest.clipId)).toEqual(['clip-2', 'clip-1']);
    outbox.accept([{ at: clock.now(), body: { kind: 'clip', episodeId: 'ep-1', clip: manifest('clip-1', clock) } }]);
    expect(clips.list('announced')).toHaveLength(1);
    const old = alert().streamId;
    expect(outbox.quarantine(old, 'moved on the way')).toBe(1);
    outbox.sent(alert().streamId, 1);
    outbox.ack({ streamId: alert().streamId, through: 1 });
    expect(clips.list('uploading')).toMatchObject([{ folder: '/clips/clip-1', attempts: 0, uploads: {} }]);
    clips.attempted('clip-1');
    clips.upload('clip-1', 'clip.mp4', 'http://x/1');
    clips.upload('clip-1', 'overlay.json', true);
    clips.upload('clip-1', 'overlay.json', undefined);
    expect(clips.ofEpisode('ep-1')[0]).toMatchObject({ attempts: 1, uploads: { 'clip.mp4': 'http://x/1' } });
    clips.acked('clip-2');
    expect(clips.list('cut')).toHaveLength(1);
    clips.acked('clip-1');
    expect(clips.stats()).toEqual({ waiting: 1, bytes: 1000 });
    clips.remove('clip-1');
    expect(clips.stats()).toEqual({ waiting: 1, bytes: 1000 });
  });

  it('keeps wishes for clips until they are cut, and refuses clips beyond their quota', () => {
    outbox.close();
    rmSync(folder, { recursive: true, force: true });
    outbox = open({ clipBytes: 1500 });
    const { clips } = outbox;
    const request = {
      episodeId: 'ep-1',
      cameraId: 'cam-a',
      cause: 'begin',
      fromWallMs: 1,
      toWallMs: 2,
      dueMonoMs: 3,
      bootId: 'b',
    } as const;
    clips.plan({ clipId: 'clip-1', ...request });
    clips.plan({ clipId: 'clip-2', ...request });
    clips.plan({ clipId: 'clip-3', ...request });
    clips.add(manifest('clip-1', clock), '/x');
    clips.unplan('clip-3');
    expect(clips.plans().map((plan) => plan.clipId)).toEqual(['clip-2']);
    expect(() => clips.add(manifest('clip-2', clock), '/x')).toThrow(expect.objectContaining({ code: 'clips_full' }));
    expect(begin(1)).toHaveLength(1);
  });

  it('takes words out of what waits longer than the days of their class, and keeps the event', async () => {
    const { body } = episode(clock.now(), 'w', 'end');
    const said = { language: 'zh-CN', engine: 'fsmn', text: '钱今天就给', hit: [0, 3] as const };
    const spoken = (behaviour: 'speech_fee' | 'speech_prohibited'): DraftEvent => ({
      at: clock.now(),
      body: {
        ...(body as EpisodeBody),
        behaviour,
        transcript: said,
        sentence: { zh: '听到“钱今天就给”', en: 'Heard “fee”' },
      },
    });
    const accepted = outbox.accept([
      spoken('speech_fee'),
      spoken('speech_prohibited'),
      episode(clock.now(), 'x', 'end'),
    ]);
    const look = () => Array.from({ length: 3 }, () => outbox.removeWords({ fee: 2 })).reduce((sum, n) => sum + n, 0);
    await clock.advance(2 * 86_400_000 - 1);
    expect(look()).toBe(0);
    await clock.advance(1);
    expect(look()).toBe(1);
    const { streamId } = accepted[0]!;
    const [fee, prohibited, other] = outbox.events(streamId, 0, 10);
    expect(fee).toMatchObject({
      eventId: accepted[0]!.eventId,
      seq: 1,
      body: { wordsRemoved: { afterDays: 2, by: 'box' } },
    });
    expect(JSON.stringify(fee)).not.toContain('钱今天');
    expect([prohibited, other]).toEqual(accepted.slice(1));
    // What the cloud then acks is the same event.
    outbox.sent(streamId, 3);
    expect(outbox.ack({ streamId, through: 3, eventId: accepted[2]!.eventId })).toBe('progress');
  });
});
