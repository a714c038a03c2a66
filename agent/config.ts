/** Start of the path: room.yaml, read once, checked whole, frozen. Every fault at once, each with its line, path and what to do. */
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isMap, isSeq, LineCounter, parseDocument } from 'yaml';
import { DEFAULT_FOLDER } from '../models/manifest.ts';
import type { Engine } from '../models/speech/ears.ts';
import { InvalidInput } from '../protocol/errors.ts';
import type { RoomLayout } from '../protocol/room.ts';
import { type WordDays, wordDaysOf } from '../protocol/words.ts';
import {
  beyondThisMachine,
  checkReferences,
  HOST,
  type Report,
  type RoomFile,
  reportIssue,
  roomFile,
  secretPlaces,
} from './config-file.ts';
import { RULES_KEY_FILE, readIdentity } from './identity.ts';

export interface CameraConfig {
  readonly cameraId: string;
  /** An ONVIF host whose main and sub profile are looked up, or the streams themselves; no credentials inside. */
  readonly source:
    | { readonly kind: 'onvif'; readonly host: string; readonly port: number }
    | { readonly kind: 'rtsp'; readonly main: string; readonly sub?: string };
  readonly user?: string;
  readonly password?: string;
  /** Frames per second handed to the models. */
  readonly analyseFps: number;
  /** Use its audio track as a microphone, whose id is then the camera's. */
  readonly audio: boolean;
}

export interface MicrophoneConfig {
  readonly microphoneId: string;
  /** The seat that it stands before, where each seat has its own. */
  readonly seatId?: string;
  readonly source: { readonly kind: 'rtsp'; readonly url: string } | { readonly kind: 'alsa'; readonly device: string };
  readonly user?: string;
  readonly password?: string;
}

/** Bounds of what is kept on the box. */
export interface StorageConfig {
  /** Segments older than this go, unless a clip still needs them. */
  readonly segmentMs: number;
  readonly segmentBytes: number;
  readonly clipBytes: number;
  /** Events that wait for the cloud; beyond it nothing is accepted, aloud. */
  readonly events: number;
  /** Below this much free disk the oldest unpinned segments go first. */
  readonly keepFreeBytes: number;
  /** Days after which words leave events that still wait, by class; absent: they wait with their event. */
  readonly wordDays?: WordDays;
}

export interface RoomConfig {
  readonly path: string;
  /** Of the file's bytes: goes into the boot event. */
  readonly sha256: string;
  readonly layout: RoomLayout;
  readonly cloud: {
    readonly mqtt: string;
    readonly upload: string;
    /** PEM file of the authority that signed the cloud's certificates, where it is not a public one. */
    readonly ca?: string;
    /** Ceiling of clip uploads in kilobits per second; absent: none. */
    readonly uploadKbps?: number;
    /** Public keys (PEM) that sign the cloud's rule packs; without the file none is taken. */
    readonly rulesKey: string;
  };
  /** A secret on the cloud's own machine; beyond it the folder of a certificate (see identity.ts). */
  readonly identity: { readonly deviceId: string } & ({ readonly secret: string } | { readonly folder: string });
  /** Absolute path. */
  readonly dataFolder: string;
  readonly modelsFolder: string;
  /** Name of a shipped pack, or the absolute path of a pack's folder. */
  readonly rulePack: string;
  /** Heads are blurred in the stills that leave the box. Clips are evidence and stay as they were recorded. */
  readonly blurHeads: boolean;
  readonly languages: readonly string[];
  /** Engines of the ears by language, where it is not the usual one; a second one confirms what the first suspects. */
  readonly engines: Readonly<Record<string, readonly Engine[]>>;
  /** Names of each bidder of the project: full, short, aliases; phrases of the rule pack are filled with them. */
  readonly bidders: readonly (readonly string[])[];
  /** `scripted`: observations are read from a file in place of the models (measurements and demonstrations only). */
  readonly perception: { readonly kind: 'auto' } | { readonly kind: 'scripted'; readonly path: string };
  readonly cameras: readonly CameraConfig[];
  readonly microphones: readonly MicrophoneConfig[];
  readonly storage: StorageConfig;
  /** Not wrong, but worth a line in the log. */
  readonly warnings: readonly string[];
}

/** One fault of the file. `path` is like `seats.2.views.0.zone`. */
export interface ConfigProblem {
  readonly path: string;
  readonly line?: number;
  readonly reason: string;
}

export type CheckedRoomConfig =
  | { readonly ok: true; readonly config: RoomConfig }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Reads and checks a room.yaml without throwing: what `doctor` shows. */
export function checkRoomConfig(path: string, environment: NodeJS.ProcessEnv = process.env): CheckedRoomConfig {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    return { ok: false, problems: [{ path: '', reason: `${path} cannot be read (${codeOf(cause)})` }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(bytes.toString('utf8'), { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  if (document.errors.length > 0)
    return {
      ok: false,
      problems: document.errors.map((error) => ({ path: '', line: lineAt(error.pos[0]), reason: error.message })),
    };
  const problems: ConfigProblem[] = [];
  const report = (at: readonly PropertyKey[], reason: string) => {
    let node: unknown;
    // The deepest node on the way to the place: a missing key has no line of its own.
    for (let depth = at.length; depth >= 0 && !node; depth--) node = document.getIn(at.slice(0, depth), true);
    const range = (node as { range?: readonly number[] } | undefined)?.range;
    problems.push({ path: at.join('.'), ...(range ? { line: lineAt(range[0]!) } : {}), reason });
  };
  if (!isMap(document.contents) && !isSeq(document.contents)) report([], 'the file is empty or not a list of keys');
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch {
    return { ok: false, problems: [{ path: '', reason: 'too many aliases' }] };
  }
  const parsed = roomFile.safeParse(content);
  if (!parsed.success) for (const issue of parsed.error.issues) reportIssue(issue, report);
  // Run on the raw content, so that a wrong polygon does not hide a missing password.
  checkReferences(content, report);
  const folder = dirname(resolve(path));
  const secrets = readSecrets(content, { folder, environment, report });
  if (parsed.success) {
    checkIdentity(parsed.data, folder, report);
    checkAuthority(parsed.data.cloud, folder, report);
  }
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  return { ok: true, config: freeze(assemble(parsed.data, { path, bytes, environment, secrets })) };
}

/** Reads a room.yaml, frozen. Throws InvalidInput `room_config` that lists every fault of the file. */
export function loadRoomConfig(path: string, environment: NodeJS.ProcessEnv = process.env): RoomConfig {
  const checked = checkRoomConfig(path, environment);
  if (checked.ok) return checked.config;
  const faults = checked.problems.map(
    ({ path: at, line, reason }) => `  ${line === undefined ? '' : `line ${line}: `}${at ? `${at}: ` : ''}${reason}`,
  );
  throw new InvalidInput('room_config', `Reading ${path}: ${faults.length} fault(s)\n${faults.join('\n')}`);
}

/** The checked file in the agent's own words. `secrets` holds what was read, by the place that named it. */
function assemble(
  room: RoomFile,
  parts: { path: string; bytes: Buffer; environment: NodeJS.ProcessEnv; secrets: ReadonlyMap<string, string> },
): RoomConfig {
  const { path, bytes, environment, secrets } = parts;
  const folder = dirname(resolve(path));
  const credentials = (place: string, user: string | undefined) => {
    const password = secrets.get(place);
    return { ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) };
  };
  const dataFolder = resolve(folder, room.data);
  const { ca, uploadKbps, mqtt, upload, rulesKey } = room.cloud;
  const { segmentMinutes, segmentMiB, clipMiB, events, keepFreeMiB, words } = room.storage;
  return {
    path: resolve(path),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    layout: layoutOf(room),
    cloud: {
      mqtt,
      upload,
      ...(ca === undefined ? {} : { ca: resolve(folder, ca) }),
      ...(uploadKbps === undefined ? {} : { uploadKbps }),
      rulesKey: resolve(
        folder,
        rulesKey ?? join(room.identity.certificate ?? dirname(room.identity.secretFile ?? '.'), RULES_KEY_FILE),
      ),
    },
    identity:
      room.identity.certificate === undefined
        ? { deviceId: room.identity.deviceId, secret: secrets.get('identity')! }
        : { deviceId: room.identity.deviceId, folder: resolve(folder, room.identity.certificate) },
    dataFolder,
    modelsFolder: resolve(folder, room.models ?? environment.EVALROOM_MODELS ?? modelsOf(dataFolder)),
    rulePack: /[/\\]/.test(room.rulePack) ? resolve(folder, room.rulePack) : room.rulePack,
    blurHeads: room.blurHeads,
    languages: room.languages,
    engines: room.engines,
    bidders: room.bidders,
    perception: room.script === undefined ? { kind: 'auto' } : { kind: 'scripted', path: resolve(folder, room.script) },
    cameras: room.cameras.map((camera, index) => ({
      cameraId: camera.id,
      source: cameraSource(camera),
      ...credentials(`cameras.${index}`, camera.user),
      analyseFps: camera.analyseFps,
      audio: camera.audio,
    })),
    microphones: room.microphones.map(({ id, rtsp, alsa, seat, user }, index) => ({
      microphoneId: id,
      ...(seat === undefined ? {} : { seatId: seat }),
      source: rtsp === undefined ? { kind: 'alsa', device: alsa! } : { kind: 'rtsp', url: rtsp },
      ...credentials(`microphones.${index}`, user),
    })),
    storage: {
      segmentMs: segmentMinutes * 60_000,
      segmentBytes: segmentMiB * MiB,
      clipBytes: clipMiB * MiB,
      events,
      keepFreeBytes: keepFreeMiB * MiB,
      ...(words ? { wordDays: wordDaysOf(words) } : {}),
    },
    warnings: [
      ...(room.microphones.length === 0 && !room.cameras.some(({ audio }) => audio)
        ? ['no microphone and no camera with audio: true: the room is deaf']
        : []),
      ...(room.languages.length === 0 ? ['languages is empty: no words are listened for, the room is deaf'] : []),
      ...Object.entries(room.engines).flatMap(([language, engines]) =>
        engines?.length === 1 && engines[0] === 'sherpa-kws'
          ? [
              `engines: sherpa-kws alone for ${language} minds no words around a phrase: what is negated or quoted counts, and what counts near certain words only is not heard; name a second one beside it`,
            ]
          : [],
      ),
      ...(room.identity.certificate === undefined && (beyondThisMachine(mqtt) || beyondThisMachine(upload))
        ? ['the box has a secret only: beyond this machine a cloud takes certificates (evalroom enroll)']
        : []),
    ],
  };
}
const MiB = 1024 * 1024;

/** A folder of the box's own goes first; without one, models lie where `evalroom models fetch` has put them. */
function modelsOf(dataFolder: string): string {
  const own = resolve(dataFolder, 'models');
  return existsSync(own) ? own : DEFAULT_FOLDER;
}

function layoutOf({ room, seats, zones, doorLines, floor, roster }: RoomFile): RoomLayout {
  return {
    roomId: room.id,
    name: room.name,
    centre: room.centre,
    timeZone: room.timeZone,
    seats: seats.map((seat) => ({
      seatId: seat.id,
      name: seat.name,
      views: seat.views.map(({ camera, ...drawn }) => ({ cameraId: camera, ...drawn })),
      ...(seat.floor === undefined ? {} : { floor: seat.floor }),
    })),
    zones: zones.map(({ id, kind, camera, polygon }) => ({ zoneId: id, kind, cameraId: camera, polygon })),
    doorLines: doorLines.map(({ camera, line, inside }) => ({ cameraId: camera, line, inside })),
    floor: floor.map(({ camera, points }) => ({ cameraId: camera, points })),
    roster: roster.map(({ seat, expert, name }) => ({
      seatId: seat,
      expertId: expert,
      ...(name === undefined ? {} : { name }),
    })),
  };
}

function cameraSource({ onvif, main, sub }: RoomFile['cameras'][number]): CameraConfig['source'] {
  if (main !== undefined) return { kind: 'rtsp', main, ...(sub === undefined ? {} : { sub }) };
  const [, host, port] = HOST.exec(onvif!)!;
  return { kind: 'onvif', host: host!, port: Number(port ?? 80) };
}

/** The certificate is there, and is for this device and this room. */
function checkIdentity({ identity, room, cloud }: RoomFile, folder: string, report: Report): void {
  if (identity.certificate === undefined) return;
  if (!cloud.mqtt.startsWith('mqtts:')) report(['cloud', 'mqtt'], 'a certificate is shown over TLS only: use mqtts://');
  if (!cloud.upload.startsWith('https:'))
    report(['cloud', 'upload'], 'a certificate is shown over TLS only: use https://');
  try {
    const { deviceId, roomId } = readIdentity(resolve(folder, identity.certificate));
    if (deviceId !== identity.deviceId)
      report(['identity', 'deviceId'], `the certificate is for "${deviceId}": write that, or enrol the box again`);
    if (roomId !== '' && roomId !== room.id)
      report(['room', 'id'], `the box was enrolled for room "${roomId}": write that, or enrol it again`);
  } catch (error) {
    report(['identity', 'certificate'], (error as Error).message);
  }
}

/** The authority's file is there and is one: found here, and not at the first connection in the night. */
function checkAuthority({ ca }: RoomFile['cloud'], folder: string, report: Report): void {
  if (ca === undefined) return;
  const path = resolve(folder, ca);
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (cause) {
    report(['cloud', 'ca'], `${path} cannot be read (${codeOf(cause)}): give the PEM file of the cloud's authority`);
    return;
  }
  try {
    new X509Certificate(pem);
  } catch {
    report(['cloud', 'ca'], `${path} holds no certificate: give the PEM file of the cloud's authority`);
  }
}

/** Reads every secret that the file names; those that cannot be read are reported. */
function readSecrets(
  content: unknown,
  { folder, environment, report }: { folder: string; environment: NodeJS.ProcessEnv; report: Report },
): Map<string, string> {
  const secrets = new Map<string, string>();
  const fromFile = (at: readonly PropertyKey[], name: string): string | undefined => {
    const full = resolve(folder, name);
    try {
      const value = readFileSync(full, 'utf8').split(/\r?\n/)[0]!.trim();
      if (value !== '') return value;
      report(at, `${full} is empty: write the secret into its first line`);
    } catch (cause) {
      report(at, `${full} cannot be read (${codeOf(cause)}): write the secret into its first line, mode 0600`);
    }
    return undefined;
  };
  for (const { at, passwordFile, passwordEnv } of secretPlaces(content)) {
    let value: string | undefined;
    if (passwordFile !== undefined) value = fromFile([...at, passwordFile.key], passwordFile.name);
    else if (passwordEnv !== undefined) {
      value = environment[passwordEnv];
      if (!value) report([...at, 'passwordEnv'], `the environment has no variable ${passwordEnv}`);
    }
    if (value) secrets.set(at.join('.'), value);
  }
  return secrets;
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'ENOENT, there is no such file',
  EACCES: 'EACCES, this user may not read it',
  EISDIR: 'EISDIR, it is a folder',
};

function codeOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return WHY[code] ?? code;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) freeze(item);
  }
  return value;
}
