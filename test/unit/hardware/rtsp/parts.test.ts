/** The pure parts of the RTSP client: addresses and secrets, failures, back-off, lanes, cutting of raw pipes, supervision. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../../agent/clock.ts';
import type { Frame, PcmBlock } from '../../../../hardware/camera.ts';
import { selectFilter } from '../../../../hardware/rtsp/analysis.ts';
import { delayMs, STREAM_BACKOFF } from '../../../../hardware/rtsp/backoff.ts';
import { type FailureKind, failureOf } from '../../../../hardware/rtsp/failure.ts';
import { parameterSets } from '../../../../hardware/rtsp/parameter-sets.ts';
import { createLane } from '../../../../hardware/rtsp/queues.ts';
import { blockCutter, createFramePool, frameCutter } from '../../../../hardware/rtsp/raw.ts';
import { createRole } from '../../../../hardware/rtsp/role.ts';
import { inputList, redact, rtspAddress } from '../../../../hardware/rtsp/source.ts';
import { type Seen, type SessionEnd, supervise } from '../../../../hardware/rtsp/supervise.ts';

describe('addresses', () => {
  it('takes credentials from outside or from the address, and shows none', () => {
    const given = rtspAddress('rtsp://10.0.0.5:554/main?x=1', 'op', "p'w@:/");
    expect(given.secretUrl).toBe('rtsp://op:p%27w%40%3A%2F@10.0.0.5:554/main?x=1');
    expect(given.shownUrl).toBe('rtsp://10.0.0.5:554/main?x=1');
    const inside = rtspAddress('rtsp://op:p%40w@10.0.0.5/main');
    expect(inside.secretUrl).toBe('rtsp://op:p%40w@10.0.0.5/main');
    expect(inside.shownUrl).not.toContain('op');
    expect(rtspAddress('rtsp://10.0.0.5/main').secrets).toEqual([]);
    // A password typed with a bare % is no reason to fail with words that say nothing.
    expect(rtspAddress('rtsp://op:100%sure@10.0.0.5/main').secretUrl).toBe('rtsp://op:100%25sure@10.0.0.5/main');
  });

  it('shows no password that stands in the path or the query', () => {
    const given = rtspAddress('rtsp://10.0.0.5:554/user=admin&password=tl%4AwpXw&channel=1&stream=0.sdp?token=a1b2c3');
    expect(given.shownUrl).toBe('rtsp://10.0.0.5:554/user=admin&password=***&channel=1&stream=0.sdp?token=***');
    expect(given.secretUrl).toContain('password=tl%4AwpXw&');
    const said = redact('Could not open rtsp://10.0.0.5/user=admin&password=other&channel=1 (tlJwpXw)', given.secrets);
    expect(said).toBe('Could not open rtsp://10.0.0.5/user=admin&password=***&channel=1 (***)');
  });

  it.each(['10.0.0.5/main', 'http://10.0.0.5/main', 'rtsp:///main', "rtsp://h/a'b", 'rtsp://h/a\nfile x'])(
    'refuses %j',
    (text) => {
      expect(() => rtspAddress(text)).toThrow(expect.objectContaining({ kind: 'InvalidInput', code: 'rtsp_url' }));
    },
  );

  it('removes secrets in every form from a text', () => {
    const { secretUrl, secrets } = rtspAddress('rtsp://h/main', 'op', 'p@ss word');
    const text = `Impossible to open '${secretUrl}' p@ss word p%40ss%20word rtsp://u:x@other/`;
    const clean = redact(text, secrets);
    expect(clean).not.toMatch(/p@ss|p%40ss|u:x@/);
    expect(clean).toContain('rtsp://h/main');
  });

  it('keeps the list for stdin free of anything but its own options', () => {
    const list = inputList(rtspAddress('rtsp://h/main', 'a', "b'\n c"), { socketTimeoutMs: 5000, onlyAudio: true });
    const rows = list.trim().split('\n');
    expect(rows[1]).toBe("file 'rtsp://a:b%27%0A%20c@h/main'");
    expect(rows.slice(2).every((row) => /^option \w+ \w+$/.test(row))).toBe(true);
    expect(list).toContain('option timeout 5000000');
    expect(list).toContain('option allowed_media_types audio');
  });
});

describe('failures', () => {
  it.each([
    ['[rtsp] [error] method DESCRIBE failed: 401 Unauthorized\nServer returned 401', 1, 'unauthorized'],
    ['method DESCRIBE failed: 404 Not Found', 1, 'not_found'],
    ['Connection to tcp://h failed: Connection refused', 1, 'refused'],
    ['tcp://h: No route to host', 1, 'unreachable'],
    ["[fatal] Stream map '0:a:0' matches no streams.", 1, 'no_audio'],
    ["[fatal] Stream map '0:v:0' matches no streams.", 1, 'no_video'],
    [
      'Could not find tag for codec pcm_alaw in stream #1, codec not currently supported in container',
      1,
      'audio_not_storable',
    ],
    ['/data/x.mp4: No space left on device', 1, 'disk'],
    ['[alsa] cannot open audio device hw:9 (No such file or directory)', 1, 'device_missing'],
    ['[alsa] cannot open audio device hw:1 (Device or resource busy)\nhw:1: Input/output error', 1, 'device_in_use'],
    ['', 0, 'stopped'],
    ['something new', 187, 'failed'],
  ])('%j with exit %i is %s', (stderr, code, kind) => {
    expect(failureOf(stderr, code).kind).toBe(kind);
  });
});

describe('a role', () => {
  it('says while it is down that its device is only in use', () => {
    const role = createRole();
    role.down('in use', true);
    expect(role.health(0)).toMatchObject({ state: 'down', inUse: true });
    role.down('gone');
    expect(role.health(0)).not.toHaveProperty('inUse');
    role.down('in use', true);
    role.delivered(1);
    expect(role.health(0)).not.toHaveProperty('inUse');
  });
});

describe('back-off', () => {
  it('grows to its cap, with jitter around it', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 99].map((attempt) => delayMs(STREAM_BACKOFF, attempt, 0.5))).toEqual([
      500, 1000, 2000, 4000, 4000, 4000, 4000, 4000,
    ]);
    expect([delayMs(STREAM_BACKOFF, 5, 0), delayMs(STREAM_BACKOFF, 5, 1)]).toEqual([3200, 4800]);
  });

  it('is gone through by the supervisor and begins anew after a stable run', async () => {
    const clock = virtualClock();
    const stop = new AbortController();
    const waits: number[] = [];
    const lives = [0, 0, 0, 40_000, 0];
    const end: SessionEnd = { failure: { kind: 'refused', reason: 'x' }, again: 'after_wait' };
    const done = supervise({
      async run() {
        await clock.sleep(lives.shift() ?? 0);
        return end;
      },
      onEnd(_end, waitMs) {
        waits.push(waitMs);
        if (waits.length === 5) stop.abort();
      },
      backoff: STREAM_BACKOFF,
      clock,
      random: () => 0.5,
      signal: stop.signal,
    });
    await clock.advance(100_000);
    await done;
    expect(waits).toEqual([500, 1000, 2000, 500, 1000]);
  });

  /** Each end of these, in order: which were worth a line, and how many of the kind were before. */
  const told = async (ends: readonly { kind: FailureKind; reason?: string; afterMs?: number }[]) => {
    const clock = virtualClock();
    const stop = new AbortController();
    const seen: Seen[] = [];
    const done = supervise({
      async run() {
        const { kind, reason = 'x', afterMs = 0 } = ends[seen.length]!;
        await clock.sleep(afterMs);
        return { failure: { kind, reason }, again: 'after_wait' };
      },
      onEnd(_end, _waitMs, one) {
        seen.push(one);
        if (seen.length === ends.length) stop.abort();
      },
      backoff: STREAM_BACKOFF,
      clock,
      random: () => 0.5,
      signal: stop.signal,
    });
    await clock.advance(10_000_000);
    await done;
    return { repeats: seen.map(({ repeats }) => repeats), lines: seen.flatMap(({ isNews }, i) => (isNews ? [i] : [])) };
  };

  it('counts how often the same thing happened, also with others between, so that a night is not ten thousand lines', async () => {
    const kinds = ['refused', 'refused', 'unreachable', 'refused', 'unreachable'] as const;
    // The last one held for long: its end is the first of a new outage.
    const held = await told([...kinds.map((kind) => ({ kind })), { kind: 'refused', afterMs: 40_000 }]);
    expect(held).toEqual({ repeats: [0, 1, 0, 2, 1, 0], lines: [0, 2, 5] });
    const night = Array.from({ length: 1000 }, (_, i) => ({ kind: i % 2 === 0 ? 'refused' : 'unreachable' }) as const);
    expect((await told(night)).lines).toEqual([0, 200, 400, 600, 800].flatMap((i) => [i, i + 1]));
  });

  it('tells another reason of the same kind at once, and a reason that counts seconds some times only', async () => {
    const ends = ['a', 'a', 'b', 'a', 'b'].map((reason) => ({ kind: 'failed', reason }) as const);
    expect((await told(ends)).lines).toEqual([0, 2]);
    const counting = Array.from({ length: 90 }, (_, i) => ({ kind: 'hung', reason: `no sound for ${i} s` }) as const);
    expect((await told(counting)).lines).toEqual([0, 1, 2, 3, 4]);
  });

  it('does not go round without a wait for ever: an adjustment that does not hold is an outage', async () => {
    const clock = virtualClock();
    const stop = new AbortController();
    const waits: number[] = [];
    const done = supervise({
      run: async () => ({ failure: { kind: 'no_audio', reason: 'x' }, again: 'now' }),
      onEnd(_end, waitMs) {
        waits.push(waitMs);
        if (waits.length === 5) stop.abort();
      },
      backoff: STREAM_BACKOFF,
      clock,
      random: () => 0.5,
      signal: stop.signal,
    });
    await clock.advance(100_000);
    await done;
    expect(waits).toEqual([0, 0, 0, 500, 1000]);
  });
});

describe('lanes', () => {
  it('keep the newest and count what they drop', async () => {
    const lane = createLane<number>(1);
    for (const item of [1, 2, 3]) lane.push(item);
    expect(lane.dropped()).toBe(2);
    lane.end();
    const got: number[] = [];
    for await (const item of lane.read()) got.push(item);
    expect(got).toEqual([3]);
  });

  it('hand over to a reader that waits', async () => {
    const lane = createLane<number>(3);
    const next = lane.read().next();
    lane.push(7);
    expect((await next).value).toBe(7);
  });
});

describe('raw pipes', () => {
  const ppm = (width: number, height: number, first: number) =>
    Buffer.concat([
      Buffer.from(`P6\n${width} ${height}\n255\n`),
      Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => first + i)),
    ]);

  it('become frames however the bytes are cut, each of the size that stands before it', () => {
    const frames: Frame[] = [];
    const sink = frameCutter(createFramePool(), virtualClock(), 10, (frame) => frames.push(frame));
    const take = (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; ) {
        const room = sink.room();
        const part = bytes.subarray(at, at + room.length);
        room.set(part);
        at += part.length;
        sink.took(part.length);
      }
    };
    // The first byte of a picture may look like a digit or a space: a head ends with one white space.
    const bytes = Buffer.concat([ppm(2, 1, 32), ppm(2, 1, 48), ppm(12, 1, 100)]);
    const ends = [1, 8, 17, 20, 21, 40];
    [0, ...ends].forEach((from, i) => {
      take(bytes.subarray(from, ends[i] ?? bytes.length));
    });
    expect(frames.map(({ frame, width, height, rgb }) => [frame, width, height, rgb.length, rgb[0]])).toEqual([
      [10, 2, 1, 6, 32],
      [11, 2, 1, 6, 48],
      [12, 12, 1, 36, 100],
    ]);
    expect([...frames[1]!.rgb]).toEqual([48, 49, 50, 51, 52, 53]);
    expect(frames[0]!.rgb.buffer).not.toBe(frames[1]!.rgb.buffer);
    expect(sink.fault()).toBeUndefined();
  });

  it('say so when what comes is no picture, and are drained all the same', () => {
    const sink = frameCutter(createFramePool(), virtualClock(), 0, () => expect.unreachable());
    for (let i = 0; i < 200; i++) {
      const room = sink.room();
      expect(room.length).toBeGreaterThan(0);
      sink.took(room.fill(120).length);
    }
    expect(sink.fault()).toContain('no picture');
  });

  it('use the buffer of a frame again only when nobody looks at it any more', async () => {
    const pool = createFramePool();
    const lane = createLane<Frame>(1, ({ rgb }) => pool.give(rgb));
    const sink = frameCutter(pool, virtualClock(), 0, (frame) => lane.push(frame));
    const send = (value: number) => {
      const bytes = ppm(2, 1, 0).fill(value, 11);
      for (let at = 0; at < bytes.length; ) {
        const room = sink.room();
        room.set(bytes.subarray(at, at + room.length));
        at += room.length;
        sink.took(room.length);
      }
    };
    const reader = lane.read();
    send(1);
    const first = (await reader.next()).value!;
    for (const value of [2, 3, 4, 5]) send(value);
    expect([...first.rgb]).toEqual([1, 1, 1, 1, 1, 1]);
    const newest = (await reader.next()).value!;
    expect([...newest.rgb]).toEqual([5, 5, 5, 5, 5, 5]);
    const buffers = new Set([first.rgb.buffer, newest.rgb.buffer]);
    for (const value of [6, 7, 8, 9, 10, 11]) {
      send(value);
      const { rgb } = (await reader.next()).value!;
      expect([...rgb]).toEqual(Array(6).fill(value));
      buffers.add(rgb.buffer);
    }
    expect(buffers.size).toBeLessThanOrEqual(5);
  });

  it('let the buffers of another size go', () => {
    const pool = createFramePool();
    const small = pool.take(6);
    pool.give(small);
    const large = pool.take(12);
    pool.give(small);
    expect([large.length, pool.take(12).length]).toEqual([12, 12]);
    pool.give(large);
    expect(pool.take(12)).toBe(large);
  });

  it('become blocks of a tenth of a second, little-endian', () => {
    const blocks: PcmBlock[] = [];
    const take = blockCutter(virtualClock(), (block) => blocks.push(block));
    const bytes = Buffer.alloc(3200 * 2 + 5);
    bytes.writeInt16LE(-2, 0);
    bytes.writeInt16LE(300, 3200);
    take(bytes.subarray(0, 1001));
    take(bytes.subarray(1001));
    expect(blocks.map(({ samples }) => [samples.length, samples[0]])).toEqual([
      [1600, -2],
      [1600, 300],
    ]);
  });
});

it('the filter that thins frames out has no comma that ffmpeg would take for its own', () => {
  expect(selectFilter(2)).toBe(
    "select='isnan(prev_selected_t)+not(eq(floor((t-start_t)*2+0.5),floor((prev_selected_t-start_t)*2+0.5)))'",
  );
});

describe('parameter sets at the head of a segment', () => {
  const box = (name: string, content: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + content.length);
    head.write(name, 4, 'latin1');
    return Buffer.concat([head, content]);
  };
  const nal = (text: string) => {
    const bytes = Buffer.from(text, 'hex');
    const size = Buffer.alloc(4);
    size.writeUInt32BE(bytes.length);
    return Buffer.concat([size, bytes]);
  };
  const file = (...nals: string[]) =>
    Buffer.concat([
      box('ftyp', Buffer.alloc(16)),
      box('free', Buffer.alloc(0)),
      box('mdat', Buffer.concat(nals.map(nal))),
    ]);

  it.each([
    ['H.264 between delimiter and SEI', file('0910', '674200', '68ce', '0605', '658884'), '67420068ce'],
    ['H.265', file('4601', '4001aa', '4201bb', '4401cc', '26010203'), '4001aa4201bb4401cc'],
    ['none in-band', file('658884', '674200'), undefined],
    ['no mp4', Buffer.from('not an mp4 at all, sorry'), undefined],
  ])('%s', (_name, head, expected) => {
    expect(parameterSets(head)?.toString('hex')).toBe(expected);
  });
});

it('no reason or log line of the client is built from an address with credentials', () => {
  for (const name of ['camera', 'analysis', 'evidence', 'microphone', 'child']) {
    const text = readFileSync(new URL(`../../../../hardware/rtsp/${name}.ts`, import.meta.url), 'utf8');
    expect(text).not.toMatch(/secretUrl/);
  }
});
