/** The desk's routes: each turns a request into one call of the desk, which checks access itself. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { InvalidInput } from '../../protocol/errors.ts';
import { requireSupervisor } from '../review/access.ts';
import type { Desk, ServedFile } from '../review/desk.ts';
import type { Devices, NewDevice } from '../review/devices.ts';
import { ACTION_KINDS, type ActionRequest, type DeviceSecretView, type DevicesView } from './api.ts';

const LIST_MAX = 500;

type Params = Readonly<Record<string, string>>;

export function routeDesk(
  app: FastifyInstance,
  { desk, devices }: { readonly desk: Desk; readonly devices: Devices },
): void {
  const params = (request: FastifyRequest) => request.params as Params;

  app.get('/api/overview', async (request) => desk.overview(request.viewer));
  app.get('/api/alerts', async (request) => {
    const { room, before, limit } = request.query as Params;
    return desk.alerts(request.viewer, {
      limit: number(limit, 'limit', LIST_MAX) ?? 100,
      ...(room === undefined || room === '' ? {} : { room }),
      ...optional('before', number(before, 'before')),
    });
  });
  app.get('/api/alerts/:episodeId', async (request) => desk.alert(request.viewer, params(request).episodeId!));
  app.post('/api/alerts/:episodeId/actions', async (request, reply) => {
    const body = request.body as { kind?: unknown; note?: unknown } | null;
    // Who asks is answered before what they ask, so that nobody learns from a 400 what exists.
    requireSupervisor(request.viewer);
    if (!isAction(body)) throw new InvalidInput('bad_request', 'acting on an alert: kind or note is not valid');
    const action = await desk.act(request.viewer, params(request).episodeId!, body);
    return reply.code(201).send(action);
  });
  app.get('/api/rooms/:roomId/snapshot/:cameraId', async (request, reply) => {
    const { roomId, cameraId } = params(request);
    const { jpeg, wallMs } = await desk.snapshot(request.viewer, roomId!, cameraId!);
    return reply
      .headers({
        'content-type': 'image/jpeg',
        'cache-control': 'no-store',
        'last-modified': new Date(wallMs).toUTCString(),
      })
      .send(Buffer.from(jpeg));
  });

  app.post('/api/clips/:clipId/view', async (request) => desk.grantClip(request.viewer, params(request).clipId!));
  app.get('/api/clips/:clipId/files/:name', async (request, reply) => {
    const { clipId, name } = params(request);
    const { grant } = request.query as Params;
    const file = await desk.clipFile(request.viewer, clipId!, name!, String(grant ?? ''));
    return sendFile(request, reply, file);
  });

  app.get('/api/refused', async (request) => desk.refused(request.viewer));
  app.get('/api/log', async (request) => {
    const { before, limit } = request.query as Params;
    return desk.log(request.viewer, {
      limit: number(limit, 'limit', LIST_MAX) ?? 100,
      ...optional('before', number(before, 'before')),
    });
  });

  app.get('/api/devices', async (request): Promise<DevicesView> => ({ devices: await devices.list(request.viewer) }));
  app.post('/api/devices', async (request, reply) => {
    const body = request.body as { deviceId?: unknown; roomId?: unknown } | null;
    const device = { deviceId: String(body?.deviceId ?? ''), roomId: String(body?.roomId ?? '') } satisfies NewDevice;
    const secret = await devices.addBy(request.viewer, device);
    return reply.code(201).send({ ...device, secret } satisfies DeviceSecretView);
  });
}

function isAction(body: { kind?: unknown; note?: unknown } | null): body is ActionRequest {
  return (
    (ACTION_KINDS as readonly unknown[]).includes(body?.kind) &&
    (body?.note === undefined || (typeof body.note === 'string' && !body.note.includes('\u0000')))
  );
}

function number(text: string | undefined, name: string, max = Number.MAX_SAFE_INTEGER): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidInput('bad_request', `${name} must be a positive whole number`);
  return Math.min(value, max);
}

const optional = <K extends string>(key: K, value: number | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [key in K]?: number };

/** One range at most (RFC 9110, 14.2); players ask for the end of the file first. */
function sendFile(request: FastifyRequest, reply: FastifyReply, file: ServedFile): FastifyReply {
  reply.headers({
    'content-type': file.type,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-store',
    etag: `"${file.sha256}"`,
  });
  const asked = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  const [first, last] = [asked?.[1] ?? '', asked?.[2] ?? ''];
  if (!asked || (first === '' && last === ''))
    return reply.header('content-length', file.bytes).send(file.bytes === 0 ? '' : file.open(0, file.bytes - 1));
  const start = first === '' ? Math.max(0, file.bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? file.bytes - 1 : Math.min(Number(last), file.bytes - 1);
  if (start > end || start >= file.bytes)
    return reply.code(416).header('content-range', `bytes */${file.bytes}`).send();
  return reply
    .code(206)
    .headers({ 'content-range': `bytes ${start}-${end}/${file.bytes}`, 'content-length': end - start + 1 })
    .send(file.open(start, end));
}
