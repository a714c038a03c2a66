/** What every Camera promises, tried over the fake camera and over gst-rtsp-server. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Camera, Frame, PcmBlock, SegmentFile } from '../../hardware/camera.ts';
import { createFakeCamera } from '../../hardware/fake/camera.ts';
import { runFfmpeg } from '../../hardware/ffmpeg/run.ts';
import { createRtspCamera, type RtspOptions } from '../../hardware/rtsp/camera.ts';
import {
  argumentsOf,
  clock,
  ffmpegChildren,
  gstCamera,
  gstMissing,
  PASSWORD,
  QUICK_BACKOFF,
  QUICK_WATCHDOG,
  readableLog,
  type ShortFilm,
  shortFilm,
  USER,
  until,
} from './camera-world.ts';

interface Server {
  readonly main: string;
  readonly sub: string;
  readonly user: string;
  readonly password: string;
  /** Goes away as when the power is cut, and comes back at the same address. */
  cut(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

interface Kind {
  readonly name: string;
  missing(): string | undefined;
  open(film: ShortFilm, sound: boolean): Promise<Server>;
}

const KINDS: readonly Kind[] = [
  {
    name: 'fake camera',
    missing: () => undefined,
    async open(film, sound) {
      const { log } = readableLog();
      const fake = createFakeCamera({
        ...{ main: film.main, sub: film.sub, user: USER, password: PASSWORD, clock, log },
        ...(sound ? { sound: film.sound } : {}),
      });
      await fake.start(new AbortController().signal);
      return {
        ...fake.urls(),
        user: USER,
        password: PASSWORD,
        cut: () => fake.setFault('refuse'),
        comeBack: () => fake.setFault(null),
        close: () => fake.close(),
      };
    },
  },
  {
    name: 'gst-rtsp-server',
    missing: gstMissing,
    async open(film, sound) {
      const kind = sound ? 'pcma' : 'none';
      let server = await gstCamera(film, 0, kind);
      const { port } = server;
      const url = (name: string) => `rtsp://127.0.0.1:${port}/${name}`;
      return {
        main: url('main'),
        sub: url('sub'),
        user: 'viewer',
        password: 'secret-word',
        cut: () => server.stop(),
        async comeBack() {
          server = await gstCamera(film, port, kind);
        },
        close: () => server.stop(),
      };
    },
  },
];

let film: ShortFilm;
beforeAll(async () => {
  film = await shortFilm();
});
afterAll(() => film.remove());

describe.each(KINDS)('a camera over $name', (kind) => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function open(
    sound: boolean,
    change: Partial<RtspOptions> = {},
    patch: (server: Server) => Partial<Server> = () => ({}),
  ) {
    const server = await kind.open(film, sound);
    closers.push(() => server.close());
    const { main, sub, user, password } = { ...server, ...patch(server) };
    const { log, text } = readableLog();
    const camera = createRtspCamera({
      cameraId: 'cam-a',
      source: { main, sub, user, password },
      options: { analyseFps: 5, audio: true, watchdog: QUICK_WATCHDOG, backoff: QUICK_BACKOFF, ...change },
      segmentFolder: await mkdtemp(join(film.folder, 'segments-')),
      clock,
      log,
    });
    closers.push(() => camera.close());
    const seen = collect(camera);
    await camera.start(new AbortController().signal);
    return { server, camera, seen, text };
  }

  it('gives frames, sound and segments with their times, and leaves no process behind', async (ctx) => {
    const reason = kind.missing();
    if (reason) return ctx.skip(reason);
    const { camera, seen } = await open(true);
    await until(
      () => seen.frames.length >= 12 && seen.blocks.length >= 20 && seen.segments.length >= 2,
      'all roles',
      camera.health,
    );
    const [first, later] = [seen.frames[0]!, seen.frames[11]!];
    expect([first.width, first.height, first.rgb.length]).toEqual([640, 360, 640 * 360 * 3]);
    expect(new Set(first.rgb).size).toBeGreaterThan(50);
    expect(later.frame).toBeGreaterThanOrEqual(11);
    expect(later.at.monoMs).toBeGreaterThan(first.at.monoMs);
    expect(seen.blocks.every(({ samples }) => samples.length === 1600)).toBe(true);
    expect(Math.max(...seen.blocks.at(-1)!.samples)).toBeGreaterThan(300);
    const [one, two] = seen.segments as [SegmentFile, SegmentFile];
    expect(Math.abs(two.beginWallMs - one.endWallMs)).toBeLessThan(150);
    expect(two.endWallMs - two.beginWallMs).toBeGreaterThan(1700);
    expect(two.endWallMs).toBeLessThanOrEqual(Date.now() + 50);
    expect(two.endWallMs).toBeGreaterThan(Date.now() - 5000);
    const { stdout } = await runFfmpeg({
      program: 'ffprobe',
      args: ['-show_entries', 'packet=codec_type,flags', '-of', 'csv=p=0', two.path],
      doing: 'reading a segment',
    });
    const packets = stdout.toString().split('\n');
    expect(packets.find((line) => line.startsWith('video'))).toMatch(/^video,K/);
    expect(packets.some((line) => line.startsWith('audio'))).toBe(true);
    for (const role of ['decode', 'record', 'audio'] as const) expect(camera.health()[role].state).toBe('running');

    const pids = await ffmpegChildren();
    expect(pids.length).toBe(2);
    for (const pid of pids) expect(await argumentsOf(pid)).not.toMatch(/rtsp:\/\//);
    await camera.close();
    expect(await ffmpegChildren()).toEqual([]);
    expect(seen.ended).toBe(3);
  });

  it('gives the picture of a stream that has no sound, and says that it has none', async (ctx) => {
    const reason = kind.missing();
    if (reason) return ctx.skip(reason);
    const { camera, seen } = await open(false);
    await until(() => seen.frames.length >= 3 && seen.segments.length >= 1, 'picture without sound', camera.health);
    expect(camera.health().audio).toMatchObject({ state: 'down', reason: 'the stream carries no audio track' });
    expect(camera.health().decode.state).toBe('running');
  });

  it.for<readonly [string, (server: Server) => Partial<Server>, RegExp]>([
    ['a wrong password', () => ({ password: 'wrong-word' }), /wrong user or password/],
    [
      'a stream that is not there',
      ({ main }: Server) => ({ sub: main.replace('main', 'none') }),
      /no stream at this address/,
    ],
  ])('says plainly when it meets %s, and shows no password', async ([, patch, expected], ctx) => {
    const reason = kind.missing();
    if (reason) return ctx.skip(reason);
    const { camera, server, text } = await open(true, {}, patch);
    await until(
      () => camera.health().decode.state === 'down' && camera.health().decode.restarts > 1,
      'down',
      camera.health,
    );
    expect(camera.health().decode.reason).toMatch(expected);
    expect(camera.health().audio.reason).toMatch(expected);
    const shown = text() + JSON.stringify(camera.health());
    for (const secret of [server.password, encodeURIComponent(server.password), 'wrong-word'])
      expect(shown).not.toContain(secret);
  });

  it('comes back by itself after the camera was gone', async (ctx) => {
    const reason = kind.missing();
    if (reason) return ctx.skip(reason);
    const { camera, server, seen } = await open(true);
    await until(() => seen.frames.length > 2, 'first frames', camera.health);
    await server.cut();
    await until(() => /refused/.test(camera.health().decode.reason ?? ''), 'refused', camera.health);
    await until(() => /refused/.test(camera.health().record.reason ?? ''), 'record refused', camera.health);
    const before = camera.health();
    await server.comeBack();
    const all = () => Object.values(camera.health()).every(({ state }) => state === 'running');
    await until(all, 'all roles running again', camera.health);
    expect(camera.health().decode.restarts).toBeGreaterThanOrEqual(before.decode.restarts);
    expect(camera.health().decode.reason).toBeUndefined();
    // Numbers go on over a restart: a frame never has the number of an older one.
    const numbers = seen.frames.map(({ frame }) => frame);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });
});

interface Seen {
  readonly frames: Frame[];
  readonly blocks: PcmBlock[];
  readonly segments: SegmentFile[];
  /** Iterators that have ended. */
  ended: number;
}

function collect(camera: Camera): Seen {
  const seen: Seen = { frames: [], blocks: [], segments: [], ended: 0 };
  const into = async <T>(from: AsyncIterable<T>, to: T[]) => {
    for await (const item of from) to.push(item);
    seen.ended++;
  };
  void into(camera.frames(), seen.frames);
  void into(camera.samples(), seen.blocks);
  void into(camera.segments(), seen.segments);
  return seen;
}
