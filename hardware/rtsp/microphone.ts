/** Microphones that are no camera's audio track: the sound of an RTSP source, or a sound card by ALSA; one ffmpeg each. */
import type { Logger } from 'pino';
import { InvalidInput } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { PcmBlock } from '../camera.ts';
import type { Microphone } from '../microphone.ts';
import { type Backoff, STREAM_BACKOFF } from './backoff.ts';
import { startFfmpeg } from './child.ts';
import type { Failure } from './failure.ts';
import { createPatience } from './patience.ts';
import { createLane } from './queues.ts';
import { BLOCK_SAMPLES, blockCutter, SAMPLE_RATE } from './raw.ts';
import { createRole } from './role.ts';
import { inputList, LIST_INPUT, rtspAddress } from './source.ts';
import { type SessionEnd, supervise, WATCHDOG, type Watchdog, watch } from './supervise.ts';

/** Where the sound comes from. `input` replaces the ALSA arguments before `-i`, for other sound systems of ffmpeg. */
export type MicrophoneSource =
  | { readonly rtsp: string; readonly user?: string; readonly password?: string }
  | { readonly alsa: string; readonly input?: readonly string[] };

export interface MicrophoneOptions {
  readonly watchdog?: Partial<Watchdog>;
  readonly backoff?: Backoff;
  readonly random?: () => number;
}

export interface MicrophoneParts {
  readonly microphoneId: string;
  readonly source: MicrophoneSource;
  readonly options?: MicrophoneOptions;
  readonly clock: Clock;
  readonly log: Logger;
}

const SOUND_BLOCKS = (10 * SAMPLE_RATE) / BLOCK_SAMPLES;

/** ffmpeg's input arguments, stdin and secrets for a source. @throws InvalidInput for an address or device name that is none */
function inputOf(source: MicrophoneSource, socketTimeoutMs: number) {
  if ('rtsp' in source) {
    const address = rtspAddress(source.rtsp, source.user, source.password);
    return {
      args: LIST_INPUT,
      stdin: inputList(address, { socketTimeoutMs, onlyAudio: true }),
      secrets: address.secrets,
    };
  }
  if (source.alsa === '' || source.alsa.startsWith('-'))
    throw new InvalidInput('alsa_device', `a sound card is named like hw:1,0 or default, not "${source.alsa}"`);
  const how = source.input ?? ['-f', 'alsa', '-thread_queue_size', '64'];
  return { args: [...how, '-i', source.alsa], stdin: '', secrets: [] };
}

/** A microphone that restarts by itself until `close()`; its faults stand in `health()`. */
export function createMicrophone({ microphoneId, source, options = {}, clock, log }: MicrophoneParts): Microphone {
  const watchdog: Watchdog = { ...WATCHDOG, ...options.watchdog };
  const input = inputOf(source, watchdog.firstMs);
  const patience = createPatience({ leastMs: watchdog.againMs, mostMs: watchdog.firstMs });
  const role = createRole();
  const samples = createLane<PcmBlock>(SOUND_BLOCKS);
  const stop = new AbortController();
  let running: Promise<void> = Promise.resolve();

  async function session(_attempt: number, signal: AbortSignal): Promise<SessionEnd> {
    const beganMs = clock.monoMs();
    const firstMs = patience.limitMs();
    let lastMs: number | undefined;
    let verdict: Failure | undefined;
    const raw = ['-map', '0:a:0', '-ac', '1', '-ar', String(SAMPLE_RATE), '-threads', '1', '-f', 's16le'];
    const child = startFfmpeg({
      args: [...input.args, ...raw, '-flush_packets', '1', 'pipe:3'],
      stdin: input.stdin,
      pipes: [
        blockCutter(clock, (block) => {
          if (lastMs === undefined) patience.came(block.at.monoMs - beganMs);
          lastMs = block.at.monoMs;
          role.delivered(lastMs);
          samples.push(block);
        }),
      ],
      secrets: input.secrets,
      clock,
    });
    const unwatch = watch(clock, watchdog.checkMs, () => {
      const silent = clock.monoMs() - (lastMs ?? beganMs);
      if (verdict || silent <= (lastMs === undefined ? firstMs : watchdog.soundMs)) return;
      if (lastMs === undefined) patience.missed();
      verdict = { kind: 'hung', reason: `no sound for ${(silent / 1000).toFixed(1)} s although the connection stands` };
      void child.kill();
    });
    const abort = () => void child.stop();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const ended = await child.ended;
    unwatch();
    signal.removeEventListener('abort', abort);
    const failure = verdict ?? ended;
    role.down(failure.reason, failure.kind === 'device_in_use');
    return { failure, again: 'after_wait' };
  }

  return {
    microphoneId,
    async start(signal) {
      running = supervise({
        run: session,
        onEnd: ({ failure }, waitMs, { repeats, isNews }) => {
          role.restarted();
          if (isNews)
            log.warn({ microphoneId, kind: failure.kind, waitMs, repeats }, `sound session ended: ${failure.reason}`);
        },
        backoff: options.backoff ?? STREAM_BACKOFF,
        clock,
        random: options.random ?? Math.random,
        signal: AbortSignal.any([signal, stop.signal]),
      }).finally(() => samples.end());
      running.catch((error: Error) => log.error({ microphoneId, error: error.message }, 'the microphone task ended'));
    },
    samples: () => samples.read(),
    health: () => role.health(samples.dropped()),
    async close() {
      stop.abort();
      await running;
      samples.end();
    },
  };
}
