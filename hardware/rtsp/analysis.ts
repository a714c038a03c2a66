/** The session that the models live on: one ffmpeg that decodes the (sub-)stream into RGB frames and 16 kHz samples. */

import type { Clock } from '../../protocol/time.ts';
import type { Frame, PcmBlock } from '../camera.ts';
import { type Backoff, delayMs } from './backoff.ts';
import { CADENCE_PACKETS, createCadence } from './cadence.ts';
import { startFfmpeg } from './child.ts';
import { createDamage } from './damage.ts';
import type { Failure } from './failure.ts';
import { createPatience } from './patience.ts';
import { blockCutter, type FramePool, frameCutter, SAMPLE_RATE } from './raw.ts';
import type { RoleRecord } from './role.ts';
import { isReshaped, KEEP_SHAPE, PICTURE_CODING, shapeFilter } from './shape.ts';
import { inputList, LIST_INPUT, type RtspAddress } from './source.ts';
import { type SessionEnd, type Watchdog, watch } from './supervise.ts';

export interface AnalysisSettings {
  /** Asked anew for each session. */
  readonly address: () => RtspAddress;
  readonly analyseFps: number;
  /** Longest side of the analysed pictures; the other one follows from the stream's shape. */
  readonly longSide: number;
  readonly pool: FramePool;
  readonly audio: boolean;
  /** ffmpeg arguments for decoding in hardware, from the box profile. */
  readonly hwaccel: readonly string[];
  readonly watchdog: Watchdog;
  readonly backoff: Backoff;
}

export interface AnalysisOutputs {
  readonly decode: RoleRecord;
  readonly audio: RoleRecord;
  frame(frame: Frame): void;
  block(block: PcmBlock): void;
}

/**
 * Passes the first frame of each 1/fps of a second on: never more than `fps` a second, and all of a stream that has just
 * as many. ffmpeg's own fps filter would hold each frame back until the next one and invent frames where the stream has
 * a gap; this only lets pass or not, so a frame leaves when it is decoded and no frame is ever made up.
 */
export function selectFilter(fps: number): string {
  // Slots begin half a slot before the first frame: a frame that comes a little early or late still has its own.
  const slot = (t: string) => `floor((${t}-start_t)*${fps}+0.5)`;
  return `select='isnan(prev_selected_t)+not(eq(${slot('t')},${slot('prev_selected_t')}))'`;
}

/** Arguments without credentials; frames come on pipe:3, samples on pipe:4, times of the first packets on the pipe after. */
export function analysisArgs(settings: AnalysisSettings, audio: boolean, cadence: boolean): string[] {
  const { analyseFps, longSide, hwaccel } = settings;
  // Threads work on several frames at once and so hold each back: one thread each for decoder and encoder costs no
  // delay, where two threads cost a whole frame each (200 ms at 5 fps).
  const input = [...hwaccel, '-flags', 'low_delay', '-threads', '1', ...KEEP_SHAPE, ...LIST_INPUT];
  const filters = `${selectFilter(analyseFps)},${shapeFilter(longSide, 'area')}`;
  const picture = ['-map', '0:v:0', '-vf', filters, '-fps_mode', 'passthrough', '-threads', '1', ...PICTURE_CODING];
  const sound = ['-map', '0:a:0', '-ac', '1', '-ar', String(SAMPLE_RATE), '-threads', '1', '-f', 's16le'];
  const first = ['-map', '0:v:0', '-c:v', 'copy', '-frames:v', String(CADENCE_PACKETS)];
  const times = [...first, '-f', 'framecrc', '-flush_packets', '1'];
  return [
    ...input,
    ...[...picture, '-flush_packets', '1', 'pipe:3'],
    ...(audio ? [...sound, '-flush_packets', '1', 'pipe:4'] : []),
    ...(cadence ? [...times, audio ? 'pipe:5' : 'pipe:4'] : []),
  ];
}

/** Seconds with one digit, for reasons. */
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** Sessions of one stream one after another; remembers from one to the next whether there is sound. */
export function createAnalysis(settings: AnalysisSettings, out: AnalysisOutputs, clock: Clock) {
  const { watchdog, backoff } = settings;
  const patience = createPatience({ leastMs: watchdog.againMs, mostMs: watchdog.firstMs });
  let withSound = settings.audio;
  let soundRestarts = 0;
  let frames = 0;
  /** Time between two pictures of the stream, once a session has told it; and whether the last one ended without any. */
  let intervalMs: number | undefined;
  let sightless = false;

  return async function run(attempt: number, signal: AbortSignal): Promise<SessionEnd> {
    const beganMs = clock.monoMs();
    const address = settings.address();
    const sound = withSound;
    const firstMs = patience.limitMs();
    // Whether there is sound may change with the camera's settings: each new session looks again.
    withSound = settings.audio;
    let frameMs: number | undefined;
    let soundMs: number | undefined;
    let verdict: Failure | undefined;
    let onlySound = false;
    const damage = createDamage();
    // A session in which no picture comes fails by this output alone: then the next one does without, and has its sound.
    const cadence = intervalMs === undefined && !sightless ? createCadence() : undefined;
    const cutter = frameCutter(settings.pool, clock, frames, (frame) => {
      frames = frame.frame + 1;
      if (frameMs === undefined) patience.came(frame.at.monoMs - beganMs);
      frameMs = frame.at.monoMs;
      // What the decoder has made up shows nobody, and nobody gone. It is recorded as it came.
      if (damage.holds(frameMs)) {
        out.decode.down('the pictures arrive damaged');
        settings.pool.give(frame.rgb);
        return;
      }
      out.decode.delivered(frameMs);
      // ffmpeg's parser gives a picture out when the next one begins.
      intervalMs ??= cadence?.intervalMs();
      out.frame(intervalMs === undefined ? frame : { ...frame, lagMs: intervalMs });
    });
    const child = startFfmpeg({
      args: analysisArgs(settings, sound, cadence !== undefined),
      stdin: inputList(address, { socketTimeoutMs: watchdog.firstMs }),
      pipes: [
        cutter,
        ...(sound
          ? [
              blockCutter(clock, (block) => {
                soundMs = block.at.monoMs;
                out.audio.delivered(soundMs);
                out.block(block);
              }),
            ]
          : []),
        ...(cadence ? [cadence.receive] : []),
      ],
      secrets: address.secrets,
      onLine(line) {
        damage.line(line, clock.monoMs());
        if (verdict || !isReshaped(line)) return;
        // Its pictures are squeezed into the first one's shape until a session begins with the new one.
        verdict = {
          kind: 'format_changed',
          reason: 'the size or the pixel format of the picture changed in mid-stream',
        };
        void child.stop();
      },
      clock,
    });

    function look(): void {
      if (verdict?.kind === 'format_changed') return;
      const now = clock.monoMs();
      const noFrame = now - (frameMs ?? beganMs);
      const noSound = now - (soundMs ?? beganMs);
      const hears = sound && soundMs !== undefined && noSound < watchdog.soundMs;
      if (noFrame > (frameMs === undefined ? firstMs : watchdog.frameMs)) {
        const reason = hears
          ? `no picture for ${seconds(noFrame)} while the sound goes on`
          : `no picture for ${seconds(noFrame)} although the connection stands: ${cutter.fault() ?? 'the camera hangs'}`;
        out.decode.down(reason);
        // A restart interrupts sound that is good: then no more often than the schedule has it.
        if (hears && now - beganMs < delayMs(backoff, attempt, 0.5)) return;
        verdict = { kind: 'hung', reason };
        if (frameMs === undefined) patience.missed();
        void child.kill();
      } else if (sound && noSound > Math.max(watchdog.soundMs, soundMs === undefined ? watchdog.firstMs : 0)) {
        const reason = `no sound for ${seconds(noSound)} while the picture goes on`;
        out.audio.down(reason);
        const { soundRestartMs } = watchdog;
        if (now - beganMs < soundRestartMs[Math.min(soundRestarts, soundRestartMs.length - 1)]!) return;
        soundRestarts++;
        onlySound = true;
        verdict = { kind: 'hung', reason };
        void child.kill();
      } else if (hears && now - beganMs > backoff.stableMs) soundRestarts = 0;
    }

    const unwatch = watch(clock, watchdog.checkMs, look);
    const abort = () => void child.stop();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const ended = await child.ended;
    unwatch();
    signal.removeEventListener('abort', abort);
    const failure = verdict ?? ended;
    sightless = frameMs === undefined;
    if (failure.kind === 'no_audio' && sound) {
      withSound = false;
      out.audio.down('the stream carries no audio track');
      return { failure, again: 'now' };
    }
    if (onlySound || failure.kind === 'format_changed') return { failure, again: 'now' };
    out.decode.down(failure.reason);
    if (sound) out.audio.down(failure.reason);
    return { failure, again: 'after_wait' };
  };
}
