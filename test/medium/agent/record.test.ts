import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type VirtualClock, virtualClock } from '../../../agent/clock.ts';
import { createRecorder, type Recorder } from '../../../agent/record/recorder.ts';
import type { RingLimits } from '../../../agent/record/ring.ts';
import { memoryOutbox } from '../../../agent/store/memory.ts';
import type { Outbox } from '../../../agent/store/outbox.ts';
import type { ClipManifest, Overlay } from '../../../protocol/clip.ts';
import { Full } from '../../../protocol/errors.ts';
import type { DraftEvent, EpisodeBody, GapBody } from '../../../protocol/event.ts';
import type { RoomLayout } from '../../../protocol/room.ts';
import { until } from './mosquitto.ts';
import { makeSegments, probe } from './segments.ts';

const log = pino({ level: 'silent' });
const MS = 2000;
let source: string;
let folder: string;
let clock: VirtualClock;
let store: Outbox;
let recorder: Recorder;
let drafts: DraftEvent[];

beforeAll(() => {
  source = mkdtempSync(join(tmpdir(), 'evalroom-segments-'));
  makeSegments(source, 'a', '320x180');
  makeSegments(source, 'b', '160x90');
}, 60_000);
afterAll(() => rmSync(source, { recursive: true }));

const zone = [
  [0.1, 0.1],
  [0.4, 0.1],
  [0.4, 0.5],
] as const;
const layout: RoomLayout = {
  roomId: 'room-1',
  name: '',
  centre: '',
  timeZone: 'Asia/Shanghai',
  seats: [{ seatId: '3', name: '3号席', views: [{ cameraId: 'cam-a', zone }] }],
  zones: [],
  doorLines: [],
  floor: [],
  roster: [],
};

const begin = async (limits?: Partial<RingLimits>) => {
  recorder = createRecorder({ folder, store, clock, log, roomId: 'room-1', layout, ...(limits ? { limits } : {}) });
  await recorder.start(new AbortController().signal);
  drafts = [];
  const mine = drafts;
  const running = recorder;
  void (async () => {
    for await (const draft of running.drafts()) mine.push(draft);
  })();
};
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-record-'));
  mkdirSync(join(folder, 'capture'));
  clock = virtualClock();
  store = memoryOutbox({ roomId: 'room-1', clock, quotaEvents: 1000, quotaClipBytes: 50e6 });
  await begin();
});
afterEach(async () => {
  await recorder.close();
  rmSync(folder, { recursive: true });
});

let copies = 0;
/** Time goes on by two seconds and the camera's file of them arrives. */
const record = async (index: number, name = 'a', change?: (path: string) => void, anew?: string) => {
  const beginWallMs = clock.wallMs();
  await clock.advance(MS);
  const path = join(folder, 'capture', `seg-${copies++}.mp4`);
  copyFileSync(join(source, `${name}-${String(index).padStart(3, '0')}.mp4`), path);
  const before = recorder.health().segments + recorder.health().lostSegments;
  recorder.segment('cam-a', {
    path,
    beginWallMs,
    endWallMs: clock.wallMs(),
    bytes: statSync(path).size,
    ...(anew === undefined ? {} : { anew }),
  });
  await until('the segment is filed', () => recorder.health().segments + recorder.health().lostSegments > before);
  change?.(newestFile());
};
const newestFile = () => {
  const place = join(folder, 'segments', 'cam-a');
  return join(place, readdirSync(place).sort().at(-1)!);
};
const episode = (over: Partial<EpisodeBody> = {}): DraftEvent => ({
  at: clock.now(),
  body: {
    kind: 'episode',
    episodeId: 'ep-1',
    phase: 'begin',
    behaviour: 'left_seat',
    level: 'notice',
    seatIds: ['3'],
    sourceId: 'cam-a',
    beganWallMs: clock.wallMs(),
    from: '',
    to: '',
    durationMs: 0,
    rule: { pack: 'p', packVersion: '1', ruleId: 'r', citation: '' },
    figures: [],
    sentence: { zh: '', en: '' },
    ...over,
  },
});
const happen = (draft: DraftEvent) => {
  store.accept([draft]);
  recorder.follow(draft);
};
/** The clip's event is accepted and acked, and its bytes are in the cloud. */
const acceptAndUpload = (announced: DraftEvent, { clipId }: ClipManifest) => {
  store.accept([announced]);
  for (const { streamId, lastSeq } of store.streams()) {
    store.sent(streamId, lastSeq);
    store.ack({ streamId, through: lastSeq });
  }
  store.clips.acked(clipId);
};
const clips = (): ClipManifest[] => drafts.flatMap(({ body }) => (body.kind === 'clip' ? [body.clip] : []));
const gaps = (): GapBody[] => drafts.flatMap(({ body }) => (body.kind === 'gap' ? [body] : []));
const cut = async (count: number): Promise<ClipManifest[]> => {
  await until(`${count} clip(s)`, () => clips().length >= count);
  return clips();
};
const fileOf = (clip: ClipManifest, name: string) => join(folder, 'clips', clip.clipId, name);
describe('recorder', () => {
  it('cuts a playable clip with sound from ten seconds before the evidence, with its overlay in time', async () => {
    const t0 = clock.wallMs();
    for (let i = 0; i < 8; i++) await record(i);
    recorder.overlay('cam-a', t0 + 12_500, { persons: [{ box: [0, 0, 1, 1], seatId: '3' }], seats: { '3': 'yes' } });
    recorder.overlay('cam-a', t0 + 1000, { persons: [], seats: {} });
    recorder.word(t0 + 13_000, 'hello', true);
    happen(episode({ beganWallMs: t0 + 14_000 }));
    for (let i = 8; i < 11; i++) await record(i);
    const [clip] = await cut(1);
    expect(clip).toMatchObject({ cause: 'begin', beginWallMs: t0 + 4000, episodeId: 'ep-1', roomId: 'room-1' });
    expect(clip!.durationMs).toBeGreaterThan(17_900);
    expect(clip!.durationMs).toBeLessThan(18_100);
    const { kinds, frames, seconds } = probe(fileOf(clip!, 'clip.mp4'));
    expect(kinds.sort()).toEqual(['audio', 'video']);
    expect(frames).toBe(450);
    expect(seconds).toBeCloseTo(18, 0);
    for (const { name, sha256, bytes } of clip!.files) {
      const content = readFileSync(fileOf(clip!, name));
      expect([createHash('sha256').update(content).digest('hex'), content.length]).toEqual([sha256, bytes]);
    }
    const overlay = JSON.parse(readFileSync(fileOf(clip!, 'overlay.json'), 'utf8')) as Overlay;
    expect(overlay).toMatchObject({
      cameraId: 'cam-a',
      seats: [{ seatId: '3', zone }],
      frames: [{ tMs: 8500, seats: { '3': 'yes' } }],
      words: [{ tMs: 9000, text: 'hello', hit: true }],
    });
    expect(gaps()).toEqual([]);
    expect(store.clips.list('cut')).toHaveLength(1);
    expect(store.clips.plans()).toEqual([]);
    expect(readdirSync(join(folder, 'clips'))).toEqual([clip!.clipId]);
  });

  it('says what is missing, leaves a damaged segment out, and keeps wall time over the hole', async () => {
    const t0 = clock.wallMs();
    for (let i = 0; i < 4; i++) await record(i);
    await record(4, 'a', (path) => {
      const content = readFileSync(path);
      content[content.length >> 1]! ^= 0xff;
      writeFileSync(path, content);
    });
    await record(5);
    happen(episode());
    for (let i = 6; i < 9; i++) await record(i);
    const [clip] = await cut(1);
    await until('the gap', () => gaps().length > 0);
    expect(gaps()).toMatchObject([
      { sourceId: 'cam-a', role: 'record', fromWallMs: t0 + 8000, toWallMs: t0 + 10_000, reason: /damaged/ },
    ]);
    expect(clip!.durationMs).toBeGreaterThan(15_900);
    expect(probe(fileOf(clip!, 'clip.mp4')).frames).toBe(7 * 50);
  });

  it('reports a span without any segment as a gap, without a clip', async () => {
    happen(episode());
    await clock.advance(5000 + 6000);
    await until('the gap', () => gaps().length > 0);
    expect(gaps()).toMatchObject([{ sourceId: 'cam-a', reason: /nothing was recorded/ }]);
    expect(clips()).toEqual([]);
    expect(recorder.health().planned).toBe(0);
  });

  it('says once that nothing was recorded between two segments, though no clip is asked for, and also after a restart', async () => {
    for (let i = 0; i < 6; i++) await record(i);
    const fromWallMs = clock.wallMs();
    await clock.advance(3000);
    await record(6);
    const hole = { kind: 'gap', sourceId: 'cam-a', role: 'record', reason: 'nothing was recorded' };
    await until('the gap', () => gaps().length > 0);
    expect(gaps()).toEqual([{ ...hole, fromWallMs, toWallMs: fromWallMs + 3000 }]);
    // A clip over the same hole tells nothing new.
    happen(episode());
    for (let i = 7; i < 10; i++) await record(i);
    await cut(1);
    expect(gaps()).toHaveLength(1);
    // A clock that is set forward by an hour leaves no hole.
    clock.step(3_600_000);
    await record(3);
    await record(4);
    expect(gaps()).toHaveLength(1);
    await recorder.close();
    const offWallMs = clock.wallMs();
    await clock.advance(60_000);
    await begin();
    await record(5);
    await until('the gap of the restart', () => gaps().length > 0);
    expect(gaps()).toEqual([{ ...hole, fromWallMs: offWallMs, toWallMs: offWallMs + 60_000 }]);
  });

  it('says why recording began anew, also where next to nothing is missing, and a clip over it does not say it again', async () => {
    for (let i = 0; i < 5; i++) await record(i);
    const fromWallMs = clock.wallMs();
    await record(5, 'a', undefined, "the camera's clock jumped");
    const seam = { kind: 'gap', sourceId: 'cam-a', role: 'record', reason: "the camera's clock jumped" };
    await until('the gap', () => gaps().length > 0);
    expect(gaps()).toEqual([{ ...seam, fromWallMs, toWallMs: fromWallMs }]);
    const goneWallMs = clock.wallMs();
    await clock.advance(4000);
    await record(6, 'a', undefined, 'the camera ended the stream');
    happen(episode());
    for (let i = 7; i < 10; i++) await record(i);
    await cut(1);
    const hole = {
      ...seam,
      reason: 'the camera ended the stream',
      fromWallMs: goneWallMs,
      toWallMs: goneWallMs + 4000,
    };
    expect(gaps()).toEqual([{ ...seam, fromWallMs, toWallMs: fromWallMs }, hole]);
  });

  it('cuts no clip on a disk that the events need, and says the gap after its attempts', async () => {
    await recorder.close();
    await begin({ keepFreeBytes: 1e18 });
    happen(episode());
    const t0 = clock.monoMs();
    // Each attempt ends with real work on the disk: time goes on between them.
    for (let i = 0; i < 400 && gaps().length === 0; i++) {
      await clock.advance(2500);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    expect(clock.monoMs() - t0).toBeGreaterThan(240_000);
    expect(gaps()).toMatchObject([{ reason: /disk_low/ }]);
    expect(store.clips.plans()).toEqual([]);
    expect(readdirSync(join(folder, 'clips'))).toEqual([]);
  });

  it('puts only one picture format into a clip', async () => {
    for (let i = 0; i < 6; i++) await record(i);
    happen(episode());
    for (let i = 6; i < 9; i++) await record(i, 'b');
    const [clip] = await cut(1);
    expect(clip!.durationMs).toBeGreaterThan(9900);
    await until('the gap', () => gaps().length > 0);
    expect(gaps().some(({ reason }) => /format changed/.test(reason))).toBe(true);
  });

  it('takes up wishes, unannounced clips and clips without a row after a restart', async () => {
    for (let i = 0; i < 8; i++) await record(i);
    happen(episode());
    happen(episode({ episodeId: 'ep-2' }));
    await recorder.close();
    await begin();
    for (let i = 8; i < 11; i++) await record(i);
    const first = await cut(2);
    expect(first.map((clip) => clip.episodeId).sort()).toEqual(['ep-1', 'ep-2']);
    await recorder.close();
    store.clips.remove(first[0]!.clipId);
    mkdirSync(join(folder, 'clips', '.making-c-half'));
    mkdirSync(join(folder, 'clips', 'c-strange'));
    await begin();
    const again = await cut(2);
    expect(again.map((clip) => clip.clipId).sort()).toEqual(first.map((clip) => clip.clipId).sort());
    expect(readdirSync(join(folder, 'clips')).filter((name) => !name.startsWith('c-'))).toEqual([]);
    expect(existsSync(join(folder, 'clips', 'c-strange.damaged'))).toBe(true);
  });

  it('plans anew for an open episode that has neither wish nor clip', async () => {
    for (let i = 0; i < 8; i++) await record(i);
    store.accept([episode()]);
    await recorder.close();
    await begin();
    for (let i = 8; i < 11; i++) await record(i);
    expect((await cut(1))[0]).toMatchObject({ episodeId: 'ep-1', cause: 'begin' });
  });
});

describe('recorder, when the process ends or the disk is full', () => {
  it('makes the clips of a decision that was accepted and not followed before the process ended, once', async () => {
    for (let i = 0; i < 6; i++) await record(i);
    happen(episode());
    for (let i = 6; i < 10; i++) await record(i);
    await cut(1);
    // Killed between the outbox and the recorder: escalation of one, begin and end of another in one decision.
    store.accept([
      episode({ phase: 'update', level: 'alarm' }),
      episode({ episodeId: 'ep-2', behaviour: 'speech_prohibited' }),
      episode({ episodeId: 'ep-2', behaviour: 'speech_prohibited', phase: 'end' }),
    ]);
    await recorder.close();
    await begin();
    for (let i = 10; i < 13; i++) await record(i);
    await clock.advance(10_000);
    const made = await cut(4);
    const causes = (id: string) => made.filter((clip) => clip.episodeId === id).map(({ cause }) => cause);
    expect(causes('ep-1').sort()).toEqual(['begin', 'escalation']);
    expect(causes('ep-2').sort()).toEqual(['begin', 'end']);
    await recorder.close();
    await begin();
    await clock.advance(10_000);
    expect(store.clips.plans()).toEqual([]);
    expect(new Set((await cut(4)).map(({ clipId }) => clipId))).toEqual(new Set(made.map(({ clipId }) => clipId)));
  });

  it('announces a clip once, however long its event waits to be accepted', async () => {
    for (let i = 0; i < 6; i++) await record(i);
    happen(episode());
    for (let i = 6; i < 10; i++) await record(i);
    await cut(1);
    for (let i = 0; i < 10; i++) {
      await clock.advance(10_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(clips()).toHaveLength(1);
  });

  it('goes on when a full disk lets no row be dropped', async () => {
    for (let i = 0; i < 6; i++) await record(i);
    const ended = episode({ phase: 'end' });
    happen(ended);
    for (let i = 6; i < 10; i++) await record(i);
    const [clip] = await cut(1);
    acceptAndUpload(drafts[0]!, clip!);
    const { remove } = store.clips;
    let refused = 0;
    store = {
      ...store,
      clips: {
        ...store.clips,
        remove: (clipId) => {
          if (refused++ === 0) throw new Full('disk_full', 'dropping a clip');
          remove(clipId);
        },
      },
    };
    await recorder.close();
    await begin();
    for (let i = 0; i < 8; i++) {
      await clock.advance(10_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await until('tried again', () => refused >= 2);
    expect(store.clips.ofEpisode('ep-1')).toEqual([]);
  });
});
