/** The session that evidence comes from: one ffmpeg that copies the main stream, undecoded, into segment files. */
import { open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../protocol/time.ts';
import type { SegmentFile } from '../camera.ts';
import { createAnchor } from './anchor.ts';
import { startFfmpeg } from './child.ts';
import type { Failure } from './failure.ts';
import { parameterSets } from './parameter-sets.ts';
import { createPatience } from './patience.ts';
import type { PipeSink } from './raw.ts';
import type { RoleRecord } from './role.ts';
import { inputList, LIST_INPUT, type RtspAddress } from './source.ts';
import { type SessionEnd, type Watchdog, watch } from './supervise.ts';

export interface EvidenceSettings {
  readonly cameraId: string;
  /** Asked anew for each session. */
  readonly address: () => RtspAddress;
  readonly folder: string;
  /** A segment ends at the first keyframe after this. */
  readonly segmentMs: number;
  readonly watchdog: Watchdog;
}

export interface EvidenceOutputs {
  readonly record: RoleRecord;
  segment(segment: SegmentFile): void;
}

/** So long a picture may wait in the file's queue for the sound of its moment. */
const INTERLEAVE_US = 1_500_000;

/** Arguments without credentials; finished segments are listed on pipe:3, every packet of the picture on pipe:4. */
export function evidenceArgs(settings: EvidenceSettings, prefix: string, soundCodec: 'copy' | 'aac'): string[] {
  const { segmentMs, folder } = settings;
  const keep = ['-avoid_negative_ts', 'disabled'];
  return [
    ...LIST_INPUT,
    ...['-map', '0:v:0', '-map', '0:a:0?', '-c:v', 'copy', '-c:a', soundCodec, ...keep],
    ...['-f', 'segment', '-segment_time', String(segmentMs / 1000), '-segment_time_delta', '0.1'],
    // Pictures do not wait for sound that has stopped coming: by default they would for ten seconds.
    ...['-max_interleave_delta', String(INTERLEAVE_US)],
    ...['-segment_format', 'mp4', '-reset_timestamps', '1', '-segment_list', 'pipe:3', '-segment_list_type', 'csv'],
    join(folder, `${prefix}-%06d.mp4`),
    // The times of all packets, as they come: what the segments' place on the wall clock is worked out from.
    ...['-map', '0:v:0', '-c:v', 'copy', ...keep, '-f', 'framecrc', '-flush_packets', '1', 'pipe:4'],
  ];
}

/** More than what a camera's packets are listed in between two readings. */
const LINE_BYTES = 4096;

/**
 * Calls `take` with each complete line. A sink, since packets are listed one by one, all day: each line by itself
 * through a stream of its own took more time than everything that is worked out of it.
 */
function lineCutter(take: (line: string) => void): PipeSink {
  const bytes = Buffer.alloc(LINE_BYTES);
  let partial = '';
  return {
    room: () => bytes,
    took(count) {
      const lines = (partial + bytes.toString('latin1', 0, count)).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) take(line);
    },
  };
}

/** Sessions of one main stream one after another. */
export function createEvidence(settings: EvidenceSettings, out: EvidenceOutputs, clock: Clock) {
  const { cameraId, folder, watchdog } = settings;
  const patience = createPatience({ leastMs: watchdog.againMs, mostMs: watchdog.firstMs });
  let soundCodec: 'copy' | 'aac' = 'copy';
  let run = 0;
  /** Why the session before this one ended; told with the first segment that comes after it. */
  let anew: string | undefined;

  return async function session(_attempt: number, signal: AbortSignal): Promise<SessionEnd> {
    const beganMs = clock.monoMs();
    const address = settings.address();
    const firstMs = patience.limitMs();
    const prefix = `${cameraId}-${Math.round(clock.wallMs()).toString(36)}-${run++}`;
    const anchor = createAnchor();
    let tickMs = 1 / 90;
    let packetMs: number | undefined;
    let segmentMs = beganMs;
    let announced = 0;
    let sets: Buffer | undefined;
    let verdict: Failure | undefined;
    let filing: Promise<void> = Promise.resolve();

    function packet(line: string): void {
      if (line.startsWith('#')) {
        const timeBase = /^#tb 0: (\d+)\/(\d+)/.exec(line);
        if (timeBase) tickMs = (1000 * Number(timeBase[1])) / Number(timeBase[2]);
        return;
      }
      const pts = Number(line.split(',')[2]);
      if (!Number.isFinite(pts)) return;
      const nowMs = clock.monoMs();
      if (packetMs === undefined) patience.came(nowMs - beganMs);
      packetMs = nowMs;
      anchor.packet(pts * tickMs, packetMs);
    }

    async function file(name: string, beginMono: number, endMono: number): Promise<void> {
      const path = join(folder, name);
      const { size } = await stat(path);
      const found = await headSets(path);
      if (found && sets && !found.equals(sets) && !verdict) {
        verdict = { kind: 'format_changed', reason: 'the picture size or another setting of the main stream changed' };
        void child.stop();
      }
      sets = found ?? sets;
      const wall = (mono: number) => Math.round(clock.wallMs() + mono - clock.monoMs());
      out.record.delivered(clock.monoMs());
      const segment = { path, beginWallMs: wall(beginMono), endWallMs: wall(endMono), bytes: size };
      out.segment(anew === undefined ? segment : { ...segment, anew });
      anew = undefined;
    }

    function listed(line: string): void {
      const [name, begin, end] = line.split(',');
      if (!name || begin === undefined || end === undefined) return;
      announced++;
      segmentMs = clock.monoMs();
      const [from, to] = [Number(begin) * 1000, Number(end) * 1000];
      const endMono = anchor.monoOf(to) ?? segmentMs;
      const beginMono = anchor.monoOf(from) ?? endMono - (to - from);
      filing = filing
        .then(() => file(name, beginMono, endMono))
        .catch((error: Error) => {
          // The file was announced and cannot be read: the disk or the ring that clears it is at fault.
          verdict ??= { kind: 'disk', reason: `a finished segment cannot be read: ${error.message}` };
          void child.stop();
        });
    }

    const child = startFfmpeg({
      args: evidenceArgs(settings, prefix, soundCodec),
      stdin: inputList(address, { socketTimeoutMs: watchdog.firstMs }),
      pipes: [lineCutter(listed), lineCutter(packet)],
      secrets: address.secrets,
      clock,
    });

    function look(): void {
      if (verdict) return;
      const now = clock.monoMs();
      const silent = now - (packetMs ?? beganMs);
      if (silent > (packetMs === undefined ? firstMs : watchdog.packetMs)) {
        if (packetMs === undefined) patience.missed();
        const s = (silent / 1000).toFixed(1);
        verdict = { kind: 'hung', reason: `no picture for ${s} s on the main stream although the connection stands` };
        void child.kill();
      } else if (anchor.jumped()) {
        verdict = { kind: 'clock_jumped', reason: "the camera's clock jumped: recording begins anew" };
        void child.stop();
      } else if (now - segmentMs > watchdog.segmentMs) {
        verdict = {
          kind: 'hung',
          reason: `no segment was finished for ${Math.round((now - segmentMs) / 1000)} s: no keyframes`,
        };
        void child.stop();
      }
    }

    const unwatch = watch(clock, watchdog.checkMs, look);
    const abort = () => void child.stop();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const ended = await child.ended;
    unwatch();
    signal.removeEventListener('abort', abort);
    await filing;
    // What was being written when ffmpeg was killed has no index and cannot be played.
    await unlink(join(folder, `${prefix}-${String(announced).padStart(6, '0')}.mp4`)).catch(() => {});
    const failure = verdict ?? ended;
    if (failure.kind === 'audio_not_storable' && soundCodec === 'copy') {
      // G.711 does not go into mp4: the sound is encoded (about 1 % of a core), the picture still copied.
      soundCodec = 'aac';
      return { failure, again: 'now' };
    }
    anew = failure.reason;
    out.record.down(failure.reason);
    const adjusted = failure.kind === 'clock_jumped' || failure.kind === 'format_changed';
    return { failure, again: adjusted ? 'now' : 'after_wait' };
  };
}

/** Parameter sets that stand in-band before the first picture of a segment file; undefined where the camera sends none. */
async function headSets(path: string): Promise<Buffer | undefined> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2048), 0, 2048, 0);
    return parameterSets(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}
