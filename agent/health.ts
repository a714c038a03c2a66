/** Beside the path: what the parts say of themselves, put together as the room's health for its state. */
import type { RoomHealth } from '../protocol/stream.ts';
import type { OutboxStats } from './store/outbox.ts';

export interface HealthParts {
  readonly cameras: () => RoomHealth['cameras'];
  readonly ears: () => RoomHealth['ears'];
  readonly outbox: () => OutboxStats;
  /** Clips that are not in the cloud yet, planned ones included. */
  readonly clipsWaiting: () => number;
  /** Free disk where evidence lies, as the recorder measured it last. */
  readonly disk: () => { readonly freeBytes: number; readonly low: boolean };
  readonly modelSet: () => string;
}

/** Reads every part now. A number that is not one (before a first measurement) is given as 0, since the wire has no NaN. */
export function roomHealth(parts: HealthParts): RoomHealth {
  const { freeBytes, low } = parts.disk();
  const { events, oldestMs, full } = parts.outbox();
  return {
    cameras: parts.cameras().map((camera) => ({
      ...camera,
      analysedFps: finite(camera.analysedFps),
      inferenceMs: finite(camera.inferenceMs),
      ...(camera.stages ? { stages: short(camera.stages) } : {}),
      ...(camera.rates ? { rates: short(camera.rates) } : {}),
    })),
    ears: parts.ears().map((ear) => ({
      ...ear,
      rmsDb: Number.isFinite(ear.rmsDb) ? ear.rmsDb : SILENCE_DB,
      ...(ear.rtf === undefined ? {} : { rtf: rounded(ear.rtf, 1000) }),
    })),
    outbox: { events, oldestMs: finite(oldestMs), full },
    clipsWaiting: parts.clipsWaiting(),
    disk: { freeBytes: finite(freeBytes), low },
    modelSet: parts.modelSet(),
    rssBytes: process.memoryUsage.rss(),
  };
}
/** Digital silence, whose logarithm is no number. */
const SILENCE_DB = -120;

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

/** Digits that nobody can measure are not sent once a second. */
const rounded = (value: number, parts: number): number => Math.round(finite(value) * parts) / parts;

/** Every number to a tenth: ms and rates. */
function short<T extends object>(figures: T): T {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, typeof value === 'number' ? rounded(value, 10) : value]),
  ) as T;
}
