/** Writes the room.yaml that the demo's agent reads: the film's room, a user's camera, or a user's room under the demo's cloud. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { InvalidInput } from '../../protocol/errors.ts';

/** What the demo decides for every kind of room. */
export interface DemoCloud {
  readonly mqttUrl: string;
  readonly uploadUrl: string;
  readonly deviceId: string;
  readonly secretFile: string;
  /** Data folder of the agent. */
  readonly data: string;
}

type Yaml = Record<string, unknown>;

/** A camera address as given to --camera. */
export interface CameraAddress {
  readonly main?: string;
  readonly onvif?: string;
  readonly user?: string;
  readonly password?: string;
}

/** Takes `rtsp://user:pass@host/path`, `onvif://user:pass@host:port` or `user:pass@host[:port]` apart. Throws InvalidInput. */
export function parseCameraAddress(text: string): CameraAddress {
  const wrong = (why: string) =>
    new InvalidInput(
      'camera_address',
      `--camera: ${why}; give rtsp://user:pass@host/path, or user:pass@host[:port] for an ONVIF camera`,
    );
  const url = URL.parse(text.includes('://') ? text : `onvif://${text}`);
  if (!url || url.hostname === '') throw wrong('this is no address');
  const credentials = {
    ...(url.username === '' ? {} : { user: decoded(url.username) }),
    ...(url.password === '' ? {} : { password: decoded(url.password) }),
  };
  if (url.protocol === 'rtsp:' || url.protocol === 'rtsps:')
    return { main: `${url.protocol}//${url.host}${url.pathname}${url.search}`, ...credentials };
  if (url.protocol === 'onvif:' || url.protocol === 'http:')
    return { onvif: `${url.hostname}:${url.port || '80'}`, ...credentials };
  throw wrong(`the scheme ${url.protocol}// is not known`);
}

/** A % that begins no encoded letter stands for itself: people type passwords as they are. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The room of the film. */
export const FILM_ROOM = 'room-demo';
/** The room around a camera given by --camera. */
export const CAMERA_ROOM = 'room-own';

/**
 * The box of a room under the demo's cloud. A box belongs to one room for ever, and its outbox holds events of that room
 * alone: so each room that is shown on the same data has one of its own.
 */
export function boxOf(roomId: string, data: string): Pick<DemoCloud, 'deviceId' | 'secretFile' | 'data'> {
  if (roomId === FILM_ROOM)
    return { deviceId: 'box-demo', secretFile: join(data, 'box.secret'), data: join(data, 'box') };
  const deviceId = `box-of-${roomId}`.slice(0, 64);
  return { deviceId, secretFile: join(data, `${deviceId}.secret`), data: join(data, deviceId) };
}

/** The film's room with the fake camera's ONVIF address. Returns the path of the written file and the room's id. */
export async function filmRoom(
  film: string,
  onvif: string,
  user: string,
  passwordFile: string,
  cloud: DemoCloud,
): Promise<WrittenRoom> {
  const room = parse(await readFile(film, 'utf8')) as Yaml;
  const [camera] = room.cameras as Yaml[];
  const { main: _main, sub: _sub, passwordEnv: _env, ...rest } = camera ?? {};
  room.cameras = [{ ...rest, onvif, user, passwordFile }];
  return write(room, cloud);
}

/** A room without seats around one camera of the user's: it shows persons and faults, and asks for seats to be drawn. */
export async function cameraRoom(address: CameraAddress, cloud: DemoCloud): Promise<WrittenRoom> {
  await mkdir(cloud.data, { recursive: true });
  const { password, ...where } = address;
  const passwordFile = join(cloud.data, 'camera.password');
  if (password !== undefined) await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  return write(
    {
      room: {
        id: CAMERA_ROOM,
        name: '我的评标室',
        centre: '演示',
        timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      },
      rulePack: 'demo',
      languages: ['zh-CN', 'en'],
      cameras: [
        { id: 'cam-a', ...where, ...(password === undefined ? {} : { passwordFile }), analyseFps: 2, audio: true },
      ],
      microphones: [],
      seats: [],
      zones: [],
      doorLines: [],
      floor: [],
      roster: [],
    },
    cloud,
  );
}

/** The user's own room under the demo's cloud. */
export async function ownRoom(path: string, cloud: DemoCloud): Promise<WrittenRoom> {
  const room = await readRoom(path);
  // What is no list is the agent's to complain of.
  const listed = [room.cameras, room.microphones].filter((one): one is Yaml[] => Array.isArray(one)).flat();
  // Paths in the file are relative to it, and the copy lies elsewhere.
  for (const source of listed)
    if (typeof source?.passwordFile === 'string') source.passwordFile = resolve(dirname(path), source.passwordFile);
  const pack = room.rulePack;
  if (typeof pack === 'string' && pack.includes('/')) room.rulePack = resolve(dirname(path), pack);
  if (typeof room.script === 'string') room.script = resolve(dirname(path), room.script);
  return write(room, cloud);
}

async function readRoom(path: string): Promise<Yaml & { readonly room: Yaml }> {
  let room: unknown;
  try {
    room = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new InvalidInput('room_unreadable', `--room ${path} can not be read: ${(cause as Error).message}`, cause);
  }
  const section = (room as { room?: unknown } | null)?.room;
  if (typeof section !== 'object' || section === null)
    throw new InvalidInput('room_unreadable', `--room ${path} has no "room:" section; see room.example.yaml`);
  return room as Yaml & { readonly room: Yaml };
}

export interface WrittenRoom {
  readonly path: string;
  readonly roomId: string;
}

/** The id of the room that a file describes, before anything is written. */
export async function roomIdOf(path: string): Promise<string> {
  const { id } = (await readRoom(path)).room;
  // It becomes the name of a folder and of a topic.
  if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(id))
    throw new InvalidInput(
      'room_unreadable',
      `--room ${path}: room.id must be letters, digits, - and _, at most 64; see room.example.yaml`,
    );
  return id;
}

async function write(room: Yaml, cloud: DemoCloud): Promise<WrittenRoom> {
  await mkdir(cloud.data, { recursive: true });
  const path = join(cloud.data, 'room.yaml');
  const full = {
    ...room,
    cloud: { mqtt: cloud.mqttUrl, upload: cloud.uploadUrl },
    identity: { deviceId: cloud.deviceId, secretFile: cloud.secretFile },
    data: cloud.data,
  };
  await writeFile(path, stringify(full));
  return { path, roomId: String((room.room as Yaml).id) };
}
