/** The fake camera as a whole: one loop of footage behind an RTSP server and an ONVIF device, with faults on demand. */
import type { Logger } from 'pino';
import { Bug } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import { type Channel, createChannel } from './channel.ts';
import { CLOCK_JUMP_MS, type Fault } from './fault.ts';
import { createOnvifDevice } from './onvif-device.ts';
import { createPlayhead, type Playhead } from './playhead.ts';
import { loadSound, loadVideo, type VideoReel } from './reel.ts';
import { createRtspServer } from './rtsp-server.ts';
import { pictureSize } from './sps.ts';

export type { Fault } from './fault.ts';

export interface FakeCameraOptions {
  /** Address to listen on, default 127.0.0.1. */
  readonly host?: string;
  /** Ports, default 0: any free one. `discovery` is the UDP port of WS-Discovery (real ones use 3702); null: not discoverable, the default. */
  readonly ports?: { readonly rtsp?: number; readonly onvif?: number; readonly discovery?: number | null };
  /** Where in the loop play begins. */
  readonly startAtMs?: number;
  /** A new client gets everything from the last keyframe at once (`recent`, default), or waits for the `next` one. */
  readonly join?: 'recent' | 'next';
  /** The address the device believes to have, as behind NAT; default `host`. */
  readonly ownAddress?: string;
  /** How far the device's clock is off. */
  readonly clockSkewMs?: number;
}

export interface FakeCameraParts {
  /** Media file of the main stream: H.264, first frame a keyframe. */
  readonly main: string;
  readonly sub: string;
  /** File whose sound both streams carry; without it that of `main`, if it has any. */
  readonly sound?: string;
  readonly user: string;
  readonly password: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly options?: FakeCameraOptions;
}

export type StreamName = 'main' | 'sub';

export interface FakePorts {
  readonly rtsp: number;
  readonly onvif: number;
  readonly discovery: number | null;
}

export interface FakeCamera {
  /** Reads the files, listens, plays until `signal` or `close()`. @throws InvalidInput for unusable files, Unavailable for a port in use. */
  start(signal: AbortSignal): Promise<FakePorts>;
  /** Sets or lifts (null) the fault of one stream, or of both and the ONVIF device. */
  setFault(fault: Fault | null, stream?: StreamName): Promise<void>;
  /** Addresses without credentials; after `start`. */
  urls(): { readonly main: string; readonly sub: string; readonly onvif: string };
  /** Where in the loop the camera stands, 0 to `loopMs`. */
  playheadMs(): number;
  /** Monotonic time at which the given position of the loop was last played. */
  monoAt(positionMs: number): number;
  loopMs(): number;
  /** RTSP connections standing now. */
  clients(): number;
  close(): Promise<void>;
}

/** A camera that plays `main` and `sub` on one playhead for ever. */
export function createFakeCamera(parts: FakeCameraParts): FakeCamera {
  const { main, sub, sound, user, password, clock, log, options = {} } = parts;
  const host = options.host ?? '127.0.0.1';
  const stop = new AbortController();
  const channels = new Map<string, Channel>();
  let playhead: Playhead | undefined;
  let ports: FakePorts | undefined;
  let deviceFault: Fault | null = null;
  let playing: Promise<void> = Promise.resolve();
  const rtsp = createRtspServer({ channels, user, password, join: options.join ?? 'recent', log });
  const device = createOnvifDevice({ facts, user, password, fault: () => deviceFault, log });
  let refusing = false;

  function started(): { playhead: Playhead; ports: FakePorts } {
    if (!playhead || !ports) throw new Bug('fake_not_started', 'the fake camera was asked before start() had ended');
    return { playhead, ports };
  }

  function facts() {
    const own = options.ownAddress ?? host;
    const of = started().ports;
    return {
      manufacturer: 'evalroom',
      model: 'Fake Camera',
      firmware: '1.0',
      serial: `fake-${of.onvif}`,
      base: `http://${own}:${of.onvif}`,
      wallMs: clock.wallMs() + (options.clockSkewMs ?? 0) + (deviceFault === 'clockJump' ? CLOCK_JUMP_MS : 0),
      profiles: [...channels].map(([name, channel]) => ({
        name,
        ...pictureSize(channel.video().sps),
        fps: framesPerSecond(channel.video()),
        sound: channel.sound !== undefined,
        streamUrl: `rtsp://${own}:${of.rtsp}/${name}`,
      })),
    };
  }

  async function play(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = Math.min(...[...channels.values()].map((channel) => channel.pump()));
      await clock.sleep(Math.max(1, started().playhead.monoOf(next) - clock.monoMs()), signal);
    }
  }

  return {
    async start(signal) {
      const [mainReel, subReel, soundReel] = await Promise.all([
        loadVideo(main),
        loadVideo(sub),
        loadSound(sound ?? main),
      ]);
      const head = createPlayhead(clock, mainReel.durationMs, options.startAtMs ?? 0);
      playhead = head;
      const channelOf = (video: VideoReel, other: VideoReel) =>
        createChannel({ video, sound: soundReel, playhead: head, clock }, () => other);
      channels.set('main', channelOf(mainReel, subReel)).set('sub', channelOf(subReel, mainReel));
      const wanted = options.ports ?? {};
      ports = {
        rtsp: await rtsp.listen(host, wanted.rtsp ?? 0),
        onvif: await device.listen(host, wanted.onvif ?? 0),
        discovery: wanted.discovery == null ? null : await device.discoverable(wanted.discovery),
      };
      playing = play(AbortSignal.any([signal, stop.signal]));
      signal.addEventListener('abort', () => void this.close(), { once: true });
      return ports;
    },

    async setFault(fault, stream) {
      const of = started().ports;
      const names = stream === undefined ? [...channels.keys()] : [stream];
      const lasting = fault === 'drop' ? null : fault;
      for (const name of names) channels.get(name)!.setFault(lasting);
      if (stream === undefined) deviceFault = lasting;
      if (fault === 'drop' || fault === 'unauthorized' || fault === 'refuse') for (const name of names) rtsp.cut(name);
      const refuse = [...channels.values()].every((channel) => channel.fault() === 'refuse');
      if (refuse && !refusing) await rtsp.close();
      if (!refuse && refusing) await rtsp.listen(host, of.rtsp);
      refusing = refuse;
    },

    urls() {
      const of = started().ports;
      const near = host === '0.0.0.0' ? '127.0.0.1' : host;
      const url = (name: StreamName) => `rtsp://${near}:${of.rtsp}/${name}`;
      return { main: url('main'), sub: url('sub'), onvif: `http://${near}:${of.onvif}/onvif/device_service` };
    },
    playheadMs: () => started().playhead.positionMs(),
    monoAt(positionMs) {
      const head = started().playhead;
      const played = head.playedMs();
      const begin = Math.floor(played / head.loopMs) * head.loopMs;
      const at = begin + positionMs;
      return head.monoOf(at <= played ? at : at - head.loopMs);
    },
    loopMs: () => started().playhead.loopMs,
    clients: () => rtsp.clients(),
    async close() {
      stop.abort();
      await Promise.allSettled([rtsp.close(), device.close(), playing]);
    },
  };
}

function framesPerSecond(reel: VideoReel): number {
  return Math.round((reel.units.length * 1000) / reel.durationMs);
}
