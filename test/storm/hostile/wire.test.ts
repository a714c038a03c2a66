/** Hostile payloads on every topic: refused with a stored reason, the worker lives, other rooms do not notice, memory is bounded. */
import fc from 'fast-check';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { memoryOutbox } from '../../../agent/store/memory.ts';
import { readDelivery } from '../../../cloud/ingest/read.ts';
import type { Delivery } from '../../../cloud/store/store.ts';
import { REFUSALS } from '../../../protocol/refusal.ts';
import { parseAck, parseBatch, parseRoomState } from '../../../protocol/schema.ts';
import { LIMITS, topics } from '../../../protocol/stream.ts';
import { gapDraft } from '../../../scripts/storm/tickets.ts';
import { startDrill, until } from '../drill.ts';
import { openSimStore, type SimStore } from '../sim/store.ts';
import { anyPayload, batchJson, goodEvents, namedPayloads } from './payloads.ts';

const SEED = 20_261_124;
const MB = 1024 * 1024;

/** A stream that is in quarantine takes nothing more, so every few payloads come in another one. */
const anyOfStreams = (streams: number) =>
  fc.nat({ max: streams }).chain((number) => anyPayload('room-evil', `s-evil-${number}`, number));

describe('hostile payloads', () => {
  let shared: SimStore;
  beforeAll(async () => {
    shared = await openSimStore();
  });
  afterAll(() => shared.close());

  /** As the ingest treats a payload. */
  const take = async (payload: Buffer, roomId: string) => {
    const parsed = parseBatch(payload, roomId, 'alert');
    const read = readDelivery(payload, roomId, 'alert');
    if ('delivery' in read) return { parsed, outcome: await shared.store.ingest([read.delivery], 1) };
    await shared.store.keepUnreadable(read.unreadable, 1);
    return { parsed, outcome: undefined };
  };

  it('of any kind are stored or refused with a reason, and the next good batch passes', async () => {
    let run = 0;
    const before = process.memoryUsage().rss;
    await fc.assert(
      fc.asyncProperty(anyOfStreams(400), async (payload) => {
        const { parsed, outcome } = await take(payload, 'room-evil');
        if (!parsed.ok) {
          expect(REFUSALS).toContain(parsed.code);
          expect(parsed.reason.length).toBeGreaterThan(0);
          expect(parsed.reason.length).toBeLessThanOrEqual(300);
        }
        if (!parsed.ok && parsed.rescue) {
          const { firstSeq, lastSeq, good, bad } = parsed.rescue;
          expect(good.length + bad.length).toBe(lastSeq - firstSeq + 1);
        }
        if (outcome) expect(outcome.acks).toHaveLength(1);
        if (run++ % 50 === 0) {
          const honest = goodEvents('room-good', `s-good-${run}`, 1000 + run, 1);
          const { outcome: passed } = await take(Buffer.from(batchJson(honest[0]!.streamId, honest)), 'room-good');
          expect(passed).toMatchObject({ stored: 1, rejected: 0, quarantined: [] });
          expect(passed!.acks[0]!.ack.through).toBe(1);
        }
      }),
      { seed: SEED, numRuns: 1500 },
    );
    const kept = await shared.store.rejections(5000);
    expect(kept.length).toBeGreaterThan(500);
    expect(kept.every(({ code, reason }) => code.length > 0 && reason.length > 0)).toBe(true);
    expect((process.memoryUsage().rss - before) / MB).toBeLessThan(400);
  });

  it('that the list of threats names are refused, each with its reason', async () => {
    for (const [index, payload] of namedPayloads('room-named', 's-named').entries()) {
      const parsed = parseBatch(payload, 'room-named', 'alert');
      // A leap of seq is well-formed; the store answers it with a quarantine.
      if (parsed.ok) {
        const { outcome } = await take(payload, 'room-named');
        expect(outcome!.quarantined).toHaveLength(1);
      } else expect(parsed.reason, `payload ${index}`).not.toBe('');
    }
  });

  it('of the size that is allowed pass, and one byte more is refused', async () => {
    const events = goodEvents('room-sized', 's-sized', 7_000_000, LIMITS.batchEvents);
    const text = batchJson('s-sized', events);
    // JSON may end in spaces: the same batch in as many bytes as we like.
    const sized = (bytes: number) => Buffer.from(text + ' '.repeat(bytes - Buffer.byteLength(text)));
    const over = await take(sized(LIMITS.batchBytes + 1), 'room-sized');
    expect(over.parsed).toMatchObject({ ok: false, code: 'too_large' });
    const { outcome } = await take(sized(LIMITS.batchBytes), 'room-sized');
    expect(outcome).toMatchObject({ stored: LIMITS.batchEvents, rejected: 0, quarantined: [] });
    const kept = (await shared.store.rejections(5000)).filter(({ roomId }) => roomId === 'room-sized');
    expect(kept).toMatchObject([{ code: 'too_large' }]);
  });

  it('that replay what was sent a month ago change nothing, and nobody sees them', async () => {
    const month = 31 * 86_400_000;
    const payload = Buffer.from(batchJson('s-month', goodEvents('room-month', 's-month', 8_000_000, 20)));
    const read = readDelivery(payload, 'room-month', 'alert');
    if (!('delivery' in read)) throw new Error('refused');
    const first = await shared.store.ingest([read.delivery], 1);
    const head = await shared.store.head();
    const again = await shared.store.ingest([read.delivery], 1 + month);
    expect(again).toMatchObject({ stored: 0, repeated: 20, rejected: 0, quarantined: [] });
    expect(again.acks).toEqual(first.acks);
    // Under a stream of its own it is known by its events.
    const moved = goodEvents('room-month', 's-moved', 8_000_000, 20).map((event) => ({
      ...event,
      streamId: 's-moved',
    }));
    const other = { ...read.delivery, streamId: 's-moved', good: moved };
    expect(await shared.store.ingest([other], 1 + month)).toMatchObject({ stored: 0, rejected: 20, quarantined: [] });
    const shown = (await shared.store.since(head)).items.filter(({ kind }) => kind === 'event');
    expect(shown).toEqual([]);
  });

  it('from one room with more streams than a box can have are bounded, and another room is served', async () => {
    const room = 'room-streams';
    let refused = 0;
    for (let from = 0; from < 21_000; from += 500) {
      const deliveries = Array.from({ length: 500 }, (_, index): Delivery => {
        const streamId = `many-${from + index}`;
        const good = goodEvents(room, streamId, 100_000 + from + index, 1);
        return { roomId: room, streamId, lane: 'alert', good, bad: [] };
      });
      const { acks } = await shared.store.ingest(deliveries, 1);
      refused += acks.filter(({ ack }) => ack.quarantined === 'too_many_streams').length;
    }
    expect(refused).toBe(1000);
    const [event] = goodEvents('room-next', 's-next', 5_000_000, 1);
    const { outcome } = await take(Buffer.from(batchJson('s-next', [event!])), 'room-next');
    expect(outcome).toMatchObject({ stored: 1, rejected: 0 });
  });

  it('on the other topics are refused: states, and acks that would delete evidence', () => {
    const clock = virtualClock();
    fc.assert(
      fc.property(anyPayload('room-1', 's-1', 3), (payload) => {
        expect(parseRoomState(payload, 'room-1').ok).toBe(false);
      }),
      { seed: SEED, numRuns: 500 },
    );
    const outbox = memoryOutbox({ roomId: 'room-1', clock, quotaEvents: 100 });
    const [event] = outbox.accept([gapDraft(clock.now(), 'kept')]);
    const ack = fc.record({
      v: fc.constantFrom(1, 2, '1'),
      streamId: fc.constantFrom(event!.streamId, 's-other', ''),
      through: fc.oneof(fc.integer(), fc.double(), fc.constantFrom(2 ** 53, 1e308, null)),
      eventId: fc.option(fc.constantFrom(event!.eventId, 'another', ''), { nil: undefined }),
      chain: fc.option(fc.oneof(fc.nat(), fc.constantFrom(-1, 2 ** 40, '1')), { nil: undefined }),
    });
    fc.assert(
      fc.property(ack, (forged) => {
        const parsed = parseAck(Buffer.from(JSON.stringify(forged)));
        if (parsed.ok) outbox.ack(parsed.ack);
        // Nothing was sent yet: whatever an ack says, nothing may go.
        expect(outbox.stats().events).toBe(1);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('over a real broker leave the worker alive and the other room untouched', async () => {
    const drill = await startDrill();
    const box = drill.openBox();
    try {
      const secret = await drill.cloud.addDevice({ deviceId: 'box-evil', roomId: 'room-evil' });
      const evil = () =>
        connectAsync(drill.cloud.mqttUrl, {
          protocolVersion: 5,
          username: 'box-evil',
          password: secret,
          reconnectPeriod: 0,
        });
      const payloads = [
        ...namedPayloads('room-evil', 's-named'),
        ...fc.sample(anyOfStreams(100), { seed: SEED, numRuns: 300 }),
      ];
      await box.connect();
      let client = await evil();
      const tickets: string[] = [];
      const began = process.memoryUsage().rss;
      for (const [index, payload] of payloads.entries()) {
        const topic =
          index % 7 === 3
            ? topics.state('room-evil')
            : index % 7 === 5
              ? topics.snapshot('room-evil', 'cam-a')
              : topics.events('room-evil', 'alert');
        await client.publishAsync(topic, payload, { qos: 1 });
        if (index % 10 === 0) tickets.push(...box.accept(2));
      }
      // Beyond what the broker takes nothing comes through; topics of others it refuses.
      client.on('error', () => undefined);
      client.publish(topics.events('room-evil', 'alert'), Buffer.alloc(1_300_000), { qos: 1 }, () => undefined);
      await new Promise((resolve) => setTimeout(resolve, 500));
      client.end(true);
      client = await evil();
      for (const topic of [
        topics.ack('room-evil'),
        topics.ack('room-drill'),
        topics.events('room-drill', 'alert'),
        topics.state('room-drill'),
      ])
        await client
          .publishAsync(topic, JSON.stringify({ v: 1, streamId: 's', through: 5 }), { qos: 1 })
          .catch(() => undefined);
      client.end(true);

      tickets.push(...box.accept(5));
      await until('the honest room is served', () => box.outbox.stats().events === 0);
      await until('on the screen', () => tickets.every((ticket) => drill.screen.shown.has(ticket)));
      const health = (await (await fetch(`${drill.cloud.url}/healthz`)).json()) as {
        ok: boolean;
        ingest: Record<string, number>;
      };
      expect(health.ok).toBe(true);
      expect(health.ingest.failed).toBe(0);
      expect(health.ingest.unreadable! + health.ingest.rejected!).toBeGreaterThan(100);
      expect((process.memoryUsage().rss - began) / MB).toBeLessThan(400);
      const { times, rejected } = await drill.stored();
      // Its share is kept, with reasons; what was more is counted.
      expect(rejected).toBeGreaterThanOrEqual(20);
      expect(health.ingest.unreadableNotKept).toBeGreaterThan(0);
      for (const ticket of tickets) expect(times.get(ticket)).toBe(1);
    } finally {
      await box.close();
      await drill.close();
    }
  });
});
