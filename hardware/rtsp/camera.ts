/** The real camera: analysis out of its sub-stream, evidence out of its main stream, each watched over and restarted on its own. */
import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import { Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { Camera, Frame, PcmBlock, SegmentFile } from '../camera.ts';
import { createAnalysis } from './analysis.ts';
import { type Backoff, STREAM_BACKOFF } from './backoff.ts';
import { createEvidence } from './evidence.ts';
import { createLane } from './queues.ts';
import { BLOCK_SAMPLES, createFramePool, SAMPLE_RATE } from './raw.ts';
import { createRole, type RoleRecord } from './role.ts';
import { LONG_SIDE } from './shape.ts';
import { type RtspSource, rtspAddress } from './source.ts';
import { type Seen, type SessionEnd, supervise, WATCHDOG, type Watchdog } from './supervise.ts';

export type { RtspSource } from './source.ts';

export interface RtspOptions {
  /** Frames a second handed to the models; never more than the stream has. */
  readonly analyseFps: number;
  /** Longest side of the analysed frames, default 640: the other one follows from the shape of the stream's picture. */
  readonly longSide?: number;
  /** Use the audio track as a microphone. */
  readonly audio: boolean;
  /** A segment ends at the first keyframe after this, default 2000. */
  readonly segmentMs?: number;
  /** ffmpeg arguments for decoding in hardware, from the box profile; default none. */
  readonly hwaccel?: readonly string[];
  readonly watchdog?: Partial<Watchdog>;
  readonly backoff?: Backoff;
  /** 0..1, for the jitter; default Math.random. */
  readonly random?: () => number;
}

export interface RtspCameraParts {
  readonly cameraId: string;
  readonly source: RtspSource;
  readonly options: RtspOptions;
  /** Where segment files are written; made if missing. Removing old ones is the reader's task. */
  readonly segmentFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Ten seconds of sound. */
const SOUND_BLOCKS = (10 * SAMPLE_RATE) / BLOCK_SAMPLES;
/** A day of segments: announcements are small, and beyond this the reader is dead. */
const SEGMENTS = 43_200;

/**
 * A camera over RTSP. @throws InvalidInput `rtsp_url` for an address that is none; `start` throws Unavailable
 * `segment_folder` when it cannot be made; later faults stand in `health()`.
 * Credentials reach ffmpeg through a pipe and appear in no argument, log line or reason.
 */
export function createRtspCamera({ cameraId, source, options, segmentFolder, clock, log }: RtspCameraParts): Camera {
  const addressesOf = (streams: Pick<RtspSource, 'main' | 'sub'>) => {
    const main = rtspAddress(streams.main, source.user, source.password);
    return {
      main,
      analysed: streams.sub === undefined ? main : rtspAddress(streams.sub, source.user, source.password),
    };
  };
  let addresses = addressesOf(source);
  const watchdog: Watchdog = { ...WATCHDOG, ...options.watchdog };
  const backoff = options.backoff ?? STREAM_BACKOFF;
  const random = options.random ?? Math.random;
  const decode = createRole();
  const record = createRole();
  const audio = createRole(options.audio ? undefined : 'sound is switched off for this camera');
  const pool = createFramePool();
  const frames = createLane<Frame>(1, ({ rgb }) => pool.give(rgb));
  const samples = createLane<PcmBlock>(SOUND_BLOCKS);
  const segments = createLane<SegmentFile>(SEGMENTS);
  const stop = new AbortController();
  let running: Promise<unknown> = Promise.resolve();

  const analysis = createAnalysis(
    {
      address: () => addresses.analysed,
      analyseFps: options.analyseFps,
      longSide: options.longSide ?? LONG_SIDE,
      pool,
      audio: options.audio,
      hwaccel: options.hwaccel ?? [],
      watchdog,
      backoff,
    },
    { decode, audio, frame: (frame) => frames.push(frame), block: (block) => samples.push(block) },
    clock,
  );
  const evidence = createEvidence(
    { cameraId, address: () => addresses.main, folder: segmentFolder, segmentMs: options.segmentMs ?? 2000, watchdog },
    { record, segment: (segment) => segments.push(segment) },
    clock,
  );

  const onEnd =
    (roles: Readonly<Record<string, RoleRecord>>) =>
    (end: SessionEnd, waitMs: number, { repeats, isNews }: Seen) => {
      for (const role of Object.values(roles)) role.restarted();
      const { kind, reason } = end.failure;
      if (isNews)
        log.warn({ cameraId, roles: Object.keys(roles), kind, waitMs, repeats }, `stream session ended: ${reason}`);
    };

  return {
    cameraId,
    async start(signal) {
      await mkdir(segmentFolder, { recursive: true }).catch((cause) => {
        throw new Unavailable(
          'segment_folder',
          `camera ${cameraId} cannot record into ${segmentFolder}: the folder cannot be made`,
          cause,
        );
      });
      const all = AbortSignal.any([signal, stop.signal]);
      const common = { backoff, clock, random, signal: all };
      running = Promise.all([
        supervise({ ...common, run: analysis, onEnd: onEnd(options.audio ? { decode, audio } : { decode }) }),
        supervise({ ...common, run: evidence, onEnd: onEnd({ record }) }),
      ]).finally(() => {
        for (const lane of [frames, samples, segments]) lane.end();
      });
      // Whoever awaits close() gets a failure of ours; until then it must not end the process as unhandled.
      running.catch((error: Error) => log.error({ cameraId, error: error.message }, 'the camera task ended'));
    },
    frames: () => frames.read(),
    samples: () => samples.read(),
    segments: () => segments.read(),
    health: () => ({
      decode: decode.health(frames.dropped()),
      record: record.health(segments.dropped()),
      audio: audio.health(samples.dropped()),
    }),
    redirect(streams) {
      addresses = addressesOf(streams);
    },
    async close() {
      stop.abort();
      await running;
      for (const lane of [frames, samples, segments]) lane.end();
    },
  };
}
