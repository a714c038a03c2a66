/** The drills of docs/durability.md over the real path: outbox on disk, MQTT, broker, ingest, store, feed. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, watchedClock } from '../../agent/clock.ts';
import { systemClock as cloudClock } from '../../cloud/clock.ts';
import { Full } from '../../protocol/errors.ts';
import { topics } from '../../protocol/stream.ts';
import { episodeDraft, gapDraft } from '../../scripts/storm/tickets.ts';
import { roomEvent } from '../medium/cloud/events.ts';
import { type Box, DRILL_DEVICE, DRILL_ROOM, type Drill, startDrill, until } from './drill.ts';

const HOUR_MS = 3_600_000;
const clock = systemClock();

describe('drills', () => {
  let drill: Drill;
  let box: Box | undefined;
  afterEach(async () => {
    await box?.close();
    box = undefined;
    await drill.close();
  });

  const drained = () => until('the outbox is empty', () => box!.outbox.stats().events === 0);
  /** Every ticket stored once, and on the screen once. */
  const whole = async (tickets: readonly string[]) => {
    await until('on the screen', () => tickets.every((ticket) => drill.screen.shown.has(ticket)));
    expect([...drill.screen.shown.values()].every((count) => count === 1)).toBe(true);
    expect(drill.screen.faults).toEqual([]);
    const { times, ...others } = await drill.stored();
    for (const ticket of tickets) expect(times.get(ticket)).toBe(1);
    return others;
  };

  it('seven days offline at ten times the expected rate: a new alert overtakes the backlog', async () => {
    drill = await startDrill();
    box = drill.openBox();
    // Expected: twelve events an hour and room, in both lanes.
    const backlog: string[] = [];
    const events = 10 * 12 * 24 * 7;
    while (backlog.length < events) backlog.push(...box.accept(60));
    await box.connect();
    await until('the backlog begins to arrive', () => drill.screen.shown.size > 500, 2);
    const delays: number[] = [];
    for (let alert = 0; alert < 3; alert++) {
      const [ticket] = box.accept(1, () => episodeDraft(clock.now(), `new-${alert}`, 0, 9));
      const began = performance.now();
      await until('the new alert is on the screen', () => drill.screen.shown.has(ticket!), 2);
      delays.push(performance.now() - began);
      backlog.push(ticket!);
    }
    const left = box.outbox.stats().events;
    console.log(
      `new alerts on the screen after ${delays.map(Math.round).join(', ')} ms, ${left} of ${events} still to go`,
    );
    expect(left).toBeGreaterThan(1000);
    expect(Math.min(...delays)).toBeLessThan(2000);
    await drained();
    expect(await whole(backlog)).toEqual({ quarantined: 0, rejected: 0 });
  });

  it('a full disk of 50 MB: says so, drains over the line, and goes on by itself', async (ctx) => {
    drill = await startDrill();
    const disk = join(drill.folder, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=50m', 'none', disk], { stdio: 'ignore' });
    } catch {
      ctx.skip('needs the right to mount a tmpfs');
    }
    try {
      const long = '很'.repeat(900);
      box = drill.openBox({ path: join(disk, 'outbox.db'), ballastBytes: 16 * 1024 * 1024 });
      const tickets: string[] = [];
      const draft = (index: number) => {
        const one = episodeDraft(clock.now(), 'full', index, -1);
        return one.body.kind === 'episode' ? { ...one, body: { ...one.body, sentence: { zh: long, en: long } } } : one;
      };
      expect(() => {
        for (;;) tickets.push(...box!.accept(20, draft));
      }).toThrow(Full);
      // Somebody else takes what is left, to the last byte.
      const filler = openSync(join(disk, 'filler'), 'w');
      for (const size of [65_536, 4096])
        try {
          for (;;) if (writeSync(filler, Buffer.alloc(size)) < size) break;
        } catch {}
      closeSync(filler);
      expect(statfsSync(disk).bavail).toBe(0);
      expect(box.outbox.stats()).toMatchObject({ events: tickets.length, full: true });
      await box.connect();
      await drained();
      rmSync(join(disk, 'filler'));
      await until('accepts again by itself', () => {
        try {
          tickets.push(...box!.accept(1, () => gapDraft(clock.now(), 'after')));
          return true;
        } catch (error) {
          expect(error).toBeInstanceOf(Full);
          return false;
        }
      });
      expect(box.outbox.stats().full).toBe(false);
      await drained();
      expect(await whole(tickets)).toEqual({ quarantined: 0, rejected: 0 });
    } finally {
      await box?.close();
      box = undefined;
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('clocks that jump by an hour, a day, to 1970, and in mid-batch, in the room and in the cloud', async () => {
    let roomStepMs = 0;
    let cloudStepMs = 0;
    const base = cloudClock();
    drill = await startDrill({
      cloudClock: { ...base, wallMs: () => base.wallMs() + cloudStepMs },
    });
    const jumpy = watchedClock({
      bootId: 'boot-drill',
      wallMs: () => clock.wallMs() + roomStepMs,
      monoMs: () => clock.monoMs(),
      discipline: () => ({ synchronised: true }),
    });
    box = drill.openBox({ clock: jumpy });
    await box.connect();
    const tickets: string[] = [];
    const now = clock.wallMs();
    for (const step of [HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS, -now, 0]) {
      tickets.push(...box.accept(30));
      cloudStepMs = step === -now ? 0 : -step;
      // In the middle of one decision with several events.
      tickets.push(
        ...box.accept(12, (index) => {
          if (index % 12 === 6) roomStepMs = step;
          return episodeDraft(jumpy.now(), 'jump', index, -1);
        }),
      );
      await drained();
    }
    expect(await whole(tickets)).toEqual({ quarantined: 0, rejected: 0 });
    expect(jumpy.now().clock).toBe('doubtful');
    expect([...drill.screen.shown.keys()].filter((ticket) => ticket.startsWith('jump/'))).toEqual(
      tickets.filter((ticket) => ticket.startsWith('jump/')),
    );
  });

  it('a broker that is killed and whose folder is wiped', async () => {
    drill = await startDrill();
    box = drill.openBox();
    const tickets: string[] = [];
    const forward = await box.connect();
    const folder = join(drill.folder, 'cloud', 'broker');
    for (let round = 0; round < 2; round++) {
      tickets.push(...box.accept(200));
      process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');
      rmSync(folder, { recursive: true });
      tickets.push(...box.accept(50));
      await until('noticed', () => forward.health().state === 'down');
      await until('back', () => forward.health().state === 'connected');
    }
    await drained();
    expect(await whole(tickets)).toEqual({ quarantined: 0, rejected: 0 });
  });

  it('an image of the disk that is put back and run, three times', async () => {
    drill = await startDrill();
    const path = join(drill.folder, 'outbox.db');
    box = drill.openBox();
    const tickets = box.accept(20);
    await box.close();
    copyFileSync(path, `${path}.image`);
    // Each run opens streams of its own; what the image held is sent by both and stored once.
    for (let run = 0; run < 3; run++) {
      copyFileSync(`${path}.image`, path);
      rmSync(`${path}-wal`, { force: true });
      box = drill.openBox();
      tickets.push(...box.accept(15));
      await box.connect();
      await drained();
      await box.close();
      box = undefined;
    }
    expect(await whole(tickets)).toEqual({ quarantined: 0, rejected: 0 });
  });

  it('an image taken while the agent wrote: the cloud knows more of the stream than the image', async () => {
    drill = await startDrill();
    const path = join(drill.folder, 'outbox.db');
    box = drill.openBox();
    const tickets = box.accept(20);
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, `${path}.image${suffix}`);
    tickets.push(...box.accept(20));
    await box.connect();
    await drained();
    await box.close();
    for (const suffix of ['', '-wal']) copyFileSync(`${path}.image${suffix}`, path + suffix);
    box = drill.openBox();
    expect(box.outbox.stats().events).toBe(20);
    tickets.push(...box.accept(5));
    const forward = await box.connect();
    await drained();
    // What the image held goes on in new streams, one for each lane; there the cloud knows it again.
    expect(forward.health()).toMatchObject({ quarantines: 2, refusedAcks: 0 });
    expect(await whole(tickets)).toEqual({ quarantined: 0, rejected: 20 });
    expect(drill.said.filter(({ msg }) => /can not go on/.test(msg))).toHaveLength(2);
  });

  it('two machines that write the same stream: quarantined, reported, the rest goes on in a new one', async () => {
    drill = await startDrill();
    box = drill.openBox();
    const tickets = box.accept(9);
    const { streamId } = box.outbox.streams().find(({ lane, current }) => lane === 'alert' && current)!;
    const { body } = gapDraft(clock.now(), '');
    const twin = { ...episodeDraft(clock.now(), 'twin', 0, 9), body: episodeDraft(clock.now(), 'twin', 0, 9).body };
    void body;
    const event = roomEvent(streamId, 3, twin.body, DRILL_ROOM);
    // The twin has sent seq 3; 1 and 2 are still on their way from it.
    const client = await connectAsync(drill.cloud.mqttUrl, {
      protocolVersion: 5,
      username: DRILL_DEVICE,
      password: drill.secret,
      reconnectPeriod: 0,
    });
    const payload = JSON.stringify({ v: 1, streamId, lane: 'alert', events: [event] });
    await client.publishAsync(topics.events(DRILL_ROOM, 'alert'), payload, { qos: 1 });
    await client.endAsync();
    const forward = await box.connect();
    await drained();
    expect(forward.health().quarantines).toBe(1);
    const others = await whole(tickets);
    expect(others.quarantined).toBe(1);
    expect(others.rejected).toBeGreaterThan(0);
    expect(drill.said.some(({ msg }) => /can not go on/.test(msg))).toBe(true);
  });

  it('a flipped bit in the outbox: that event is set aside and reported, the others arrive', async () => {
    drill = await startDrill();
    const path = join(drill.folder, 'outbox.db');
    box = drill.openBox();
    const tickets = box.accept(40);
    await box.close();
    const bytes = readFileSync(path);
    const mark = Buffer.from('Seat 3 away for 10 s');
    const at = bytes.indexOf(mark);
    expect(at).toBeGreaterThan(0);
    bytes[at + 5]! ^= 0x01;
    writeFileSync(path, bytes);
    box = drill.openBox();
    await box.connect();
    await drained();
    const damaged = tickets.filter((ticket) => ticket.endsWith('-e/10'));
    expect(damaged).toHaveLength(1);
    const others = tickets.filter((ticket) => !damaged.includes(ticket));
    expect(await whole(others)).toMatchObject({ quarantined: 0 });
    const { times } = await drill.stored();
    expect(times.has(damaged[0]!)).toBe(false);
    // One more than what was accepted: the gap that says so.
    expect(times.size).toBe(others.length + 1);
    expect(drill.said.some(({ level, msg }) => level >= 50 && /damaged/.test(msg))).toBe(true);
  });
});
