/** A whole room for measurements and end-to-end tests: fake camera, cloud and agent as processes, and a desk session over HTTP. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { demoFilm } from '../hardware/fake/demo-film.ts';
import { Unavailable } from '../protocol/errors.ts';
import { type Child, startChild } from './children.ts';

export interface StandOptions {
  /** Empty folder for everything that the parts keep. */
  readonly data: string;
  /** Films in place of the demo's. */
  readonly film?: { readonly main: string; readonly sub: string; readonly sound?: string };
  /** Where in the film's loop play begins. */
  readonly fromMs?: number;
  /** Keys of room.yaml to be set, and of its one camera. */
  readonly room?: Readonly<Record<string, unknown>>;
  readonly roomCamera?: Readonly<Record<string, unknown>>;
  /** So many cameras `cam-1` … with the same picture in place of the demo's one. */
  readonly cameras?: number;
  /** Environment of the agent, such as EVALROOM_MODELS. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (part: string, line: string) => void;
}

/** A word of the agent about an event that is on its disk. */
export interface Accepted {
  readonly eventId: string;
  readonly streamId: string;
  readonly seq: number;
  readonly kind: string;
  readonly atMonoMs: number;
  readonly episodeId?: string;
  readonly phase?: string;
  readonly behaviour?: string;
  readonly level?: string;
  readonly seatIds?: readonly string[];
  /** Of the ear that heard it. */
  readonly engine?: string;
}

export interface Stand {
  readonly camera: Child;
  readonly cloud: Child;
  readonly url: string;
  readonly setupUrl: string;
  readonly roomId: string;
  /** Everything that any incarnation of the agent has accepted, in order. */
  readonly accepted: readonly Accepted[];
  agent(): Child;
  /** Starts the agent anew on the same data; the old one must have ended. */
  startAgent(): Promise<Child>;
  close(): Promise<void>;
}

/** Resolves when the agent runs. Throws Unavailable when a part does not start, with nothing left running. */
export async function startStand(options: StandOptions): Promise<Stand> {
  const { data, onLine } = options;
  const children: Child[] = [];
  const accepted: Accepted[] = [];
  const launch = async (name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const child = await startChild({ name, args, env, ...(onLine ? { onLine: (line) => onLine(name, line) } : {}) });
    children.push(child);
    return child;
  };
  const close = async () => {
    for (const child of [...children].reverse()) await child.close();
  };
  try {
    await mkdir(data, { recursive: true });
    const passwordFile = join(data, 'camera.password');
    const secretFile = join(data, 'box.secret');
    await writeFile(passwordFile, `${randomBytes(12).toString('base64url')}\n`, { mode: 0o600 });
    const film = options.film;
    const filmArgs = film
      ? ['--main', film.main, '--sub', film.sub, ...(film.sound ? ['--sound', film.sound] : [])]
      : [];
    const [camera, cloud] = await Promise.all([
      launch('camera', [
        'fake-camera',
        ...filmArgs,
        ...['--from', String(options.fromMs ?? 0), '--user', 'viewer', '--password-file', passwordFile],
        ...['--cache', join(data, 'sound')],
      ]),
      launch('cloud', [
        'cloud',
        '--data',
        join(data, 'cloud'),
        '--port',
        '0',
        '--box',
        `box-demo:room-demo:${secretFile}`,
      ]),
    ]);
    const room = join(data, 'room.yaml');
    await writeFile(room, await roomYaml(options, { camera, cloud, passwordFile, secretFile, box: join(data, 'box') }));
    let agent: Child | undefined;
    const startAgent = async () => {
      agent = await launch('agent', ['agent', '--room', room], options.env);
      agent.onSaid((said) => {
        if (typeof said.eventId === 'string') accepted.push(said as unknown as Accepted);
      });
      return agent;
    };
    await startAgent();
    const setupUrl = cloud.ready.setupUrl;
    if (typeof setupUrl !== 'string')
      throw new Unavailable('stand_no_token', 'the cloud of the stand gave no one-time token');
    return {
      camera,
      cloud,
      url: String(cloud.ready.url),
      setupUrl,
      roomId: 'room-demo',
      accepted,
      agent: () => agent!,
      startAgent,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function roomYaml(
  options: StandOptions,
  parts: { camera: Child; cloud: Child; passwordFile: string; secretFile: string; box: string },
): Promise<string> {
  const room = parse(await readFile(demoFilm().room, 'utf8')) as Record<string, unknown>;
  const [first] = room.cameras as Record<string, unknown>[];
  const camera = {
    ...first,
    onvif: parts.camera.ready.onvif,
    user: 'viewer',
    passwordFile: parts.passwordFile,
    ...options.roomCamera,
  };
  const { cameras } = options;
  return stringify({
    ...room,
    cameras:
      cameras === undefined ? [camera] : Array.from({ length: cameras }, (_, n) => ({ ...camera, id: `cam-${n + 1}` })),
    cloud: { mqtt: parts.cloud.ready.mqttUrl, upload: parts.cloud.ready.url },
    identity: { deviceId: 'box-demo', secretFile: parts.secretFile },
    data: parts.box,
    ...options.room,
  });
}

/** The desk over HTTP with a first supervisor's session: what a page does, without a page. */
export interface Desk {
  readonly cookie: string;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  bytes(path: string): Promise<Buffer>;
}

/** Makes the first supervisor with the token of `setupUrl`. Throws Unavailable `desk_refused` for any answer but 2xx. */
export async function openDesk(
  setupUrl: string,
  who = { name: 'first', password: randomBytes(12).toString('base64url') },
): Promise<Desk> {
  const { origin, hash } = new URL(setupUrl);
  let cookie = '';
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { origin, 'content-type': 'application/json', ...(cookie ? { cookie } : {}) };
    const answer = await fetch(new URL(path, origin), { ...init, headers });
    if (!answer.ok)
      throw new Unavailable(
        'desk_refused',
        `${path} answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`,
      );
    return answer;
  };
  const token = new URLSearchParams(hash.slice(1)).get('token');
  const setup = await ask('/api/setup', { method: 'POST', body: JSON.stringify({ token, ...who }) });
  cookie = setup.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  return {
    cookie,
    get: async <T>(path: string) => (await (await ask(path)).json()) as T,
    post: async <T>(path: string, body: unknown) =>
      (await (await ask(path, { method: 'POST', body: JSON.stringify(body) })).json()) as T,
    bytes: async (path) => Buffer.from(await (await ask(path)).arrayBuffer()),
  };
}
