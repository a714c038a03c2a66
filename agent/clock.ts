/** Start of the path: the only file of the agent that reads the machine's clocks, and judges whether wall time can be believed. */
import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import type { Clock, Instant } from '../protocol/time.ts';

/** What the kernel says about the discipline of the wall clock. */
export interface Discipline {
  readonly synchronised: boolean;
  /** Offset to the time source in ms, where the kernel knows it. */
  readonly offsetMs?: number;
}

/** The machine's clocks as functions, so that a test can step them. */
export interface ClockReadings {
  readonly bootId: string;
  wallMs(): number;
  monoMs(): number;
  discipline(): Discipline;
}

export interface WatchedClock extends Clock {
  /** Steps of the wall clock seen so far; `lastMs` is the size of the newest (positive: forward). */
  steps(): { readonly count: number; readonly lastMs: number };
}

/** A wall clock that moves against the monotonic one by more than this has been stepped (slewing stays far below). */
const STEP_MS = 250;
/** The kernel slews by at most 500 ppm; chrony by up to 10 %: allow the latter for the time between two looks. */
const SLEW = 0.1;
const LOOK_MS = 5000;
/** After a step the time is doubtful until the source has held it for this long. */
const DOUBT_AFTER_STEP_MS = 60_000;

/** A clock over any readings. `clock` is `sure` while the kernel says synchronised and no step is younger than a minute. */
export function watchedClock(readings: ClockReadings): WatchedClock {
  let difference = readings.wallMs() - readings.monoMs();
  let lookedMonoMs = readings.monoMs();
  let discipline = readings.discipline();
  let stepMonoMs = Number.NEGATIVE_INFINITY;
  let count = 0;
  let lastMs = 0;

  const now = (): Instant => {
    const monoMs = readings.monoMs();
    const wallMs = readings.wallMs();
    const moved = wallMs - monoMs - difference;
    const elapsedMs = monoMs - lookedMonoMs;
    if (Math.abs(moved) > STEP_MS + elapsedMs * SLEW) {
      count += 1;
      lastMs = moved;
      stepMonoMs = monoMs;
    }
    if (Math.abs(moved) > STEP_MS + elapsedMs * SLEW || elapsedMs >= LOOK_MS) {
      difference = wallMs - monoMs;
      lookedMonoMs = monoMs;
      discipline = readings.discipline();
    }
    const sure = discipline.synchronised && monoMs - stepMonoMs >= DOUBT_AFTER_STEP_MS;
    return {
      wallMs,
      monoMs,
      bootId: readings.bootId,
      clock: sure ? 'sure' : 'doubtful',
      ...(discipline.offsetMs === undefined ? {} : { offsetMs: discipline.offsetMs }),
    };
  };
  return {
    now,
    monoMs: () => readings.monoMs(),
    wallMs: () => readings.wallMs(),
    sleep: realSleep,
    steps: () => ({ count, lastMs }),
  };
}

/** setTimeout counts monotonic time; longer waits than it can hold are cut into days. */
async function realSleep(ms: number, signal?: AbortSignal): Promise<void> {
  const longestMs = 86_400_000;
  for (let leftMs = ms; leftMs > 0 && !signal?.aborted; leftMs -= longestMs)
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(leftMs, longestMs));
      signal?.addEventListener('abort', done, { once: true });
    });
}

/** The clocks of this machine (Linux). */
export function systemClock(): WatchedClock {
  return watchedClock({
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    wallMs: () => Date.now(),
    // CLOCK_MONOTONIC since boot: the same in every process, unlike performance.now().
    monoMs: () => Number(process.hrtime.bigint()) / 1e6,
    discipline: kernelDiscipline(),
  });
}

const STA_UNSYNC = 0x40;
const STA_NANO = 0x2000;
const TIME_ERROR = 5;

/**
 * adjtimex(2) in read mode: what chrony, ntpd and systemd-timesyncd all report into. Where the library call is missing,
 * nothing is known, and unknown counts as not synchronised.
 */
function kernelDiscipline(): () => Discipline {
  let adjtimex: (timex: Uint8Array) => number;
  try {
    adjtimex = koffi.load('libc.so.6').func('int adjtimex(void *timex)');
  } catch {
    return () => ({ synchronised: false });
  }
  const timex = new Uint8Array(256);
  const view = new DataView(timex.buffer);
  return () => {
    timex.fill(0);
    const state = adjtimex(timex);
    const status = view.getInt32(40, true);
    if (state < 0 || state === TIME_ERROR || (status & STA_UNSYNC) !== 0) return { synchronised: false };
    const offset = Number(view.getBigInt64(8, true));
    return { synchronised: true, offsetMs: offset / ((status & STA_NANO) !== 0 ? 1e6 : 1e3) };
  };
}

export interface VirtualClock extends Clock {
  /** Moves both clocks on and wakes the sleepers whose time has come, in order of time. */
  advance(ms: number): Promise<void>;
  /** Steps the wall clock alone. */
  step(ms: number): void;
}

/** A clock that moves only when told: the fake beside the real one. */
export function virtualClock(start: { wallMs?: number; monoMs?: number; bootId?: string } = {}): VirtualClock {
  let monoMs = start.monoMs ?? 1000;
  let wallMs = start.wallMs ?? 1_800_000_000_000;
  const sleepers = new Set<{ readonly dueMonoMs: number; wake(): void }>();
  return {
    now: () => ({ wallMs, monoMs, bootId: start.bootId ?? 'boot-virtual', clock: 'sure' }),
    monoMs: () => monoMs,
    wallMs: () => wallMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted || ms <= 0) return resolve();
        const sleeper = {
          dueMonoMs: monoMs + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', sleeper.wake);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', sleeper.wake, { once: true });
      }),
    async advance(ms) {
      const target = monoMs + ms;
      for (;;) {
        // Let everything that the last wake set free run before time goes on.
        await new Promise((resolve) => setImmediate(resolve));
        const next = [...sleepers].sort((a, b) => a.dueMonoMs - b.dueMonoMs)[0];
        const until = next && next.dueMonoMs <= target ? next.dueMonoMs : target;
        wallMs += until - monoMs;
        monoMs = until;
        if (!next || next.dueMonoMs > target) return;
        next.wake();
      }
    },
    step(ms) {
      wallMs += ms;
    },
  };
}
