/** The one clock hand of a fake camera: where its loop stands, so that main, sub and sound stay together for ever. */
import type { Clock, MonoMs } from '../../protocol/time.ts';
import type { SoundReel, VideoReel } from './reel.ts';

/** A moment of a reel on the endless line of the loop: `cycle` full loops, then item `index`. */
export interface Cursor {
  cycle: number;
  index: number;
}

export interface Playhead {
  readonly loopMs: number;
  /** Milliseconds of play since the begin of the first loop; never wraps. */
  playedMs(): number;
  /** Where in the loop, 0 to loopMs. */
  positionMs(): number;
  /** Monotonic time at which `playedMs` is played. */
  monoOf(playedMs: number): MonoMs;
}

/** A hand that stands at `startAtMs` of the loop now. */
export function createPlayhead(clock: Clock, loopMs: number, startAtMs: number): Playhead {
  const zero = clock.monoMs() - startAtMs;
  const playedMs = () => clock.monoMs() - zero;
  return {
    loopMs,
    playedMs,
    positionMs: () => ((playedMs() % loopMs) + loopMs) % loopMs,
    monoOf: (played) => zero + played,
  };
}

/** A reel cut to the loop: items with their time in it, rising. */
export interface Strip {
  readonly timesMs: readonly number[];
  readonly loopMs: number;
}

/** The picture track of a loop; units beyond its end are left out. */
export function videoStrip(reel: VideoReel, loopMs: number): Strip {
  // Decoding order with rising send times: a B-frame leaves right after the frame it waits for.
  let last = 0;
  const timesMs: number[] = [];
  for (const unit of reel.units) {
    last = Math.max(last, unit.tMs);
    if (last < loopMs) timesMs.push(last);
  }
  return { timesMs, loopMs };
}

/** The sound track of a loop; a shorter track leaves the rest of the loop without packets. */
export function soundStrip(reel: SoundReel, loopMs: number): Strip {
  const frameMs = (reel.samplesPerFrame * 1000) / reel.sampleRate;
  const count = Math.min(reel.frames.length, Math.ceil(loopMs / frameMs - 1e-6));
  return { timesMs: Array.from({ length: count }, (_, i) => i * frameMs), loopMs };
}

/** When the item under the cursor is due, in played time. */
export function dueMs(strip: Strip, cursor: Cursor): number {
  return cursor.cycle * strip.loopMs + strip.timesMs[cursor.index]!;
}

/** Moves the cursor to the next item, into the next loop after the last. */
export function advance(strip: Strip, cursor: Cursor): void {
  cursor.index++;
  if (cursor.index < strip.timesMs.length) return;
  cursor.index = 0;
  cursor.cycle++;
}

/** The first item that is due at or after `playedMs`. */
export function seek(strip: Strip, playedMs: number): Cursor {
  const cycle = Math.floor(playedMs / strip.loopMs);
  const within = playedMs - cycle * strip.loopMs;
  const index = strip.timesMs.findIndex((time) => time >= within);
  return index < 0 ? { cycle: cycle + 1, index: 0 } : { cycle, index };
}
