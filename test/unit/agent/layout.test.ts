/** The layout that an order puts in force, and what the parts make of the change. */
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createScouts, createSeatScout } from '../../../agent/calibrate.ts';
import { virtualClock } from '../../../agent/clock.ts';
import { createLayoutHolder, seatsWarning } from '../../../agent/layout.ts';
import { memoryOutbox } from '../../../agent/store/memory.ts';
import { createWatch } from '../../../agent/watch.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import type { EpisodeBody, RoomEvent } from '../../../protocol/event.ts';
import type { LayoutOrder } from '../../../protocol/orders.ts';
import type { RoomLayout } from '../../../protocol/room.ts';
import type { Polygon, Seat } from '../../../protocol/seat.ts';
import type { Session } from '../../../protocol/session.ts';

const ZONE: Polygon = [
  [0.1, 0.1],
  [0.3, 0.1],
  [0.3, 0.6],
  [0.1, 0.6],
];
const seat = (seatId: string): Seat => ({ seatId, name: `${seatId}号席`, views: [{ cameraId: 'cam', zone: ZONE }] });
const own: RoomLayout = {
  roomId: 'room-1',
  name: 'r',
  centre: 'c',
  timeZone: 'Asia/Shanghai',
  seats: [seat('1')],
  zones: [],
  doorLines: [],
  floor: [],
  roster: [{ seatId: '1', expertId: 'e' }],
};
const order = (seats: readonly Seat[]): LayoutOrder => ({ seats, zones: [], doorLines: [], floor: [] });

describe('a room without seats', () => {
  it('is warned of by what is in force, not by room.yaml alone', () => {
    const laid = createLayoutHolder({ own: { ...own, seats: [] }, cameraIds: ['cam'] });
    const said: (string | undefined)[] = [];
    laid.onChange((layout) => said.push(seatsWarning(layout)));
    expect(seatsWarning(laid.current())).toContain('none have come from the desk so far');
    laid.take({ seats: [seat('1')], zones: [], doorLines: [], floor: [] });
    laid.take(undefined);
    expect(said).toEqual([undefined, expect.stringContaining('nobody can be missed')]);
  });
});

describe('the layout in force', () => {
  it('is the file until an order comes, and the file again when the order is taken back', () => {
    const holder = createLayoutHolder({ own, cameraIds: ['cam'] });
    const heard: string[] = [];
    holder.onChange((layout) => heard.push(layout.seats.map(({ seatId }) => seatId).join()));
    expect(holder.current()).toBe(own);
    holder.take(order([seat('1'), seat('2')]));
    expect(holder.current()).toMatchObject({ roomId: 'room-1', roster: own.roster });
    holder.take(undefined);
    expect(holder.current()).toBe(own);
    expect(heard).toEqual(['1,2', '1']);
  });

  it('stays as it was when an order can not run here, and says why in words', () => {
    const holder = createLayoutHolder({ own, cameraIds: ['cam'] });
    holder.take(order([seat('2')]));
    const elsewhere = { ...seat('3'), views: [{ cameraId: 'cam-9', zone: ZONE }] };
    expect(() => holder.take(order([elsewhere]))).toThrow(/cam-9/);
    expect(holder.current().seats.map(({ seatId }) => seatId)).toEqual(['2']);
  });

  it('remembers when a picture was said to be right', () => {
    const holder = createLayoutHolder({ own, cameraIds: ['cam'] });
    holder.take({ ...order([]), references: [{ cameraId: 'cam', confirmedWallMs: 7 }] });
    expect(holder.confirmedWallMs().get('cam')).toBe(7);
    expect(holder.confirmedWallMs().has('other')).toBe(false);
  });
});

describe('watch under another layout', () => {
  const episode = (episodeId: string, seatIds: readonly string[]): EpisodeBody => ({
    kind: 'episode',
    episodeId,
    phase: 'begin',
    behaviour: 'left_seat',
    level: 'alarm',
    seatIds,
    beganWallMs: 1,
    from: 'LEAVING',
    to: 'AWAY',
    durationMs: 30_000,
    rule: { pack: 'demo', packVersion: '1', ruleId: 'left_seat', citation: '' },
    figures: [],
    sentence: { zh: '离席', en: 'away' },
  });

  it('ends the episodes of seats that are no more, and goes on with the others', async () => {
    const clock = virtualClock();
    const outbox = memoryOutbox({ roomId: 'room-1', clock, quotaEvents: 100 });
    const context = { layout: { ...own, seats: [seat('1'), seat('2')] }, pack: loadRulePack('demo'), runId: 'run' };
    const watch = createWatch({ context, outbox, clock, log: pino({ level: 'silent' }) });
    const heard: RoomEvent[] = [];
    watch.onEvent((event) => void heard.push(event));
    watch.record([episode('a', ['1']), episode('b', ['2'])].map((body) => ({ at: clock.now(), body })));
    heard.length = 0;
    watch.relay({ ...own, seats: [seat('1'), seat('3')] });
    expect(heard.map(({ body }) => body.kind === 'episode' && [body.episodeId, body.phase])).toEqual([['b', 'end']]);
    watch.observe({ kind: 'tick', at: clock.now() });
    expect(watch.view().seats.map(({ seatId, state }) => [seatId, state])).toEqual([
      ['1', 'AWAY'],
      ['3', 'UNKNOWN'],
    ]);
  });
});

describe('a session that was withdrawn', () => {
  it('does not come back with the next layout', () => {
    const clock = virtualClock();
    const outbox = memoryOutbox({ roomId: 'room-1', clock, quotaEvents: 100 });
    const session: Session = { sessionId: 'gone', phase: 'evaluating', startWallMs: 0, permits: [] };
    const pack = loadRulePack('demo');
    const context = { layout: own, pack, runId: 'run', session };
    const watch = createWatch({ context, outbox, clock, log: pino({ level: 'silent' }) });
    const heard: RoomEvent[] = [];
    watch.onEvent((event) => void heard.push(event));
    watch.observe({ kind: 'session', at: clock.now(), session: undefined });
    watch.relay({ ...own, seats: [seat('1')] });
    const { phraseId, category, language } = pack.phrases[0]!;
    watch.observe({
      kind: 'phrase',
      microphoneId: 'mic',
      at: clock.now(),
      engine: 'scripted',
      language,
      phraseId,
      category,
      text: '',
      score: 0,
      threshold: -1,
      beginMonoMs: 0,
      endMonoMs: 0,
    });
    expect(heard.map(({ body }) => body.kind)).toEqual(['episode']);
    expect(heard[0]!.body).not.toHaveProperty('sessionId');
  });
});

describe('the scout of seats', () => {
  const sitting = (x: number, wobble: number) => ({
    box: [x + wobble, 0.3, x + 0.1 + wobble, 0.6] as const,
    score: 0.9,
  });

  it('proposes nothing before a minute, then places where people sit and none is drawn', () => {
    const scout = createSeatScout();
    const found = (drawn: readonly Polygon[], at: number) => scout.found(drawn, at);
    let at = 0;
    for (; at < 50_000; at += 500) scout.see([sitting(0.1, 0), sitting(0.5, 0.005)], at);
    expect(found([], at)).toBeUndefined();
    for (; at < 90_000; at += 500) scout.see([sitting(0.1, 0), sitting(0.5, at % 1000 ? 0.004 : 0)], at);
    expect(found([], at)?.seats).toHaveLength(2);
    const drawn: Polygon = [
      [0.1, 0.3],
      [0.2, 0.3],
      [0.2, 0.6],
      [0.1, 0.6],
    ];
    const left = found([drawn], at);
    expect(left?.seats).toHaveLength(1);
    expect(left?.seats[0]?.zone[0]?.[0]).toBeGreaterThan(0.4);
    expect(left?.watchedMs).toBeGreaterThan(80_000);
  });

  it('speaks for each camera, of places that the layout has no seat for, and forgets one that looks elsewhere', () => {
    const scouts = createScouts();
    for (let at = 0; at < 100_000; at += 1000) {
      scouts.see('cam', [sitting(0.12, 0), sitting(0.5, 0)], at);
      scouts.see('other', [], at);
    }
    const drawn = [{ ...seat('1'), views: [{ cameraId: 'cam', zone: ZONE }] }];
    const found = scouts.proposals({ ...own, seats: drawn }, 100_000);
    expect(found.map(({ cameraId, seats }) => [cameraId, seats.length])).toEqual([['cam', 1]]);
    expect(scouts.proposals({ ...own, seats: [] }, 100_000)[0]!.seats).toHaveLength(2);
    scouts.forget('cam');
    expect(scouts.proposals({ ...own, seats: [] }, 100_000)).toEqual([]);
  });

  it('forgets a place where nobody has sat for twenty minutes', () => {
    const scout = createSeatScout();
    let at = 0;
    for (; at < 600_000; at += 1000) scout.see([sitting(0.1, 0)], at);
    for (; at < 1_300_000; at += 1000) scout.see([sitting(0.6, 0)], at);
    const places = scout.found([], at)?.seats.map(({ zone }) => Math.round(zone[0]![0] * 10) / 10);
    expect(places).toEqual([0.6]);
  });
});
