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
    ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  };
  if (url.protocol === 'rtsp:') return { main: `rtsp://${url.host}${url.pathname}${url.search}`, ...credentials };
  if (url.protocol === 'onvif:' || url.protocol === 'http:')
    return { onvif: `${url.hostname}:${url.port || '80'}`, ...credentials };
  throw wrong(`the scheme ${url.protocol}// is not known`);
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
        id: 'room-own',
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
  let room: unknown;
  try {
    room = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new InvalidInput('room_unreadable', `--room ${path} can not be read: ${(cause as Error).message}`, cause);
  }
  if (typeof room !== 'object' || room === null || typeof (room as Yaml).room !== 'object')
    throw new InvalidInput('room_unreadable', `--room ${path} has no "room:" section; see room.example.yaml`);
  const cameras = ((room as Yaml).cameras ?? []) as Yaml[];
  // Paths in the file are relative to it, and the copy lies elsewhere.
  for (const source of [...cameras, ...(((room as Yaml).microphones ?? []) as Yaml[])])
    if (typeof source?.passwordFile === 'string') source.passwordFile = resolve(dirname(path), source.passwordFile);
  const pack = (room as Yaml).rulePack;
  if (typeof pack === 'string' && pack.includes('/')) (room as Yaml).rulePack = resolve(dirname(path), pack);
  return write(room as Yaml, cloud);
}

export interface WrittenRoom {
  readonly path: string;
  readonly roomId: string;
}

/** The id of the room that a file describes, before anything is written. */
export async function roomIdOf(path: string): Promise<string> {
  const room = parse(await readFile(path, 'utf8')) as { room?: { id?: unknown } };
  const id = room?.room?.id;
  if (typeof id !== 'string')
    throw new InvalidInput('room_unreadable', `${path} has no room.id; see room.example.yaml`);
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
