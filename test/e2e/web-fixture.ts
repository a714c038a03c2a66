/** The cloud's HTTP contract played from memory, so that the page can be developed, looked at and tested by itself. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { build } from 'vite';
import type { ActionRequest, ErrorView, LoginRequest, SetupRequest } from '../../cloud/http/api.ts';
import type { EvaluationsView } from '../../cloud/http/sessions-api.ts';
import type { RoomState } from '../../protocol/stream.ts';
import { type Media, makeMedia } from './web-media.ts';
import { layoutOf, type Row, World } from './web-world.ts';

export interface Fixture {
  readonly url: string;
  readonly token: string;
  readonly world: World;
  readonly media: Media;
  /** Every grant given, by clip. */
  readonly grants: string[];
  /** A state as the broker would bring it. */
  heard(state: RoomState): void;
  snapshot(roomId: string): void;
  /** Cuts every feed; `refuse` keeps new ones out until called with false. */
  cut(refuse?: boolean): void;
  /** Sends rows from so many before the cursor: a server that repeats itself. */
  repeat(rows: number): void;
  /** Ends every session. */
  expire(): void;
  /** Whoever asks for a large picture has to wait for so long; without it the box does not answer. */
  tooOften(waitMs: number): void;
  close(): Promise<void>;
}

/** Builds the page as the set-up does, into a folder of the caller's, so that no test meets a half-written one. */
export async function buildPage(folder: string): Promise<void> {
  await build({
    configFile: path.join(import.meta.dirname, '../../cloud/web/vite.config.ts'),
    build: { outDir: folder },
    logLevel: 'error',
  });
}

export const PASSWORD = 'correct horse battery';

export async function startFixture(
  options: { page?: string; port?: number; user?: boolean; rooms?: number } = {},
): Promise<Fixture> {
  const folder = await mkdtemp(path.join(tmpdir(), 'evalroom-web-'));
  const media = await makeMedia(folder);
  const world = new World();
  const app = Fastify({ forceCloseConnections: true });
  const token = randomUUID();
  const sessions = new Set<string>();
  const lines = new Map<ServerResponse, () => void>();
  const grants: string[] = [];
  let user = options.user ? { name: '王监督', password: PASSWORD } : undefined;
  let refusing = false;
  let repeating = 0;
  let pictureWaitMs: number | undefined;

  for (let room = 1; room <= (options.rooms ?? 1); room++) {
    const layout = layoutOf(room, media.zoneOf);
    world.rooms.set(layout.roomId, { roomId: layout.roomId, name: layout.name, centre: layout.centre, snapshots: [] });
  }

  const cookie = (request: FastifyRequest) => /(?:^|;\s*)sid=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
  const refuse = (reply: FastifyReply, status: number, code: string, zh: string, en: string) =>
    reply.code(status).send({ code, message: { zh, en } } satisfies ErrorView);
  const enter = (reply: FastifyReply) => {
    const sid = randomUUID();
    sessions.add(sid);
    return reply.header('set-cookie', `sid=${sid}; HttpOnly; SameSite=Strict; Path=/`);
  };
  const view = () => (user ? { userId: 'u1', name: user.name, role: 'supervisor' as const } : undefined);

  app.addHook('onRequest', async (request, reply) => {
    const open = ['/api/session', '/api/setup', '/api/login'].includes(request.url) || !request.url.startsWith('/api/');
    if (!open && !sessions.has(cookie(request)))
      return refuse(reply, 401, 'no_session', '请先登录。', 'Sign in first.');
    // As strict as the real one, so that the page is known to live with it.
    reply.header(
      'content-security-policy',
      "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    );
  });
  app.get('/api/session', (request) => ({
    setupNeeded: !user,
    ...(sessions.has(cookie(request)) ? { user: view() } : {}),
  }));
  app.post('/api/setup', (request, reply) => {
    const body = request.body as SetupRequest;
    if (user || body.token !== token)
      return refuse(
        reply,
        403,
        'token_spent',
        '一次性链接无效或已使用。请重新启动以获得新的链接。',
        'The one-time link is not valid any more. Start again for a new one.',
      );
    user = { name: body.name, password: body.password };
    world.note(body.name, 'setup', 'user');
    return enter(reply).send(view());
  });
  app.post('/api/login', (request, reply) => {
    const body = request.body as LoginRequest;
    if (!user || body.name !== user.name || body.password !== user.password)
      return refuse(reply, 401, 'wrong_login', '姓名或密码不正确。', 'Name or password is wrong.');
    world.note(body.name, 'login', 'session');
    return enter(reply).send(view());
  });
  app.post('/api/logout', (request, reply) => {
    sessions.delete(cookie(request));
    return reply.code(204).send();
  });
  app.get('/api/overview', () => ({
    serverWallMs: Date.now(),
    rooms: [...world.rooms.values()],
    alerts: world.alerts(),
    cursor: String(world.rows.length),
  }));

  const send = (to: ServerResponse, kind: string, body: unknown, cursor?: number) =>
    to.write(`${cursor === undefined ? '' : `id: ${cursor}\n`}event: ${kind}\ndata: ${JSON.stringify(body)}\n\n`);
  const sendRow = (to: ServerResponse, row: Row, cursor: number) => {
    if (row.kind === 'action')
      return send(to, 'action', { action: row.action, alert: world.alert(row.action.episodeId) }, cursor);
    if (row.kind === 'clip')
      return send(
        to,
        'clip',
        { clipId: row.clipId, episodeId: row.episodeId, alert: world.alert(row.episodeId) },
        cursor,
      );
    const { body } = row.event;
    const alert = 'episodeId' in body ? world.alert(body.episodeId) : undefined;
    return send(to, 'event', { event: row.event, ...(alert ? { alert } : {}) }, cursor);
  };
  app.get('/api/sessions', (): EvaluationsView => ({ open: [], past: [] }));
  app.get('/api/refused', () => ({ refused: [], total: 0, quarantined: 0 }));
  app.get('/api/feed', (request, reply) => {
    if (refusing) return refuse(reply, 503, 'not_now', '稍后重试。', 'Try again later.');
    const asked = request.headers['last-event-id'] ?? (request.query as { cursor?: string }).cursor ?? '0';
    const to = reply.raw;
    reply.hijack();
    to.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    to.write('retry: 300\n\n');
    for (let i = Math.max(0, Number(asked) - repeating); i < world.rows.length; i++) sendRow(to, world.rows[i]!, i + 1);
    const beat = () => to.write(`: beat\nevent: beat\ndata: ${JSON.stringify({ serverWallMs: Date.now() })}\n\n`);
    beat();
    const beating = setInterval(beat, 5_000);
    const off = world.onRow((row, cursor) => sendRow(to, row, cursor));
    const end = () => {
      clearInterval(beating);
      off();
      lines.delete(to);
    };
    lines.set(to, end);
    to.on('close', end);
  });

  app.get('/api/alerts', (request) => {
    const { room, limit } = request.query as { room?: string; limit?: string };
    const alerts = world.alerts().filter((alert) => !room || alert.roomId === room);
    return { alerts: alerts.sort((a, b) => b.lastStoredWallMs - a.lastStoredWallMs).slice(0, Number(limit ?? 50)) };
  });
  app.get('/api/alerts/:id', (request, reply) => {
    const { id } = request.params as { id: string };
    const alert = world.alert(id);
    if (!alert) return refuse(reply, 404, 'no_alert', '没有找到这条告警。', 'There is no such alert.');
    const clips = [...world.clips.values()].filter(({ clip }) => clip.episodeId === id);
    return {
      alert,
      events: world.events(id),
      actions: world.actions(id),
      clips: clips.map(({ clip, ready, storedWallMs }) => ({ clip, ready, ...(storedWallMs ? { storedWallMs } : {}) })),
      layout: world.rooms.get(alert.roomId)?.state?.layout,
      views: world.views.filter((one) => clips.some(({ clip }) => clip.clipId === one.clipId)).reverse(),
    };
  });
  app.post('/api/alerts/:id/actions', (request, reply) => {
    const { id } = request.params as { id: string };
    if (!world.alert(id)) return refuse(reply, 404, 'no_alert', '没有找到这条告警。', 'There is no such alert.');
    const { kind, note } = request.body as ActionRequest;
    return world.act(id, kind, user?.name ?? '?', note);
  });
  app.post('/api/clips/:id/view', (request, reply) => {
    const { id } = request.params as { id: string };
    const held = world.clips.get(id);
    if (!held?.ready) return refuse(reply, 404, 'no_clip', '片段尚未到达。', 'The clip is not here yet.');
    grants.push(id);
    world.views.push({ userName: user?.name ?? '?', wallMs: Date.now(), clipId: id });
    world.note(user?.name ?? '?', 'view_clip', id);
    return {
      clip: held.clip,
      mp4Url: `/api/files/${id}/clip.mp4`,
      overlayUrl: `/api/files/${id}/overlay.json`,
      expiresWallMs: Date.now() + 600_000,
    };
  });
  app.get('/api/files/:id/clip.mp4', async (request, reply) => {
    const held = world.clips.get((request.params as { id: string }).id);
    if (!held || !grants.includes(held.clip.clipId)) return refuse(reply, 403, 'no_grant', '没有授权。', 'No grant.');
    const { size } = await stat(held.file);
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const [from, to] = range ? [Number(range[1]), range[2] ? Number(range[2]) : size - 1] : [0, size - 1];
    reply
      .header('accept-ranges', 'bytes')
      .header('content-length', to - from + 1)
      .type('video/mp4');
    if (range) reply.code(206).header('content-range', `bytes ${from}-${to}/${size}`);
    return reply.send(createReadStream(held.file, { start: from, end: to }));
  });
  app.get('/api/files/:id/overlay.json', (request) => ({
    ...media.overlay,
    clipId: (request.params as { id: string }).id,
  }));
  app.get('/api/log', (request) => {
    const { before, limit } = request.query as { before?: string; limit?: string };
    const entries = world.log.filter((entry) => !before || entry.seq < Number(before));
    return { entries: entries.reverse().slice(0, Number(limit ?? 50)), chainHolds: true };
  });
  // A box that does not answer: the page has to live with the small picture.
  app.post('/api/rooms/:room/picture/:camera', (_request, reply) => {
    if (pictureWaitMs === undefined)
      return refuse(reply, 503, 'picture_silent', '终端没有应答。', 'The box does not answer.');
    const message = { zh: '请等待', en: 'Please wait' };
    return reply.code(429).send({ code: 'picture_often', message, waitMs: pictureWaitMs } satisfies ErrorView);
  });
  app.get('/api/rooms/:room/snapshot/:camera', async (_request, reply) =>
    reply.type('image/jpeg').send(await readFile(media.jpeg)),
  );
  app.register(fastifyStatic, { root: options.page ?? path.join(import.meta.dirname, '../../cloud/web/dist') });

  const url = await app.listen({ port: options.port ?? 0, host: '127.0.0.1' });
  const broadcast = (kind: string, body: unknown) => {
    for (const line of lines.keys()) send(line, kind, body);
  };
  return {
    url,
    token,
    world,
    media,
    grants,
    heard(state) {
      const heardWallMs = Date.now();
      const card = world.rooms.get(state.roomId);
      world.rooms.set(state.roomId, {
        snapshots: card?.snapshots ?? [],
        roomId: state.roomId,
        name: state.layout.name,
        centre: state.layout.centre,
        state,
        heardWallMs,
      });
      broadcast('state', { roomId: state.roomId, heardWallMs, state });
    },
    snapshot(roomId) {
      const card = world.rooms.get(roomId);
      const wallMs = Date.now();
      if (card) world.rooms.set(roomId, { ...card, snapshots: [{ cameraId: 'cam-a', wallMs }] });
      broadcast('snapshot', { roomId, cameraId: 'cam-a', wallMs });
    },
    cut(refuse = false) {
      refusing = refuse;
      for (const [line, end] of lines) {
        end();
        line.destroy();
      }
    },
    repeat(rows) {
      repeating = rows;
    },
    expire: () => sessions.clear(),
    tooOften(waitMs) {
      pictureWaitMs = waitMs;
    },
    async close() {
      for (const [line, end] of lines) {
        end();
        line.destroy();
      }
      await app.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
