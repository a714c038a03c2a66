/** The room's half of the path against a real cloud: events once on the feed, clips ready, a disk image restored twice. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { createForward } from '../../../agent/forward.ts';
import { createRecorder } from '../../../agent/record/recorder.ts';
import { openOutbox } from '../../../agent/store/sqlite.ts';
import { createUploader } from '../../../agent/upload.ts';
import type { AlertView, OverviewView } from '../../../cloud/http/api.ts';
import type { DraftEvent, Phase } from '../../../protocol/event.ts';
import { EMPTY_ROOM } from '../../fixtures/empty-room.ts';
import { Browser, type FeedReader, startTestCloud, type TestCloud } from '../cloud/cloud.ts';
import { until } from './mosquitto.ts';

const clock = systemClock();
const log = pino({ level: 'silent' });
let folder: string;
let test: TestCloud;
let browser: Browser;
let feed: FeedReader;
let secret: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-path-'));
  test = await startTestCloud();
  secret = await test.cloud().addDevice({ deviceId: 'box-1', roomId: 'room-1' });
  browser = new Browser(test.cloud().url);
  await browser.setUp(test.cloud().setupUrl!);
  const { cursor } = await browser.json<OverviewView>('GET', '/api/overview');
  feed = await browser.feed(cursor);
});
afterEach(async () => {
  await feed.stop();
  await test.stop();
  rmSync(folder, { recursive: true });
});

const episode = (episodeId: string, phase: Phase = 'begin'): DraftEvent => ({
  at: clock.now(),
  body: {
    kind: 'episode',
    episodeId,
    phase,
    behaviour: 'left_seat',
    level: 'alarm',
    seatIds: ['3'],
    sourceId: 'cam-a',
    beganWallMs: clock.wallMs(),
    from: 'SEATED',
    to: 'AWAY',
    durationMs: 0,
    rule: { pack: 'demo', packVersion: '1', ruleId: 'left_seat', citation: '' },
    figures: [],
    sentence: { zh: '离席', en: 'left' },
  },
});
/** A box: what main.ts wires, without eyes and ears. */
const box = async (place: string) => {
  const outbox = openOutbox({
    path: join(place, 'outbox.db'),
    roomId: 'room-1',
    clock,
    log,
    quotaEvents: 10_000,
    ballastBytes: 0,
  });
  const forward = createForward({
    outbox,
    connection: { url: test.cloud().mqttUrl, clientId: 'box-1', username: 'box-1', password: secret },
    roomId: 'room-1',
    clock,
    log,
  });
  const signal = new AbortController().signal;
  await forward.start(signal);
  return {
    outbox,
    forward,
    accept: (drafts: DraftEvent[]) => {
      const events = outbox.accept(drafts);
      forward.poke();
      return events.map((event) => event.eventId);
    },
    drained: () => until('drained', () => outbox.stats().events === 0),
    close: async () => {
      await forward.close();
      outbox.close();
    },
  };
};
const shown = (): string[] =>
  feed.lines.flatMap((line) => (line.event === 'event' ? [line.data.event.eventId as string] : []));

describe('room to cloud', () => {
  it('shows an alert and its clip, which plays from the cloud, and clears the box', async () => {
    const one = await box(folder);
    const recorder = createRecorder({ folder, store: one.outbox, clock, log, roomId: 'room-1', layout: EMPTY_ROOM });
    const connection = { url: test.cloud().url, deviceId: 'box-1', secret };
    const uploader = createUploader({ store: one.outbox, connection, roomId: 'room-1', clock, log });
    await recorder.start(new AbortController().signal);
    await uploader.start(new AbortController().signal);
    void (async () => {
      for await (const draft of recorder.drafts()) one.accept([draft]);
    })();

    const capture = join(folder, 'capture');
    mkdirSync(capture);
    const picture = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=320x180:rate=25',
      '-t',
      '20',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-bf',
      '0',
      '-g',
      '50',
    ];
    const pieces = ['-f', 'segment', '-segment_time', '2', '-segment_time_delta', '0.1', '-reset_timestamps', '1'];
    execFileSync('ffmpeg', ['-v', 'error', ...picture, ...pieces, join(capture, '%03d.mp4')]);
    const t0 = clock.wallMs() - 14_000;
    // The event and its clip's end lie in the past, so that nothing here waits for pictures.
    const draft = episode('ep-1');
    const at = { ...draft.at, wallMs: t0 + 12_000, monoMs: draft.at.monoMs - 6000 };
    const event: DraftEvent = { at, body: { ...draft.body, beganWallMs: t0 + 11_000 } as DraftEvent['body'] };
    for (const [index, name] of readdirSync(capture).sort().entries()) {
      const path = join(capture, name);
      recorder.segment('cam-a', {
        path,
        beginWallMs: t0 + index * 2000,
        endWallMs: t0 + (index + 1) * 2000,
        bytes: statSync(path).size,
      });
    }
    await until('filed', () => recorder.health().segments === 10);
    one.accept([event]);
    recorder.follow(event);

    const ready = () =>
      feed.lines
        .map((line) => line.data.alert as AlertView | undefined)
        .findLast((alert) => alert?.episodeId === 'ep-1')
        ?.clips.some((clip) => clip.ready);
    await until('the clip is ready', () => ready() === true);
    await until('the row is acked', () => one.outbox.clips.list('acked').length === 1);
    await until('the folder is gone', () => readdirSync(join(folder, 'clips')).length === 0);
    const clip = one.outbox.clips.list('acked')[0]!.manifest;
    const grant = await browser.json<{ mp4Url: string }>('POST', `/api/clips/${clip.clipId}/view`);
    const mp4 = await browser.send('GET', grant.mp4Url);
    expect((await mp4.arrayBuffer()).byteLength).toBe(clip.files[0]!.bytes);
    await Promise.all([uploader.close(), recorder.close()]);
    await one.close();
  });

  it('loses nothing and shows nothing twice across restarts of the cloud', async () => {
    const one = await box(folder);
    const ids = one.accept([episode('ep-1')]);
    await until('shown', () => shown().length === 1);
    await feed.stop();
    const cursor = feed.lines.findLast((line) => line.id !== undefined)!.id!;
    await one.forward.close();
    await test.restart();
    const again = createForward({
      outbox: one.outbox,
      connection: { url: test.cloud().mqttUrl, clientId: 'box-1', username: 'box-1', password: secret },
      roomId: 'room-1',
      clock,
      log,
    });
    ids.push(...one.accept(Array.from({ length: 120 }, (_, i) => episode(`ep-${i + 2}`))));
    await again.start(new AbortController().signal);
    await one.drained();
    const rest = Object.assign(new Browser(test.cloud().url), { cookie: browser.cookie });
    feed = await rest.feed(cursor);
    await until('all shown', () => shown().length === 120);
    expect([ids[0], ...shown()]).toEqual(ids);
    await again.close();
    one.outbox.close();
  });

  it('stores each event once when a disk image is restored and run twice', async () => {
    const original = await box(folder);
    await original.forward.close();
    const left = original.outbox
      .accept(Array.from({ length: 80 }, (_, i) => episode(`ep-${i}`)))
      .map((event) => event.eventId);
    original.outbox.close();
    const images = [1, 2].map((n) => {
      const place = mkdtempSync(join(folder, `image-${n}-`));
      for (const name of readdirSync(folder))
        if (name.startsWith('outbox.db')) cpSync(join(folder, name), join(place, name));
      return place;
    });
    const ids = [...left];
    for (const place of images) {
      const one = await box(place);
      ids.push(...one.accept(Array.from({ length: 5 }, (_, i) => episode(`${place.slice(-6)}-${i}`))));
      await one.drained();
      expect(one.forward.health().quarantines).toBe(0);
      await one.close();
    }
    await until('all shown', () => shown().length >= 90);
    expect([...shown()].sort()).toEqual([...ids].sort());
  });
});
