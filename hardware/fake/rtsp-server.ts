/** The RTSP 1.0 server of the fake camera: TCP only, interleaved RTP, digest authentication, several clients. */
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { Unavailable } from '../../protocol/errors.ts';
import type { Channel } from './channel.ts';
import { challenge, digestOk } from './digest.ts';
import { parseRequests, type RtspRequest, rtspReply } from './rtsp-wire.ts';
import { describe } from './sdp.ts';

/** A client that does not read is cut off beyond this many bytes waiting for it. */
const MAX_WAITING = 8 * 1024 * 1024;

export interface RtspServerParts {
  readonly channels: ReadonlyMap<string, Channel>;
  readonly user: string;
  readonly password: string;
  readonly join: 'recent' | 'next';
  readonly log: Logger;
}

interface Session {
  readonly socket: Socket;
  readonly nonce: string;
  readonly id: string;
  path: string | undefined;
  videoChannel: number | undefined;
  audioChannel: number | undefined;
  leave: (() => void) | undefined;
}

/** A server that listens between `listen` and `close`; `stopListening` and `cut` are its faults. */
export function createRtspServer({ channels, user, password, join, log }: RtspServerParts) {
  let server: Server | undefined;
  const sessions = new Set<Session>();

  function accept(socket: Socket): void {
    const session: Session = {
      socket,
      nonce: randomBytes(16).toString('hex'),
      id: randomBytes(8).toString('hex'),
      path: undefined,
      videoChannel: undefined,
      audioChannel: undefined,
      leave: undefined,
    };
    sessions.add(session);
    socket.setNoDelay(true);
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      const { requests, rest: left } = parseRequests(Buffer.concat([rest, chunk]));
      rest = left;
      for (const request of requests) answer(session, request);
      if (rest.length > 64 * 1024) socket.destroy();
    });
    socket.on('error', (error) => log.debug({ error: error.message }, 'a client of the fake camera went away'));
    socket.on('close', () => {
      session.leave?.();
      sessions.delete(session);
    });
  }

  function answer(session: Session, request: RtspRequest): void {
    const { socket } = session;
    const { name, track } = streamOf(request.url);
    session.path ??= name;
    const channel = channels.get(name);
    const fault = channel?.fault() ?? null;
    if (fault === 'hang') return;
    if (fault === 'refuse') {
      socket.destroy();
      return;
    }
    const reply = (code: number, headers: Record<string, string> = {}, body = '') =>
      socket.write(rtspReply(request, code, headers, body));
    if (request.method === 'OPTIONS') {
      reply(200, { Public: 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN' });
      return;
    }
    const check = { header: request.headers.get('authorization'), method: request.method, nonce: session.nonce };
    if (fault === 'unauthorized' || !digestOk({ ...check, user, password })) {
      reply(401, { 'WWW-Authenticate': challenge(session.nonce) });
      return;
    }
    if (!channel) {
      reply(404);
      return;
    }
    const head = { Session: `${session.id};timeout=60` };
    switch (request.method) {
      case 'DESCRIBE':
        reply(200, { 'Content-Type': 'application/sdp', 'Content-Base': `${request.url}/` }, describe(channel));
        return;
      case 'SETUP': {
        const transport = request.headers.get('transport') ?? '';
        const numbers = /interleaved=(\d+)/.exec(transport);
        if (!transport.includes('RTP/AVP/TCP')) {
          reply(461);
          return;
        }
        const first = numbers ? Number(numbers[1]) : track === 'audio' ? 2 : 0;
        if (track === 'audio' && !channel.sound) {
          reply(404);
          return;
        }
        if (track === 'audio') session.audioChannel = first;
        else session.videoChannel = first;
        reply(200, { ...head, Transport: `RTP/AVP/TCP;unicast;interleaved=${first}-${first + 1}` });
        return;
      }
      case 'PLAY': {
        const times = channel.rtpTimes(channel.firstMs(join));
        const base = request.url.replace(/\/$/, '');
        const info = [
          session.videoChannel === undefined ? [] : [`url=${base}/video;seq=0;rtptime=${wrap(times.video)}`],
          session.audioChannel === undefined ? [] : [`url=${base}/audio;seq=0;rtptime=${wrap(times.audio)}`],
        ].flat();
        reply(200, { ...head, Range: 'npt=now-', 'RTP-Info': info.join(',') });
        session.leave ??= channel.join(
          {
            videoChannel: session.videoChannel,
            audioChannel: session.audioChannel,
            write: (bytes) => send(socket, bytes),
          },
          join,
        );
        return;
      }
      case 'GET_PARAMETER':
        reply(200, head);
        return;
      case 'TEARDOWN':
        reply(200);
        socket.end();
        return;
      default:
        reply(405);
    }
  }

  function send(socket: Socket, bytes: Buffer): void {
    if (socket.destroyed) return;
    if (socket.writableLength > MAX_WAITING) {
      log.warn({ waiting: socket.writableLength }, 'a client of the fake camera does not read; its connection is cut');
      socket.destroy();
      return;
    }
    socket.write(bytes);
  }

  return {
    /** Port that it listens on. */
    listen(host: string, port: number): Promise<number> {
      const fresh = createServer(accept);
      server = fresh;
      return new Promise((resolve, reject) => {
        fresh.once('error', (cause) =>
          reject(new Unavailable('fake_rtsp_port', `the fake camera cannot listen on ${host}:${port}`, cause)),
        );
        fresh.listen(port, host, () => resolve((fresh.address() as { port: number }).port));
      });
    },
    /** Ends the connections of one stream, or all. */
    cut(path?: string): void {
      for (const session of sessions) if (path === undefined || session.path === path) session.socket.destroy();
    },
    /** Refuses new connections and ends the old ones. */
    async close(): Promise<void> {
      const old = server;
      server = undefined;
      for (const session of sessions) session.socket.destroy();
      if (old) await new Promise<void>((resolve) => old.close(() => resolve()));
    },
    clients: () => sessions.size,
  };
}

function streamOf(url: string): { name: string; track: 'video' | 'audio' } {
  const path = url.replace(/^rtsps?:\/\/[^/]*\/?/, '').replace(/[?#].*$/, '');
  const [name = '', track] = path.split('/');
  return { name, track: track === 'audio' ? 'audio' : 'video' };
}

function wrap(timestamp: number): number {
  return Math.round(timestamp) % 2 ** 32;
}
