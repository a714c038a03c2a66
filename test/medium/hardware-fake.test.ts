/** The fake camera before other people's clients, the film that it plays, its sound track, and microphones. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createFakeCamera, type FakeCamera } from '../../hardware/fake/camera.ts';
import { demoFilm, demoSchedule } from '../../hardware/fake/demo-film.ts';
import { loadSound, loadVideo } from '../../hardware/fake/reel.ts';
import { buildSoundtrack } from '../../hardware/fake/soundtrack.ts';
import { pictureSize } from '../../hardware/fake/sps.ts';
import { runFfmpeg } from '../../hardware/ffmpeg/run.ts';
import { createMicrophone } from '../../hardware/rtsp/microphone.ts';
import {
  clock,
  PASSWORD,
  QUICK_BACKOFF,
  QUICK_WATCHDOG,
  readableLog,
  type ShortFilm,
  shortFilm,
  USER,
  until,
} from '../contract/camera-world.ts';

let film: ShortFilm;
let fake: FakeCamera;
beforeAll(async () => {
  film = await shortFilm();
  const { main, sub, sound } = film;
  // Close to the end of the loop, so that every reader sees it begin again.
  const options = { startAtMs: 17_500 };
  fake = createFakeCamera({ main, sub, sound, user: USER, password: PASSWORD, clock, log: readableLog().log, options });
  await fake.start(new AbortController().signal);
});
afterAll(async () => {
  await fake.close();
  await film.remove();
});

const secretUrl = (url: string) =>
  url.replace('://', `://${encodeURIComponent(USER)}:${encodeURIComponent(PASSWORD)}@`);
const tcp = ['-rtsp_transport', 'tcp'];

describe('the fake camera', () => {
  it('describes itself to ffprobe', async () => {
    const { stdout } = await runFfmpeg({
      program: 'ffprobe',
      args: [
        ...tcp,
        '-show_entries',
        'stream=codec_name,width,height,sample_rate',
        '-of',
        'json',
        secretUrl(fake.urls().main),
      ],
      doing: 'asking the fake camera',
    });
    expect(JSON.parse(stdout.toString()).streams).toMatchObject([
      { codec_name: 'h264', width: 1280, height: 720 },
      { codec_name: 'aac', sample_rate: '16000' },
    ]);
  });

  it('plays to several clients at once, over the end of the loop, without a broken picture', async () => {
    const url = secretUrl(fake.urls().sub);
    const play = () =>
      runFfmpeg({
        args: [
          ...['-xerror', '-err_detect', 'explode', ...tcp, '-i', url, '-t', '5', '-map', '0:v', '-map', '0:a'],
          '-f',
          'framecrc',
          '-',
        ],
        doing: 'playing the fake camera',
      });
    for (const { stdout } of await Promise.all([play(), play(), play()])) {
      const lines = stdout
        .toString()
        .split('\n')
        .filter((line) => !line.startsWith('#'));
      expect(lines.filter((line) => line.startsWith('0,')).length).toBeGreaterThanOrEqual(24);
      expect(lines.filter((line) => line.startsWith('1,')).length).toBeGreaterThan(50);
    }
  });

  it('sends the pictures of its file unchanged', async () => {
    const hashes = async (args: string[]) => {
      const { stdout } = await runFfmpeg({
        args: [...args, '-map', '0:v', '-f', 'framemd5', '-'],
        doing: 'hashing pictures',
      });
      return stdout
        .toString()
        .split('\n')
        .filter((line) => /^0,/.test(line))
        .map((line) => line.split(',').at(-1)!.trim());
    };
    const file = new Set(await hashes(['-i', film.sub]));
    const sent = await hashes([...tcp, '-i', secretUrl(fake.urls().sub), '-t', '3', '-fps_mode', 'passthrough']);
    expect(sent.length).toBeGreaterThan(10);
    expect(sent.filter((hash) => !file.has(hash))).toEqual([]);
  });

  it('keeps main and sub on one playhead', async () => {
    expect(fake.loopMs()).toBe(20_000);
    expect(fake.playheadMs()).toBeLessThan(20_000);
    expect(Math.abs(performance.now() - fake.monoAt(fake.playheadMs()))).toBeLessThan(20);
  });

  it('says plainly that a file is no film and that a port is taken', async () => {
    const bad = join(film.folder, 'bad.mp4');
    await writeFile(bad, 'no film');
    const parts = { main: bad, sub: bad, user: USER, password: PASSWORD, clock, log: readableLog().log };
    await expect(createFakeCamera(parts).start(new AbortController().signal)).rejects.toMatchObject({
      kind: 'InvalidInput',
    });
    const port = Number(new URL(fake.urls().main).port);
    const second = createFakeCamera({ ...parts, main: film.main, sub: film.sub, options: { ports: { rtsp: port } } });
    await expect(second.start(new AbortController().signal)).rejects.toMatchObject({
      kind: 'Unavailable',
      code: 'fake_rtsp_port',
    });
    await second.close();
  });
});

describe('a microphone', () => {
  it('over RTSP gives the sound alone, and comes back after a cut', async () => {
    const { log, text } = readableLog();
    const microphone = createMicrophone({
      microphoneId: 'mic-a',
      source: { rtsp: fake.urls().sub, user: USER, password: PASSWORD },
      options: { watchdog: QUICK_WATCHDOG, backoff: QUICK_BACKOFF },
      clock,
      log,
    });
    await microphone.start(new AbortController().signal);
    const blocks: Int16Array[] = [];
    void (async () => {
      for await (const { samples } of microphone.samples()) blocks.push(samples);
    })();
    await until(() => blocks.length > 10, 'sound', microphone.health);
    expect(Math.max(...blocks.at(-1)!)).toBeGreaterThan(300);
    await fake.setFault('drop');
    await until(
      () => microphone.health().restarts > 0 && microphone.health().state === 'running',
      'again',
      microphone.health,
    );
    await microphone.close();
    expect(text()).not.toContain(encodeURIComponent(PASSWORD));
  });

  it('by ALSA says that its sound card is not there', async () => {
    const source = { alsa: 'hw:97,0' };
    const options = { backoff: QUICK_BACKOFF };
    const microphone = createMicrophone({ microphoneId: 'mic-b', source, options, clock, log: readableLog().log });
    await microphone.start(new AbortController().signal);
    await until(() => microphone.health().state === 'down', 'down', microphone.health);
    expect(microphone.health().reason).toMatch(/sound device is missing/);
    await microphone.close();
  });

  it('reads a card through ffmpeg: a generator stands in for one', async () => {
    const source = { alsa: 'sine=f=300:r=48000', input: ['-re', '-f', 'lavfi'] };
    const microphone = createMicrophone({ microphoneId: 'mic-c', source, clock, log: readableLog().log });
    await microphone.start(new AbortController().signal);
    for await (const { samples } of microphone.samples()) {
      expect(samples.length).toBe(1600);
      expect(Math.max(...samples)).toBeGreaterThan(3000);
      break;
    }
    await microphone.close();
  });
});

describe('when the process above is killed', () => {
  it('no ffmpeg stays behind', async () => {
    const { main, sub } = fake.urls();
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../fixtures/orphan.ts', import.meta.url)), main, sub, USER, PASSWORD, film.folder],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const line = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    const pids = line.trim().split(' ').map(Number);
    expect(pids.length).toBe(2);
    child.kill('SIGKILL');
    const alive = () => pids.filter((pid) => exists(pid));
    await until(() => alive().length === 0, 'both ended', alive);
  });
});

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the sound track', () => {
  it('has the phrases where they were placed, over noise, and is built once', async () => {
    const folder = join(film.folder, 'tracks');
    const [phrase] = await demoSchedule();
    const parts = { phrases: [{ file: phrase!.file, atMs: 2000 }], durationMs: 8000, folder };
    const track = await buildSoundtrack(parts);
    const before = await stat(track);
    expect(await buildSoundtrack(parts)).toBe(track);
    expect((await stat(track)).mtimeMs).toBe(before.mtimeMs);
    expect(await buildSoundtrack({ ...parts, noiseFloorDb: -50 })).not.toBe(track);
    expect((await loadSound(track))!.frames.length * 64).toBeGreaterThanOrEqual(8000);
    const { stdout } = await runFfmpeg({ args: ['-i', track, '-f', 's16le', '-'], doing: 'reading the track' });
    const samples = new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
    const db = (fromMs: number, toMs: number) => {
      const part = samples.subarray(fromMs * 16, toMs * 16);
      return 20 * Math.log10(Math.sqrt(part.reduce((sum, s) => sum + s * s, 0) / part.length) / 32768);
    };
    expect(db(200, 1800)).toBeGreaterThan(-64);
    expect(db(200, 1800)).toBeLessThan(-56);
    expect(db(2500, 4500)).toBeGreaterThan(-40);
    expect(db(7000, 7900)).toBeLessThan(-56);
    await expect(buildSoundtrack({ ...parts, durationMs: 1000 })).rejects.toMatchObject({ code: 'soundtrack_phrase' });
  });

  it('of the demo speaks Mandarin too where the media folder has it', async (ctx) => {
    const media = process.env.EVALROOM_MEDIA;
    if (!media) return ctx.skip('needs EVALROOM_MEDIA');
    const phrases = await demoSchedule(media);
    expect(new Set(phrases.map(({ language }) => language))).toEqual(new Set(['en', 'zh-CN']));
    // No two at once, and all within the loop.
    for (const [i, { atMs }] of phrases.entries()) expect(atMs).toBeGreaterThan(phrases[i - 1]?.endMs ?? 0);
    expect(phrases.at(-1)!.endMs).toBeLessThan(320_000);
  });
});

describe('the film of the demo', () => {
  it('is small, loops in 320 s, and begins a keyframe every 2 s in both sizes', async () => {
    const folder = dirname(demoFilm().main);
    let bytes = 0;
    for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
    expect(bytes).toBeLessThan(12 * 1024 * 1024);
    for (const [path, width] of [
      [demoFilm().main, 1280],
      [demoFilm().sub, 640],
    ] as const) {
      const reel = await loadVideo(path);
      expect(reel.durationMs).toBe(320_000);
      expect(reel.units.length).toBe(1600);
      expect(pictureSize(reel.sps).width).toBe(width);
      expect(reel.units.flatMap(({ key, tMs }) => (key ? [tMs] : [])).every((tMs, i) => tMs === i * 2000)).toBe(true);
    }
  });

  it('has a room whose points lie in the picture and a truth that lies in the loop', async () => {
    const room = parse(await readFile(demoFilm().room, 'utf8'));
    const inside = (point: number[]) => point.every((value) => value >= 0 && value <= 1);
    const zones = room.seats.flatMap((seat: { views: { zone: number[][]; desk: number[][] }[] }) =>
      seat.views.flatMap(({ zone, desk }) => [...zone, ...desk]),
    );
    const others = [
      ...room.zones[0].polygon,
      ...room.doorLines[0].line,
      ...room.floor[0].points.map((p: { image: number[] }) => p.image),
    ];
    expect([...zones, ...others].filter((point) => !inside(point))).toEqual([]);
    expect(room.seats.map(({ name }: { name: string }) => name)).toEqual(['1号席', '2号席', '3号席', '4号席', '5号席']);
    const truth = JSON.parse(await readFile(demoFilm().truth, 'utf8'));
    for (const { beginMs, endMs } of [...truth.events, ...truth.hardNegatives]) {
      expect(beginMs).toBeGreaterThanOrEqual(0);
      expect(endMs).toBeLessThanOrEqual(truth.loopMs);
    }
    expect(truth.events[0]).toMatchObject({ type: 'seat_absent', seatId: '3', beginMs: 22_800, endMs: 89_200 });
    const english = await demoSchedule();
    expect(new Set(english.map(({ file }) => createHash('sha256').update(file).digest('hex'))).size).toBe(
      english.length,
    );
    for (const [i, { atMs, file }] of english.entries()) {
      expect((await stat(file)).size).toBeGreaterThan(10_000);
      if (i > 0) expect(atMs - english[i - 1]!.atMs).toBeGreaterThanOrEqual(40_000);
    }
  });
});
