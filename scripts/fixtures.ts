/** `node scripts/fixtures.ts`: makes test/fixtures/room/ anew from the rendered footage in the folder that EVALROOM_MEDIA names. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Document, isScalar, visit } from 'yaml';
import { runFfmpeg } from '../hardware/ffmpeg/run.ts';
import { InvalidInput } from '../protocol/errors.ts';

const OUT = fileURLToPath(new URL('../test/fixtures/room/', import.meta.url));
const SCENES = ['S2_camA', 'S3_camA'];
const CAMERA = 'cam-a';

/** One English phrase each 40 to 55 s, the first at 15 s; one of them while two heads are together. */
const PHRASES: readonly (readonly [number, string])[] = [
  [15_000, 'ten0-en-us-140-n15.flac'],
  [61_000, 'pro0-en-us-140-n15.flac'],
  [108_000, 'irr0-en-us-140-n15.flac'],
  [152_000, 'sug0-en-us-140-n15.flac'],
  [197_000, 'pro2-en-us-140-n15.flac'],
  [238_000, 'pro4-en-us-140-n15.flac'],
  [285_000, 'irr4-en-us-140-n15.flac'],
];

type XY = [number, number];

interface SceneTruth {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly duration_s: number;
  readonly camera_model: {
    fx: number;
    fy: number;
    cx: number;
    cy: number;
    R_world_to_cam: number[][];
    position: number[];
  };
  readonly room: { door_x: XY; door_y: number };
  readonly seats: readonly { seat: number; seat_polygon: XY[]; desk_polygon: XY[]; seat_point_world: XY }[];
  readonly events: readonly (Record<string, unknown> & { type: string; start_s: number; end_s: number })[];
  readonly hard_negatives: readonly (Record<string, unknown> & { type: string; start_s: number; end_s: number })[];
}

const round = (value: number, digits = 4) => Number(value.toFixed(digits));

/** A point of the room in metres as a fraction of the picture. */
function project({ camera_model: m, width, height }: SceneTruth, world: readonly [number, number, number]): XY {
  const d = world.map((value, i) => value - m.position[i]!);
  const [x, y, z] = m.R_world_to_cam.map((row) => row.reduce((sum, r, i) => sum + r * d[i]!, 0));
  return [round((m.fx * (x! / z!) + m.cx) / width), round((m.fy * (y! / z!) + m.cy) / height)];
}

/** Seconds of a scene become milliseconds of the loop; the other words of the truth stay. */
function placed(items: SceneTruth['events'], offsetMs: number, scene: string) {
  const ms = (seconds: unknown) => (typeof seconds === 'number' ? Math.round(seconds * 1000) + offsetMs : null);
  return items.map(({ type, start_s, end_s, seat, with_seat, kind, ...more }) => ({
    type,
    scene,
    ...(seat == null ? {} : { seatId: String(seat) }),
    ...(with_seat == null ? {} : { withSeatId: String(with_seat) }),
    ...(kind == null ? {} : { kind }),
    beginMs: ms(start_s),
    endMs: ms(end_s),
    ...('off_chair_s' in more ? { offChairMs: ms(more.off_chair_s), onChairMs: ms(more.on_chair_s) } : {}),
    ...('room_exit_s' in more ? { roomExitMs: ms(more.room_exit_s), roomEnterMs: ms(more.room_enter_s) } : {}),
  }));
}

async function film(media: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'fixtures-'));
  const list = join(work, 'list.txt');
  await writeFile(list, SCENES.map((name) => `file '${join(media, 'room-dev', name)}.mp4'\n`).join(''));
  const encode = (crf: number) => [
    ...['-an', '-c:v', 'libx264', '-preset', 'veryslow', '-crf', String(crf), '-pix_fmt', 'yuv420p'],
    // As a camera encodes: no B-frames, a keyframe every 2 s and nowhere else.
    ...['-bf', '0', '-g', '10', '-keyint_min', '10', '-sc_threshold', '0', '-fps_mode', 'passthrough', '-bitexact'],
  ];
  try {
    await runFfmpeg({
      args: [
        ...['-y', '-f', 'concat', '-safe', '0', '-i', list],
        ...['-filter_complex', '[0:v]split[m][s];[s]scale=640:360:flags=area[sub]'],
        ...['-map', '[m]', ...encode(33), join(OUT, 'main.mp4')],
        ...['-map', '[sub]', ...encode(31), join(OUT, 'sub.mp4')],
      ],
      doing: 'encoding the film',
    });
  } finally {
    await rm(work, { recursive: true });
  }
}

async function sound(media: string, durationMs: number): Promise<void> {
  const folder = join(media, 'audio/en-espeak');
  const { clips } = JSON.parse(await readFile(join(folder, 'labels.json'), 'utf8')) as {
    clips: { file: string; category: string; phrase: string; transcript: string; phrase_end_s: number }[];
  };
  const phrases = [];
  for (const [atMs, file] of PHRASES) {
    const label = clips.find((clip) => clip.file === file);
    if (!label) throw new InvalidInput('fixtures_media', `${folder} has no ${file} in its labels`);
    // Not copyFile: the original may be read-only, and its mode would come along.
    await writeFile(join(OUT, file), await readFile(join(folder, file)));
    const endMs = atMs + Math.round(label.phrase_end_s * 1000);
    phrases.push({
      file,
      atMs,
      endMs,
      language: 'en',
      category: label.category,
      phrase: label.phrase,
      transcript: label.transcript,
    });
  }
  await writeFile(
    join(OUT, 'sound.json'),
    `${JSON.stringify({ version: 1, durationMs, noiseFloorDb: -60, phrases }, null, 1)}\n`,
  );
}

function layout(truth: SceneTruth) {
  const fractions = (polygon: XY[]): XY[] => polygon.map(([x, y]) => [round(x / truth.width), round(y / truth.height)]);
  const [doorLeft, doorRight] = truth.room.door_x;
  const { door_y: doorY } = truth.room;
  const at = (x: number, y: number, z = 0) => project(truth, [x, y, z]);
  // Floor that the picture shows: in front of the desks and behind the chairs.
  const floor: XY[] = [
    [-1.5, 2.6],
    [1.5, 2.6],
    [0, 2.6],
    [-3, 5.6],
    [-1, 5.6],
    [1, 5.6],
    [3, 5.6],
    [0, 6.4],
  ];
  return {
    seats: truth.seats.map(({ seat, seat_polygon, desk_polygon, seat_point_world }) => ({
      seatId: String(seat),
      name: `${seat}号席`,
      floor: seat_point_world,
      zone: fractions(seat_polygon),
      desk: fractions(desk_polygon),
    })),
    // The opening, and half a metre of floor before it.
    door: [
      at(doorLeft, doorY, 2.1),
      at(doorRight, doorY, 2.1),
      at(doorRight, doorY),
      at(doorRight, doorY - 0.5),
      at(doorLeft, doorY - 0.5),
      at(doorLeft, doorY),
    ],
    doorLine: { line: [at(doorLeft - 0.2, doorY - 0.15), at(doorRight + 0.2, doorY - 0.15)], inside: at(0, 5.6) },
    floor: floor.map((metres) => ({ image: at(...metres), floor: metres })),
  };
}

function roomYaml(drawn: ReturnType<typeof layout>): string {
  const head = [
    "# The room of the demo's film, as the agent reads it; the starter fills in where cloud and camera are.",
    "# Written by scripts/fixtures.ts from the footage's own truth.",
  ];
  const room = {
    room: { id: 'room-demo', name: '评标一室', centre: '示范公共资源交易中心', timeZone: 'Asia/Shanghai' },
    cloud: { mqtt: 'mqtt://127.0.0.1:1883', upload: 'http://127.0.0.1:8080' },
    identity: { deviceId: 'box-demo', secretFile: './secret' },
    data: './data',
    rulePack: 'demo',
    languages: ['zh-CN', 'en'],
    cameras: [
      {
        id: CAMERA,
        onvif: '127.0.0.1:80',
        user: 'viewer',
        passwordFile: './camera.password',
        analyseFps: 2,
        audio: true,
      },
    ],
    microphones: [],
    seats: drawn.seats.map(({ seatId, name, floor, zone, desk }) => ({
      id: seatId,
      name,
      floor,
      views: [{ camera: CAMERA, zone, desk }],
    })),
    zones: [{ id: 'door', kind: 'door', camera: CAMERA, polygon: drawn.door }],
    doorLines: [{ camera: CAMERA, ...drawn.doorLine }],
    floor: [{ camera: CAMERA, points: drawn.floor }],
    roster: drawn.seats.map(({ seatId }) => ({ seat: seatId, expert: `E-2093${seatId}` })),
  };
  const document = new Document(room);
  // A point on one line, as people write it.
  visit(document, {
    Seq: (_, node) => {
      if (node.items.length > 0 && node.items.every((item) => isScalar(item))) node.flow = true;
    },
  });
  return `${head.join('\n')}\n${document.toString({ lineWidth: 0 })}`;
}

async function main(): Promise<void> {
  const media = process.env.EVALROOM_MEDIA;
  if (!media)
    throw new InvalidInput('fixtures_media', 'EVALROOM_MEDIA must name the folder with room-dev/ and audio/en-espeak/');
  await mkdir(OUT, { recursive: true });
  const truths = await Promise.all(
    SCENES.map(
      async (name) => JSON.parse(await readFile(join(media, 'room-dev', `${name}.json`), 'utf8')) as SceneTruth,
    ),
  );
  let offsetMs = 0;
  const scenes = truths.map((truth, i) => {
    const beginMs = offsetMs;
    offsetMs += truth.duration_s * 1000;
    return { name: SCENES[i]!, beginMs, endMs: offsetMs, truth };
  });
  const drawn = layout(truths[0]!);
  const truth = {
    version: 1,
    loopMs: offsetMs,
    fps: truths[0]!.fps,
    scenes: scenes.map(({ name, beginMs, endMs }) => ({ name, beginMs, endMs })),
    events: scenes.flatMap((scene) => placed(scene.truth.events, scene.beginMs, scene.name)),
    hardNegatives: scenes.flatMap((scene) => placed(scene.truth.hard_negatives, scene.beginMs, scene.name)),
    layout: drawn,
    roster: drawn.seats.map(({ seatId, name }) => ({ seatId, name, expertId: `E-2093${seatId}` })),
  };
  await writeFile(join(OUT, 'truth.json'), `${JSON.stringify(truth, null, 1)}\n`);
  await writeFile(join(OUT, 'room.yaml'), roomYaml(drawn));
  await sound(media, offsetMs);
  if (!process.argv.includes('--without-film')) await film(media);
  console.log(`${OUT} written: a loop of ${offsetMs / 1000} s`);
}

await main();
